// MOV between general registers, memory and immediates, MOVZX, MOVSX, MOVSXD, LEA.
#include "cpu/core/hot/move.h"

namespace softvt::hot {
namespace {

template <class To, class From>
Bound extend(const Request& q) {
  if (q.form == Form::RR) return register_form<ExtendRR<To, From>>();
  if (q.form == Form::RM) return memory_form<ExtendRM<To, From>>(q.address);
  return {};
}
Bound bind_movzx(const Request& q) {
  const unsigned key = q.opsize * 16u + q.src_size;
  switch (key) {
    case 0x21:
      return extend<u16, u8>(q);
    case 0x41:
      return extend<u32, u8>(q);
    case 0x81:
      return extend<u64, u8>(q);
    case 0x22:
      return extend<u16, u16>(q);
    case 0x42:
      return extend<u32, u16>(q);
    case 0x82:
      return extend<u64, u16>(q);
    default:
      return {};
  }
}
Bound bind_movsx(const Request& q) {
  const unsigned key = q.opsize * 16u + q.src_size;
  switch (key) {
    case 0x21:
      return extend<i16, i8>(q);
    case 0x41:
      return extend<i32, i8>(q);
    case 0x81:
      return extend<i64, i8>(q);
    case 0x22:
      return extend<i16, i16>(q);
    case 0x42:
      return extend<i32, i16>(q);
    case 0x82:
      return extend<i64, i16>(q);
    case 0x24:
      return extend<i16, i16>(q);
    case 0x44:
      return extend<i32, i32>(q);
    case 0x84:
      return extend<i64, i32>(q);
    default:
      return {};
  }
}

template <class T>
Bound lea(const Request& q) {
  switch (q.address) {
    case AddressKind::BaseDisp:
      return register_form<LeaBaseDisp<T>>();
    case AddressKind::Full64:
      return register_form<LeaFull64<T>>();
    default:
      return register_form<LeaAny<T>>();
  }
}
Bound bind_lea(const Request& q) {
  switch (q.opsize) {
    case 2:
      return lea<u16>(q);
    case 4:
      return lea<u32>(q);
    case 8:
      return lea<u64>(q);
    default:
      return {};
  }
}

Bound bind_mov(const Request& q) {
  return by_size(q.opsize, [&]<class T>() -> Bound {
    switch (q.form) {
      case Form::RR:
        return register_form<MovRR<T>>();
      case Form::RI:
        return register_form<MovRI<T>>();
      case Form::RM:
        return memory_form<MovRM<T>>(q.address);
      case Form::MR:
        return memory_form<MovMR<T>>(q.address);
      case Form::MI:
        return memory_form<MovMI<T>>(q.address);
      default:
        return {};
    }
  });
}

}  // namespace

Bound bind_move(const Request& q) {
  switch (q.mnemonic) {
    case ZYDIS_MNEMONIC_MOV:
      return bind_mov(q);
    case ZYDIS_MNEMONIC_MOVZX:
      return bind_movzx(q);
    case ZYDIS_MNEMONIC_MOVSX:
    case ZYDIS_MNEMONIC_MOVSXD:
      return bind_movsx(q);
    case ZYDIS_MNEMONIC_LEA:
      return bind_lea(q);
    default:
      return {};
  }
}

}  // namespace softvt::hot
