#include "tests/host_oracle/forms.h"

#include <algorithm>

#include "cpu/core/decode.h"
#include "cpu/core/mode.h"
#include "cpu/cpuid/feature_table.h"
#include "tests/host_oracle/encode.h"

namespace softvt::oracle {
namespace {

constexpr u32 kUserMode = mode::kCode64 | mode::kUser | mode::kProtected | mode::kLong |
                          mode::kFlatCode | mode::kOsfxsr | mode::kOsxsave | mode::kMp;

constexpr u32 kUserMode32 =
    (kUserMode & ~mode::kCode64) | mode::kCsD | mode::kSsB | mode::kFlatData;

bool has_hot_handler(const u8* bytes, bool compat, const FeatureSet& features) {
  Decoded d;
  if (decode(bytes, 15, compat ? kUserMode32 : kUserMode, features, 0, d) != DecodeStatus::Ok)
    return false;
  using Binder = hot::Bound (*)(const hot::Request&);
  constexpr Binder kBinders[] = {hot::bind_add_sub, hot::bind_logic, hot::bind_move,
                                 hot::bind_unary,   hot::bind_shift, hot::bind_condition,
                                 hot::bind_branch,  hot::bind_stack, hot::bind_multiply};
  return std::any_of(std::begin(kBinders), std::end(kBinders),
                     [&](Binder bind) { return static_cast<bool>(bind(d.request)); });
}

const InsnRow* any_row(const InstructionSet& isa, ZydisMnemonic m) {
  for (unsigned i = 0; i < static_cast<unsigned>(Operands::Count); ++i) {
    if (const InsnRow* row = isa.find(m, static_cast<Operands>(i))) return row;
  }
  return nullptr;
}

std::string feature_name(Feature f) {
  for (const FeatureRow& row : feature_rows()) {
    if (row.feature == f) return std::string(row.name);
  }
  return "?";
}

bool is_prefix(bool compat, u8 b) {
  const bool rex = b >= 0x40 && b < 0x50;
  return b == 0x66 || b == 0x67 || b == 0xf0 || b == 0xf2 || b == 0xf3 || (rex && !compat) ||
         b == 0x26 || b == 0x2e || b == 0x36 || b == 0x3e || b == 0x64 || b == 0x65;
}
// Not an opcode: a prefix or the way to another map. In 32-bit code 62 with a memory operand is
// BOUND; C4 and C5 are LES and LDS, which load segment registers.
bool is_escape(bool compat, OpcodeMap map, u8 b) {
  if (map == OpcodeMap::OneByte) {
    return is_prefix(compat, b) || b == 0x0f || b == 0xc4 || b == 0xc5 || (b == 0x62 && !compat);
  }
  return map == OpcodeMap::Two0F && (b == 0x38 || b == 0x3a || b == 0x0f);
}

class Enumerator {
 public:
  Enumerator(const InstructionSet& isa, const FeatureSet& host) : isa_(isa), host_(host) {}

  FormList run() {
    for (const bool compat : {false, true}) walk_maps(compat);
    add_fusable_pairs();
    return std::move(list_);
  }

 private:
  struct PrefixChoice {
    bool operand66;
    u8 prefix;
  };

  void walk_maps(bool compat) {
    for (unsigned map = 0; map <= static_cast<unsigned>(OpcodeMap::Vex0F3A); ++map) {
      for (unsigned opcode = 0; opcode < 256; ++opcode) {
        if (!is_escape(compat, static_cast<OpcodeMap>(map), static_cast<u8>(opcode))) {
          walk_opcode(compat, static_cast<OpcodeMap>(map), static_cast<u8>(opcode));
        }
      }
    }
  }

