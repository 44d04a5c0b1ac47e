#include "cpu/core/decode.h"

#include <array>

#include "cpu/core/hot/condition.h"
#include "cpu/core/mode.h"

namespace softvt {
namespace {

// One decoder for each code size, with and without the encodings that old processors read as
// something else (LZCNT as BSR, TZCNT as BSF).
class Decoders {
 public:
  const ZydisDecoder& get(u32 m, const FeatureSet& features) const {
    const unsigned lz = features.has(Feature::Lzcnt) ? 1 : 0;
    const unsigned tz = features.has(Feature::Bmi1) ? 2 : 0;
    return table_[size_index(m)][lz | tz];
  }
  static const Decoders& instance() {
    static const Decoders decoders;
    return decoders;
  }

 private:
  Decoders() {
    constexpr std::array<std::pair<ZydisMachineMode, ZydisStackWidth>, 5> kModes{{
        {ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64},
        {ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32},
        {ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_16},
        {ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_32},
        {ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16},
    }};
    for (std::size_t i = 0; i < kModes.size(); ++i) {
      for (unsigned k = 0; k < 4; ++k) {
        ZydisDecoder& d = table_[i][k];
        ZydisDecoderInit(&d, kModes[i].first, kModes[i].second);
        ZydisDecoderEnableMode(&d, ZYDIS_DECODER_MODE_LZCNT, (k & 1) != 0);
        ZydisDecoderEnableMode(&d, ZYDIS_DECODER_MODE_TZCNT, (k & 2) != 0);
        ZydisDecoderEnableMode(&d, ZYDIS_DECODER_MODE_MPX, false);
        ZydisDecoderEnableMode(&d, ZYDIS_DECODER_MODE_CET, false);
        ZydisDecoderEnableMode(&d, ZYDIS_DECODER_MODE_CLDEMOTE, false);
      }
    }
  }
  static unsigned size_index(u32 m) {
    if ((m & mode::kCode64) != 0) return 0;
    const unsigned stack16 = (m & mode::kSsB) != 0 ? 0 : 1;
    return ((m & mode::kCsD) != 0 ? 1 : 3) + stack16;
  }
  ZydisDecoder table_[5][4];
};

// Byte offset in Cpu::r of a general register; AH..BH are one byte up.
u8 gpr_offset(ZydisRegister r) {
  if (r >= ZYDIS_REGISTER_AL && r <= ZYDIS_REGISTER_BL) return (r - ZYDIS_REGISTER_AL) * 8;
  if (r >= ZYDIS_REGISTER_AH && r <= ZYDIS_REGISTER_BH) return (r - ZYDIS_REGISTER_AH) * 8 + 1;
  if (r >= ZYDIS_REGISTER_SPL && r <= ZYDIS_REGISTER_R15B) {
    return (r - ZYDIS_REGISTER_SPL + 4) * 8;
  }
  return static_cast<u8>(ZydisRegisterGetId(r)) * 8;
}

bool is_gpr(ZydisRegister r) {
  switch (ZydisRegisterGetClass(r)) {
    case ZYDIS_REGCLASS_GPR8:
    case ZYDIS_REGCLASS_GPR16:
    case ZYDIS_REGCLASS_GPR32:
    case ZYDIS_REGCLASS_GPR64:
      return true;
    default:
      return false;
  }
}

u8 segment_number(ZydisRegister r) {
  switch (r) {
    case ZYDIS_REGISTER_ES:
      return 0;
    case ZYDIS_REGISTER_CS:
      return 1;
    case ZYDIS_REGISTER_SS:
      return 2;
    case ZYDIS_REGISTER_FS:
      return 4;
    case ZYDIS_REGISTER_GS:
      return 5;
    default:
      return 3;
  }
}

u8 register_number(ZydisRegister r) {
  if (is_gpr(r)) return gpr_offset(r);
  if (ZydisRegisterGetClass(r) == ZYDIS_REGCLASS_SEGMENT) return segment_number(r);
  return static_cast<u8>(ZydisRegisterGetId(r));
}

constexpr u8 kNone = slot::kZero * 8;

u8 address_register(ZydisRegister r) { return r == ZYDIS_REGISTER_NONE ? kNone : gpr_offset(r); }

u8 shift_of(u8 scale) { return scale == 8 ? 3 : scale == 4 ? 2 : scale == 2 ? 1 : 0; }

void set_memory(const ZydisDecodedOperand& op, Decoded& out) {
  Insn& in = out.insn;
  in.seg = segment_number(op.mem.segment);
  in.msize = static_cast<u8>(std::min<unsigned>(op.size / 8, 255));
  in.scale = shift_of(op.mem.scale);
  in.idx = address_register(op.mem.index);
  const i64 disp = op.mem.disp.value;
  if (op.mem.base == ZYDIS_REGISTER_RIP || op.mem.base == ZYDIS_REGISTER_EIP) {
    const i64 from_page = disp + in.pofs + in.len;
    in.base = slot::kCodePage * 8;
    if (from_page == static_cast<i32>(from_page)) {
      in.disp = static_cast<i32>(from_page);
    } else {
      in.disp = static_cast<i32>(disp);
      in.flags |= insn_flag::kRipRaw;
    }
  } else {
    in.base = address_register(op.mem.base);
    in.disp = static_cast<i32>(disp);
  }
  if (op.mem.base == ZYDIS_REGISTER_NONE && op.mem.index == ZYDIS_REGISTER_NONE &&
      disp != static_cast<i32>(disp)) {
    in.imm = disp;  // MOV moffs64
    in.flags |= insn_flag::kMoffs;
  }
}

// Which of the fast address forms serves, if any.
hot::AddressKind address_kind(const Insn& in, u32 m) {
  using hot::AddressKind;
  if ((m & mode::kAlign) != 0) return AddressKind::SlowOnly;
  if ((in.flags & (insn_flag::kRipRaw | insn_flag::kMoffs)) != 0) return AddressKind::SlowOnly;
  if ((m & mode::kCode64) != 0) {
    if (in.addrsize == 4) return AddressKind::Flat32;
    return in.idx == kNone && in.segslot == kNone ? AddressKind::BaseDisp : AddressKind::Full64;
  }
  const bool flat = (m & mode::kFlatData) != 0 && (in.seg == 0 || in.seg == 2 || in.seg == 3);
  return flat && in.addrsize == 4 ? AddressKind::Flat32 : AddressKind::SlowOnly;
}

void set_segment_slot(Insn& in, u32 m) {
  const bool has_base = in.seg >= 4 || (m & mode::kCode64) == 0;
  in.segslot = has_base ? static_cast<u8>((slot::kSegBase + in.seg) * 8) : kNone;
}

u8 prefixes_of(const ZydisDecodedInstruction& z) {
  u8 p = 0;
  if ((z.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE)) != 0) p |= prefix::kRep;
  if ((z.attributes & ZYDIS_ATTRIB_HAS_REPNE) != 0) p |= prefix::kRepne;
  if ((z.attributes & ZYDIS_ATTRIB_HAS_LOCK) != 0) p |= prefix::kLock;
  if ((z.attributes & ZYDIS_ATTRIB_HAS_OPERANDSIZE) != 0) p |= prefix::kOpSize;
  if (z.raw.rex.W != 0) p |= prefix::kRexW;
  // Zydis does not call the mandatory prefix of MOVQ a REP.
  for (unsigned i = 0; z.mnemonic == ZYDIS_MNEMONIC_MOVQ && i < z.raw.prefix_count; ++i) {
    if (z.raw.prefixes[i].type == ZYDIS_PREFIX_TYPE_MANDATORY && z.raw.prefixes[i].value == 0xf3) {
      p |= prefix::kRep;
    }
  }
  return p;
}

u8 segment_from_prefix(const ZydisDecodedInstruction& z) {
  if ((z.attributes & ZYDIS_ATTRIB_HAS_SEGMENT_CS) != 0) return 1;
  if ((z.attributes & ZYDIS_ATTRIB_HAS_SEGMENT_SS) != 0) return 2;
  if ((z.attributes & ZYDIS_ATTRIB_HAS_SEGMENT_ES) != 0) return 0;
  if ((z.attributes & ZYDIS_ATTRIB_HAS_SEGMENT_FS) != 0) return 4;
  if ((z.attributes & ZYDIS_ATTRIB_HAS_SEGMENT_GS) != 0) return 5;
  return 3;
}

// Operands into dst/src/reg3/imm/memory and the form. Hidden operands are the mnemonic's matter.
void set_operands(const ZydisDecodedOperand* ops, unsigned count, Decoded& out) {
  Insn& in = out.insn;
  unsigned registers = 0, position = 0;
  int memory_at = -1, immediates = 0;
  bool far_pointer = false;
  u8* const register_fields[3] = {&in.dst, &in.src, &in.reg3};
  for (; position < count; ++position) {
    const ZydisDecodedOperand& op = ops[position];
    switch (op.type) {
      case ZYDIS_OPERAND_TYPE_REGISTER:
        // With memory first, the register is the source.
        if (registers == 0 && memory_at == 0) registers = 1;
        if (ZydisRegisterGetClass(op.reg.value) == ZYDIS_REGCLASS_MMX) out.mmx_operand = true;
        if (registers < 3) *register_fields[registers++] = register_number(op.reg.value);
        break;
      case ZYDIS_OPERAND_TYPE_MEMORY:
        memory_at = static_cast<int>(position);
        set_memory(op, out);
        break;
      case ZYDIS_OPERAND_TYPE_IMMEDIATE:
        if (immediates++ == 0) {
          in.imm = op.imm.value.s;
        } else {
          in.disp = static_cast<i32>(op.imm.value.s);
        }
        break;
      case ZYDIS_OPERAND_TYPE_POINTER:
        far_pointer = true;
        in.imm = static_cast<i64>(op.ptr.offset);
        in.disp = op.ptr.segment;
        break;
      default:
        break;
    }
  }
  const bool immediate_second = count >= 2 && ops[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
  if (far_pointer) {
    in.form = Form::Far;
  } else if (memory_at == 0) {
    in.form = count == 1 ? Form::M : immediate_second ? Form::MI : Form::MR;
  } else if (memory_at > 0) {
    in.form = Form::RM;
  } else if (registers == 0) {
    in.form = immediates != 0 ? Form::I : Form::None;
  } else if (registers == 1) {
    in.form = immediates != 0 ? Form::RI : Form::R;
  } else {
    in.form = Form::RR;
  }
}

bool is_x87(const ZydisDecodedInstruction& z) {
  return z.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && z.opcode >= 0xd8 && z.opcode <= 0xdf;
}

// Direct near branches: the target counts from the page start when flat code allows linking, else
// imm is the displacement for the cold functions (cpu/seg/near.cpp).
void set_branch(u32 m, Decoded& out) {
  Insn& in = out.insn;
  const bool relative = out.zydis.raw.imm[0].is_relative != 0 && in.form == Form::I;
  if (!relative) return;
  out.direct_branch = true;
  const bool full_width = (m & mode::kCode64) != 0 || in.opsize == 4;
  out.request.flat_code = out.request.flat_code && full_width;
}

}  // namespace

DecodeStatus decode(const u8* bytes, unsigned available, u32 m, const FeatureSet& features,
                    u16 page_offset, Decoded& out) {
  ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
  const ZydisDecoder& decoder = Decoders::instance().get(m, features);
  const ZyanStatus status = ZydisDecoderDecodeFull(&decoder, bytes, available, &out.zydis, ops);
  if (!ZYAN_SUCCESS(status)) {
    if (status == ZYDIS_STATUS_NO_MORE_DATA) return DecodeStatus::NeedMore;
    if (status == ZYDIS_STATUS_INSTRUCTION_TOO_LONG) return DecodeStatus::TooLong;
    return DecodeStatus::Invalid;
  }
  const ZydisDecodedInstruction& z = out.zydis;
  Insn& in = out.insn;
  in = Insn{};
  in.pofs = page_offset;
  in.len = z.length;
  in.opcode = z.opcode;
  in.opsize = static_cast<u8>(z.operand_width / 8);
  in.addrsize = static_cast<u8>(z.address_width / 8);
  in.prefixes = prefixes_of(z);
  in.base = in.idx = kNone;
  in.seg = segment_from_prefix(z);
  out.mmx_operand = false;
  set_operands(ops, z.operand_count_visible, out);
  set_segment_slot(in, m);
  if (is_x87(z)) in.imm = z.raw.modrm.mod << 6 | z.raw.modrm.reg << 3 | z.raw.modrm.rm;

  hot::Request& q = out.request;
  q = hot::Request{};
  q.mnemonic = z.mnemonic;
  q.form = in.form;
  // The size of the operation is that of its first operand, unless that is an immediate.
  q.opsize =
      in.form == Form::I || in.form == Form::None ? in.opsize : static_cast<u8>(ops[0].size / 8);
  q.src_size = z.operand_count_visible > 1 ? static_cast<u8>(ops[1].size / 8) : 0;
  q.three_operands = z.operand_count_visible > 2;
  q.code64 = (m & mode::kCode64) != 0;
  q.flat_code = (m & mode::kFlatCode) != 0;
  q.address = address_kind(in, m);
  out.direct_branch = false;
  set_branch(m, out);
  return DecodeStatus::Ok;
}

}  // namespace softvt
