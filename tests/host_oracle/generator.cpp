#include "tests/host_oracle/generator.h"

#include <algorithm>
#include <cstring>

#include "tests/host_oracle/state_generator.h"
#include "tests/host_oracle/values.h"

namespace softvt::oracle {
namespace {

constexpr unsigned kTries = 20, kCacheLine = 64;
constexpr unsigned kRcx = 1, kRax = 0, kRdx = 2;

unsigned number_of(ZydisRegister r) { return static_cast<unsigned>(ZydisRegisterGetId(r)); }
bool is_gpr(ZydisRegister r) {
  switch (ZydisRegisterGetClass(r)) {
    case ZYDIS_REGCLASS_GPR16:
    case ZYDIS_REGCLASS_GPR32:
    case ZYDIS_REGCLASS_GPR64:
      return true;
    default:
      return false;
  }
}

class Generator {
 public:
  Generator(const Form& form, Random& random, Case& out) : form_(form), random_(random), c_(out) {}

  bool run() {
    c_ = Case{};
    if (!choose_bytes()) return false;
    choose_rip();
    for (u64& r : c_.gpr) r = edge_integer(random_);
    c_.flags = random_flags(random_, is_string());
    fill_fx(random_, d_.z.meta.isa_set, d_.z.meta.category, c_.fx);
    shape_operands();
    for (unsigned i = 0; i < d_.z.operand_count; ++i) {
      if (d_.ops[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
          d_.ops[i].mem.type == ZYDIS_MEMOP_TYPE_MEM) {
        place_memory(d_.ops[i]);
      }
    }
    shape_branch();
    shape_accumulator();
    if (form_.compat) narrow();
    return true;
  }

 private:
  // 32-bit code sees the lower halves of half of the registers.
  void narrow() {
    c_.compat = true;
    for (unsigned i = 0; i < 16; ++i) c_.gpr[i] = i < 8 ? static_cast<u32>(c_.gpr[i]) : 0;
    std::fill(c_.fx.begin() + kFxXmm + 8 * kFxStride, c_.fx.end(), u8{0});
  }

  bool choose_bytes() {
    for (unsigned i = 0; i < kTries; ++i) {
      const Encoded e = encode(form_, &random_);
      if (!decode_bytes(e.bytes.data(), e.size, form_.compat, d_) ||
          d_.z.mnemonic != form_.mnemonic)
        continue;
      c_.code = e.bytes;
      c_.code_size = form_.jcc >= 0 ? e.size : d_.z.length;
      return true;
    }
    return false;
  }

  // In the middle of the first page, or across the end of a page.
  void choose_rip() {
    const u64 first_end = kCode + kPageSize;
    c_.rip = kCode + 0x400 + random_.below(0x800);
    if (random_.percent(3)) c_.rip = first_end - random_.below(c_.code_size);
    if (random_.percent(1)) c_.rip = kCode + kCodeSize - random_.below(c_.code_size) - 1;
  }

  bool is_string() const { return d_.z.meta.category == ZYDIS_CATEGORY_STRINGOP; }
  bool is_repeated() const {
    return (d_.z.attributes &
            (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE)) != 0;
  }
  bool locks() const {
    return form_.lock || (d_.z.mnemonic == ZYDIS_MNEMONIC_XCHG && form_.place != Place::Register);
  }

  // Counts and bit offsets within reason.
  void shape_operands() {
    if (random_.percent(60)) c_.gpr[kRcx] = (c_.gpr[kRcx] & ~u64{0xff}) | random_.below(72);
    if (is_repeated() && random_.percent(95)) c_.gpr[kRcx] = random_.below(40);
    switch (d_.z.mnemonic) {
      case ZYDIS_MNEMONIC_BT:
      case ZYDIS_MNEMONIC_BTC:
      case ZYDIS_MNEMONIC_BTR:
      case ZYDIS_MNEMONIC_BTS:
        if (d_.ops[1].type == ZYDIS_OPERAND_TYPE_REGISTER && (locks() || random_.percent(80))) {
          c_.gpr[number_of(d_.ops[1].reg.value)] = random_.below(2000) - 1000;
        }
        break;
      case ZYDIS_MNEMONIC_DIV:
        if (random_.percent(60)) c_.gpr[kRdx] = random_.below(3);
        break;
      case ZYDIS_MNEMONIC_IDIV:
        if (random_.percent(70)) c_.gpr[kRdx] = 0 - (c_.gpr[kRax] >> 63);
        if (random_.percent(20)) c_.gpr[kRdx] = c_.gpr[kRax] & 0x80000000 ? ~u64{0} : 0;
        break;
      case ZYDIS_MNEMONIC_CMPXCHG:
        if (d_.ops[0].type == ZYDIS_OPERAND_TYPE_REGISTER && random_.percent(50)) {
          c_.gpr[kRax] = c_.gpr[number_of(d_.ops[0].reg.value) & 15];
        }
        break;
      case ZYDIS_MNEMONIC_ENTER:
        if (random_.percent(70)) {
          c_.code[d_.z.raw.imm[0].offset + 1] &= 1;
          c_.code[d_.z.raw.imm[1].offset] &= 3;
        }
        break;
      default:
        break;
    }
  }

  u64 aligned(u64 address) {
    switch (random_.below(4)) {
      case 0:
        return address & ~u64{63};
      case 1:
        return address & ~u64{15};
      case 2:
        return address & ~u64{7};
      default:
        return address;
    }
  }

  // Mostly a plain place; else across pages, read-only, absent, or not canonical.
  u64 choose_target(unsigned size) {
    const u64 middle = kData + 1024 + random_.below(kDataSize - 3072);
    if (locks()) return middle & ~u64{kCacheLine - 1};
    const unsigned part = 1 + static_cast<unsigned>(random_.below(std::max(size, 1u)));
    switch (random_.below(40)) {
      case 0:
      case 1:
        return kData + kPageSize - part;
      case 2:
        return aligned(kReadOnly + 1024 + random_.below(1024));
      case 3:
        return kReadOnly - part;
      case 4:
        return kHole - part;
      case 5:
        return aligned(kHole + random_.below(kPageSize));
      case 6:
        // Across 4 GiB: whether that breaks the limit is up to the implementation. SDM 3A 5.3.
        if (form_.compat) return aligned(middle);
        return random_.percent(50) ? kNonCanonical + aligned(random_.below(4096))
                                   : kNonCanonical - part;
      case 7:
        return random_.percent(50) ? kData - part : (u64{1} << 32) + aligned(middle);
      default:
        return aligned(middle);
    }
  }

  void place_memory(const ZydisDecodedOperand& op) {
    const unsigned size = op.size / 8;
    const u64 target = choose_target(size);
    const u64 linear_base = op.mem.segment == ZYDIS_REGISTER_GS ? kGsBase : 0;
    set_address(op, target - linear_base);
    u8 bytes[kPatchBytes];
    edge_vector(random_, c_.fx.data() + kFxXmm, bytes);
    edge_vector(random_, nullptr, bytes + 16);
    if (is_x87()) edge_extended(random_, bytes);
    if (size == 8 && random_.percent(30)) {
      const u64 value = edge_integer(random_);
      std::memcpy(bytes, &value, sizeof(value));
    }
    if (size == kLegacyImage) return make_image(target);
    c_.add_patch(target, bytes, kPatchBytes);
  }

  // Chooses registers or the displacement so that the effective address is `offset`.
  void set_address(const ZydisDecodedOperand& op, u64 offset) {
    if (d_.z.address_width == 16) return;  // out of reach
    const u64 disp = static_cast<u64>(op.mem.disp.value);
    const ZydisRegister base = op.mem.base, index = op.mem.index;
    if (base == ZYDIS_REGISTER_RIP || base == ZYDIS_REGISTER_EIP) {
      return put_code(d_.z.raw.disp.offset, 4, offset - (c_.rip + d_.z.length));
    }
    const u64 scale = op.mem.scale;
    if (base == ZYDIS_REGISTER_NONE && index == ZYDIS_REGISTER_NONE) {
      return put_code(d_.z.raw.disp.offset, d_.z.raw.disp.size / 8, offset);
    }
    if (base == ZYDIS_REGISTER_NONE) {
      c_.gpr[number_of(index)] = (offset - disp) / scale;
    } else if (index == ZYDIS_REGISTER_NONE) {
      c_.gpr[number_of(base)] = offset - disp;
    } else if (base == index) {
      c_.gpr[number_of(base)] = (offset - disp) / (scale + 1);
    } else if (!is_gpr(index)) {  // XLAT: AL
      c_.gpr[number_of(base)] = offset - disp;
    } else {
      if (random_.percent(60)) c_.gpr[number_of(index)] = random_.below(64);
      c_.gpr[number_of(base)] = offset - disp - c_.gpr[number_of(index)] * scale;
    }
    if (d_.z.address_width == 32 && is_gpr(base) && random_.percent(50)) {
      c_.gpr[number_of(base)] ^= random_.next() << 32;
    }
  }

  void put_code(unsigned at, unsigned size, u64 value) {
    std::memcpy(c_.code.data() + at, &value, size);
  }

  // Near branches go to the filler, seldom elsewhere; never into the instruction itself.
  u64 branch_target() {
    const u64 choice = random_.below(20);
    if (choice == 0) return kHole + random_.below(4096);
    if (choice == 1) return kData + random_.below(4096);  // no code
    if (choice == 2 && !relative()) return kNonCanonical + random_.below(4096);
    const u64 room = kCode + kCodeSize - (c_.rip + c_.code_size);
    if (room == 0) return kHole;
    return c_.rip + c_.code_size + random_.below(std::min<u64>(room, choice < 6 ? room : 100));
  }
  bool relative() const { return d_.z.raw.imm[0].is_relative != 0; }

  void shape_branch() {
    const ZydisInstructionCategory category = d_.z.meta.category;
    const bool branch = category == ZYDIS_CATEGORY_COND_BR ||
                        category == ZYDIS_CATEGORY_UNCOND_BR || category == ZYDIS_CATEGORY_CALL ||
                        category == ZYDIS_CATEGORY_RET;
    if (!branch) return;
    u64 target = branch_target();
    if (relative()) {
      const unsigned size = d_.z.raw.imm[0].size / 8;
      const u64 behind = c_.rip + d_.z.length;
      u64 distance = target - behind;
      if (size == 1)
        distance = random_.percent(80) ? random_.below(128) : 0x80 + random_.below(112);
      return put_code(d_.z.raw.imm[0].offset, size, distance);
    }
    if (category != ZYDIS_CATEGORY_RET && d_.ops[0].type == ZYDIS_OPERAND_TYPE_REGISTER) {
      c_.gpr[number_of(d_.ops[0].reg.value)] = target;
    } else {
      // The first memory operand holds the target: [r/m], or the top of the stack for RET.
      if (c_.patch_count != 0) std::memcpy(c_.patches[0].bytes.data(), &target, sizeof(target));
    }
  }

  // CMPXCHG and CMPXCHG8B often succeed.
  void shape_accumulator() {
    const ZydisMnemonic m = d_.z.mnemonic;
    const bool exchange = m == ZYDIS_MNEMONIC_CMPXCHG || m == ZYDIS_MNEMONIC_CMPXCHG8B ||
                          m == ZYDIS_MNEMONIC_CMPXCHG16B;
    if (!exchange || c_.patch_count == 0 || random_.percent(50)) return;
    u64 low, high;
    std::memcpy(&low, c_.patches[0].bytes.data(), 8);
    std::memcpy(&high, c_.patches[0].bytes.data() + 8, 8);
    if (uses(kRax)) return;
    c_.gpr[kRax] = low;
    if (m == ZYDIS_MNEMONIC_CMPXCHG16B && !uses(kRdx)) c_.gpr[kRdx] = high;
    if (m == ZYDIS_MNEMONIC_CMPXCHG8B && !uses(kRdx)) c_.gpr[kRdx] = low >> 32;
  }
  // As part of an address.
  bool uses(unsigned number) const {
    for (unsigned i = 0; i < d_.z.operand_count; ++i) {
      const auto& op = d_.ops[i];
      if (op.type != ZYDIS_OPERAND_TYPE_MEMORY) continue;
      if (op.mem.base != ZYDIS_REGISTER_NONE && number_of(op.mem.base) == number) return true;
      if (op.mem.index != ZYDIS_REGISTER_NONE && number_of(op.mem.index) == number) return true;
    }
    return false;
  }

  bool is_x87() const { return d_.z.meta.category == ZYDIS_CATEGORY_X87_ALU; }

  // FXRSTOR: an image that is mostly valid.
  static constexpr unsigned kLegacyImage = 512;
  void make_image(u64 target) {
    FxImage fx = default_fx();
    fill_fx(random_, ZYDIS_ISA_SET_X87, ZYDIS_CATEGORY_X87_ALU, fx);
    if (random_.percent(90)) c_.add_patch(target, fx.data(), kPatchBytes);
    c_.add_patch(target + 32, fx.data() + 32, kPatchBytes);
  }

  const Form& form_;
  Random& random_;
  Case& c_;
  DecodedBytes d_{};
};

}  // namespace

bool generate(const Form& form, Random& random, Case& out) {
  return Generator(form, random, out).run();
}

}  // namespace softvt::oracle