  void walk_opcode(bool compat, OpcodeMap map, u8 opcode) {
    static constexpr PrefixChoice kLegacy[] = {{false, 0},    {false, 0x66}, {false, 0xf2},
                                               {false, 0xf3}, {true, 0xf2},  {true, 0xf3}};
    static constexpr PrefixChoice kVex[] = {{false, 0}, {false, 1}, {false, 2}, {false, 3}};
    const bool vex = map >= OpcodeMap::Vex0F38;
    const std::span<const PrefixChoice> choices =
        vex ? std::span<const PrefixChoice>(kVex) : std::span<const PrefixChoice>(kLegacy);
    Form f;
    f.compat = compat;
    f.map = map;
    f.opcode = opcode;
    for (const PrefixChoice& p : choices) {
      f.operand66 = p.operand66;
      f.prefix = p.prefix;
      for (const bool w : {false, true}) {
        f.rex_w = w;
        if (w && compat && !vex) continue;
        walk_modrm(f);
      }
    }
  }

  // All values of ModRM.reg; of r/m the eight registers and one memory operand.
  void walk_modrm(Form f) {
    f.has_modrm = true;
    for (unsigned reg = 0; reg < 8; ++reg) {
      f.reg = static_cast<u8>(reg);
      f.place = Place::BaseDisp;
      f.rm = 0;
      if (!consider(f)) return;  // there is no ModRM byte
      f.place = Place::Register;
      for (unsigned rm = 0; rm < 8; ++rm) {
        f.rm = static_cast<u8>(rm);
        consider(f);
      }
    }
  }

  // False if the instruction turns out to have no ModRM byte.
  bool consider(Form f) {
    DecodedBytes d;
    f.immediate_bytes = 16;  // as many as it may want
    const Encoded sample = encode(f, nullptr);
    bool ok = decode_bytes(sample.bytes.data(), 15, f.compat, d);
    if (!ok && f.map >= OpcodeMap::Vex0F38) {
      // VEX.vvvv may have to name no register: encode() gave 15, which is "none"; nothing else
      // fits.
      return true;
    }
    const bool modrm = !ok || (d.z.attributes & ZYDIS_ATTRIB_HAS_MODRM) != 0;
    if (!ok) return true;
    if (!modrm) {
      f.has_modrm = false;
      f.place = Place::None;
    }
    f.mnemonic = d.z.mnemonic;
    f.immediate_bytes = static_cast<u8>((d.z.raw.imm[0].size + d.z.raw.imm[1].size) / 8);
    if (!modrm) f.immediate_bytes = static_cast<u8>(f.immediate_bytes + d.z.raw.disp.size / 8);
    if (has_ignored_prefix(d.z)) return modrm;
    note_fields(d, f);
    if (!seen_.insert(key(f, d)).second) return modrm;
    if (!wanted(f, d, sample.bytes.data())) return modrm;
    add_places(f, d);
    return modrm;
  }

  static bool has_ignored_prefix(const ZydisDecodedInstruction& z) {
    for (unsigned i = 0; i < z.raw.prefix_count; ++i) {
      const u8 value = z.raw.prefixes[i].value;
      const bool checked = value == 0xf2 || value == 0xf3 || value == 0x66;
      if (checked && z.raw.prefixes[i].type == ZYDIS_PREFIX_TYPE_IGNORED) return true;
    }
    return false;
  }

  static void note_fields(const DecodedBytes& d, Form& f) {
    for (unsigned i = 0; i < d.z.operand_count; ++i) {
      const ZydisOperandEncoding e = d.ops[i].encoding;
      if (e == ZYDIS_OPERAND_ENCODING_MODRM_REG) f.reg_free = true;
      if (e == ZYDIS_OPERAND_ENCODING_MODRM_RM) f.rm_free = true;
      if (e == ZYDIS_OPERAND_ENCODING_NDSNDD) f.vex_register = true;
    }
  }

