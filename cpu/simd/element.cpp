// Single elements in and out of vectors, sign masks, and stores under a byte mask.
// SDM 1 10.4.4, 11.4.4, 12.8.5.
#include "cpu/simd/operands.h"
#include "cpu/simd/rows.h"

namespace softvt::simd {

namespace {

// ---- insert
// ----------------------------------------------------------------------------------------

template <class T>
void put_element(Xmm& x, unsigned index, T value) {
  constexpr unsigned kCount = 16 / sizeof(T);
  std::memcpy(x.b + (index % kCount) * sizeof(T), &value, sizeof(T));
}
template <class T>
T get_element(const Xmm& x, unsigned index) {
  constexpr unsigned kCount = 16 / sizeof(T);
  T value;
  std::memcpy(&value, x.b + (index % kCount) * sizeof(T), sizeof(T));
  return value;
}

template <class T>
Step insert(Cpu& cpu, const Insn& in) {
  T value;
  if (!fetch_gpr(cpu, in, value)) return Step::Fault;
  put_element<T>(cpu.xmm[in.dst & 15], imm8(in), value);
  return Step::Next;
}

Step pinsrw_mmx(Cpu& cpu, const Insn& in) {
  u16 value;
  if (!no_x87_exception(cpu) || !fetch_gpr(cpu, in, value)) return Step::Fault;
  const unsigned shift = (imm8(in) & 3) * 16;
  const u64 rest = get_mmx(cpu, in.dst) & ~(u64{0xffff} << shift);
  enter_mmx(cpu);
  put_mmx(cpu, in.dst, rest | u64{value} << shift);
  return Step::Next;
}

// From memory there is one single, whatever the immediate selects.
Step insertps(Cpu& cpu, const Insn& in) {
  Vec src;
  if (!fetch_xmm<4>(cpu, in, src)) return Step::Fault;
  Vec dst = get_xmm(cpu, in.dst);
  apply_imm<host::insertps>(in.form == Form::RM ? in.imm & 0x3f : in.imm, dst, src);
  put_xmm(cpu, in.dst, dst);
  return Step::Next;
}

// ---- extract
// ---------------------------------------------------------------------------------------

template <class T>
Step extract(Cpu& cpu, const Insn& in) {
  const T value = get_element<T>(cpu.xmm[in.src & 15], imm8(in));
  return put_gpr_or_memory(cpu, in, value) ? Step::Next : Step::Fault;
}

// 0F C5 is of SSE2 and writes registers; 0F 3A 15 is of SSE4.1 and writes memory too.
Step pextrw(Cpu& cpu, const Insn& in) {
  constexpr u8 kSse41Opcode = 0x15;
  if (in.opcode == kSse41Opcode && !cpu.has(Feature::Sse41)) return cpu.raise_ud();
  return extract<u16>(cpu, in);
}

Step pextrw_mmx(Cpu& cpu, const Insn& in) {
  if (!no_x87_exception(cpu)) return Step::Fault;
  enter_mmx(cpu);
  put_reg<u64>(cpu, in.dst, get_mmx(cpu, in.src) >> ((imm8(in) & 3) * 16) & 0xffff);
  return Step::Next;
}

// ---- sign masks
// ------------------------------------------------------------------------------------

template <class T>
u64 sign_mask(const Xmm& x, unsigned count) {
  u64 mask = 0;
  for (unsigned i = 0; i < count; ++i) {
    const u64 top = get_element<T>(x, i) >> (sizeof(T) * 8 - 1);
    mask |= (top & 1) << i;
  }
  return mask;
}

template <class T>
Step move_mask(Cpu& cpu, const Insn& in) {
  put_reg<u64>(cpu, in.dst, sign_mask<T>(cpu.xmm[in.src & 15], 16 / sizeof(T)));
  return Step::Next;
}

Step pmovmskb_mmx(Cpu& cpu, const Insn& in) {
  if (!no_x87_exception(cpu)) return Step::Fault;
  enter_mmx(cpu);
  put_reg<u64>(cpu, in.dst, sign_mask<u8>(to_lanes(make_vec(get_mmx(cpu, in.src))), 8));
  return Step::Next;
}

// ---- stores under a mask
// -----------------------------------------------------------------------------

// Writes byte i of `data` to segment:rDI + i where `mask` has bit i. Nothing is written if any of
// these bytes faults; with an empty mask memory is not accessed.
bool store_masked(Cpu& cpu, const Insn& in, const u8* data, unsigned size, u64 mask) {
  if (mask == 0) return true;
  const u64 offset = cpu.r[RDI] & size_mask(in.addrsize);
  u64 linear;
  if (!segment_address(cpu, static_cast<Seg>(in.seg), offset, size, Access::Write, linear)) {
    return false;
  }
  const unsigned first = static_cast<unsigned>(__builtin_ctzll(mask));
  const unsigned last = 63 - static_cast<unsigned>(__builtin_clzll(mask));
  // Both ends are written, so the check touches no page that the writes do not.
  if (!probe_write(cpu, linear + first, 1) || !probe_write(cpu, linear + last, 1)) return false;
  for (unsigned i = first; i <= last; ++i) {
    if ((mask >> i & 1) && !write_linear(cpu, linear + i, data + i, 1)) return false;
  }
  return true;
}

Step maskmovdqu(Cpu& cpu, const Insn& in) {
  const Xmm data = cpu.xmm[in.dst & 15];
  const u64 mask = sign_mask<u8>(cpu.xmm[in.src & 15], 16);
  return store_masked(cpu, in, data.b, 16, mask) ? Step::Next : Step::Fault;
}

Step maskmovq(Cpu& cpu, const Insn& in) {
  if (!no_x87_exception(cpu)) return Step::Fault;
  const Xmm data = to_lanes(make_vec(get_mmx(cpu, in.dst)));
  const u64 mask = sign_mask<u8>(to_lanes(make_vec(get_mmx(cpu, in.src))), 8);
  if (!store_masked(cpu, in, data.b, 8, mask)) return Step::Fault;
  enter_mmx(cpu);
  return Step::Next;
}

constexpr InsnRow sse(ZydisMnemonic m, ColdFn fn, Feature f) { return {m, fn, f, Unit::Sse}; }
constexpr InsnRow mmx(ZydisMnemonic m, ColdFn fn) { return {m, fn, Feature::Sse, Unit::Mmx}; }

// clang-format off
constexpr InsnRow kRows[] = {
    sse(ZYDIS_MNEMONIC_PINSRB, insert<u8>, Feature::Sse41),
    sse(ZYDIS_MNEMONIC_PINSRW, insert<u16>, Feature::Sse2),
    sse(ZYDIS_MNEMONIC_PINSRD, insert<u32>, Feature::Sse41),
    sse(ZYDIS_MNEMONIC_PINSRQ, insert<u64>, Feature::Sse41),
    sse(ZYDIS_MNEMONIC_INSERTPS, insertps, Feature::Sse41),
    sse(ZYDIS_MNEMONIC_PEXTRB, extract<u8>, Feature::Sse41),
    sse(ZYDIS_MNEMONIC_PEXTRW, pextrw, Feature::Sse2),
    sse(ZYDIS_MNEMONIC_PEXTRD, extract<u32>, Feature::Sse41),
    sse(ZYDIS_MNEMONIC_PEXTRQ, extract<u64>, Feature::Sse41),
    sse(ZYDIS_MNEMONIC_EXTRACTPS, extract<u32>, Feature::Sse41),
    sse(ZYDIS_MNEMONIC_MOVMSKPS, move_mask<u32>, Feature::Sse),
    sse(ZYDIS_MNEMONIC_MOVMSKPD, move_mask<u64>, Feature::Sse2),
    sse(ZYDIS_MNEMONIC_PMOVMSKB, move_mask<u8>, Feature::Sse2),
    sse(ZYDIS_MNEMONIC_MASKMOVDQU, maskmovdqu, Feature::Sse2),
    mmx(ZYDIS_MNEMONIC_PINSRW, pinsrw_mmx),
    mmx(ZYDIS_MNEMONIC_PEXTRW, pextrw_mmx),
    mmx(ZYDIS_MNEMONIC_PMOVMSKB, pmovmskb_mmx),
    mmx(ZYDIS_MNEMONIC_MASKMOVQ, maskmovq),
};
// clang-format on

}  // namespace

std::span<const InsnRow> element_rows() { return kRows; }

}  // namespace softvt::simd