  // Forms with equal keys differ only in registers.
  static std::vector<u64> key(const Form& f, const DecodedBytes& d) {
    const auto prefixes =
        d.z.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE);
    std::vector<u64> k{f.compat,
                       static_cast<u64>(f.map),
                       f.opcode,
                       static_cast<u64>(d.z.mnemonic),
                       prefixes,
                       d.z.operand_width,
                       static_cast<u64>(f.place)};
    k.push_back(f.reg_free ? 8 : f.reg);
    k.push_back(f.place != Place::Register || f.rm_free ? 8 : f.rm);
    for (unsigned i = 0; i < d.z.operand_count; ++i) {
      const ZydisDecodedOperand& op = d.ops[i];
      k.push_back(op.type);
      k.push_back(op.size);
      if (op.type == ZYDIS_OPERAND_TYPE_REGISTER) {
        const bool free = op.encoding != ZYDIS_OPERAND_ENCODING_NONE;
        k.push_back(free ? u64{1000} + ZydisRegisterGetClass(op.reg.value) : u64{op.reg.value});
      }
    }
    return k;
  }

  bool wanted(const Form& f, const DecodedBytes& d, const u8* bytes) {
    const bool hot = has_hot_handler(bytes, f.compat, host_);
    const InsnRow* row = any_row(isa_, f.mnemonic);
    if (!hot && row == nullptr) {
      list_.not_executed.insert(f.mnemonic);
      return false;
    }
    if (!hot && !host_.has(row->feature)) {
      ++list_.missing_features[feature_name(row->feature)];
      return false;
    }
    if (const Exclusion* e = find_exclusion(d.z, d.ops)) {
      list_.used_exclusions.insert(e);
      return false;
    }
    return true;
  }

  // 32-bit code has no RIP-relative addresses, and the test's GS selector is null.
  static bool usable(const Form& f) {
    return !f.compat || (f.place != Place::RipRelative && f.place != Place::Gs);
  }

  void add_places(Form f, const DecodedBytes& d) {
    bool memory = false;
    for (unsigned i = 0; i < d.z.operand_count; ++i) {
      memory = memory || d.ops[i].type == ZYDIS_OPERAND_TYPE_MEMORY;
    }
    if (f.place != Place::BaseDisp) {
      list_.forms.push_back(f);
      if (!memory) return;
      for (const Place place : {Place::Address32, Place::Gs}) {
        f.place = place;
        if (!f.has_modrm && usable(f)) list_.forms.push_back(f);
      }
      return;
    }
    for (const Place place : {Place::BaseDisp, Place::Indexed, Place::RipRelative, Place::Absolute,
                              Place::Address32, Place::Gs}) {
      f.place = place;
      f.rm_free = true;
      if (usable(f)) list_.forms.push_back(f);
    }
    if ((d.z.attributes & ZYDIS_ATTRIB_ACCEPTS_LOCK) == 0) return;
    f.lock = true;
    for (const Place place : {Place::BaseDisp, Place::Indexed}) {
      f.place = place;
      list_.forms.push_back(f);
    }
  }

  // What the decoder may fuse with a conditional jump.
  void add_fusable_pairs() {
    const std::size_t single = list_.forms.size();
    for (std::size_t i = 0; i < single; ++i) {
      Form f = list_.forms[i];
      if (f.lock || f.place == Place::Absolute || f.place == Place::Gs) continue;
      switch (f.mnemonic) {
        case ZYDIS_MNEMONIC_CMP:
        case ZYDIS_MNEMONIC_TEST:
        case ZYDIS_MNEMONIC_ADD:
        case ZYDIS_MNEMONIC_SUB:
        case ZYDIS_MNEMONIC_AND:
        case ZYDIS_MNEMONIC_INC:
        case ZYDIS_MNEMONIC_DEC:
          break;
        default:
          continue;
      }
      for (unsigned condition = 0; condition < 16; ++condition) {
        f.jcc = static_cast<i8>(condition);
        list_.forms.push_back(f);
      }
    }
  }

  const InstructionSet& isa_;
  const FeatureSet& host_;
  FormList list_;
  std::set<std::vector<u64>> seen_;
};

}  // namespace

FormList enumerate_forms(const InstructionSet& isa, const FeatureSet& host) {
  return Enumerator(isa, host).run();
}

}  // namespace softvt::oracle
