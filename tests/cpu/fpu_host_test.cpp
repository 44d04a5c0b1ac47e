// Every x87 instruction that computes, on random and special operands under random control words,
// against the host's processor executing the same bytes with the whole state loaded: results,
// exception flags, condition codes, stack faults, and the unmasked responses.
#include <sys/mman.h>

#include <algorithm>
#include <random>

#include "cpu/fpu/environment.h"
#include "tests/cpu/fpu_test_support.h"

namespace softvt::test {
namespace {

constexpr unsigned kImageSize = 108;
constexpr u64 kCompared =
    rflags::CF | rflags::PF | rflags::ZF | rflags::OF | rflags::SF | rflags::AF;

struct HostRun {
  u8 image[kImageSize] = {};
  u64 flags = 0;
  u8 memory[16] = {};
};

// A page that holds the instruction and a return.
class HostCode {
 public:
  HostCode()
      : page_(static_cast<u8*>(mmap(nullptr, kPageSize, PROT_READ | PROT_WRITE | PROT_EXEC,
                                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {}
  ~HostCode() { munmap(page_, kPageSize); }
  HostCode(const HostCode&) = delete;
  HostCode& operator=(const HostCode&) = delete;
  bool available() const { return page_ != MAP_FAILED; }

  // The image has no pending exception; FNSAVE does not wait, so none is ever delivered.
  void run(u8 opcode, u8 modrm, HostRun& r) {
    page_[0] = opcode;
    page_[1] = modrm < 0xc0 ? static_cast<u8>((modrm & 0x38) | 7) : modrm;  // [RDI]
    page_[2] = 0xc3;
    // Memory by registers only: RSP moves below the red zone.
    asm volatile(
        "lea -256(%%rsp), %%rsp\n\t"
        "frstor (%[image])\n\t"
        "push %[flags]\n\tpopfq\n\tcall *%[code]\n\tpushfq\n\tpop %[flags]\n\t"
        "fnsave (%[image])\n\t"
        "lea 256(%%rsp), %%rsp"
        : [flags] "+r"(r.flags)
        : [code] "r"(page_), [image] "r"(r.image), "D"(r.memory)
        : "memory", "cc", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)");
  }

 private:
  u8* page_;
};

class Generator {
 public:
  u64 below(u64 n) { return engine_() % n; }
  u64 word() { return engine_(); }

  X87Reg extended() {
    static constexpr X87Reg kSpecial[] = {
        {0, 0},                        // +0
        {0, 0x8000},                   // -0
        {0x8000000000000000, 0x3fff},  // 1
        {0x8000000000000000, 0xbfff},  // -1
        {0xc000000000000000, 0x4000},  // 3
        {0x8000000000000000, 0x7fff},  // infinity
        {0x8000000000000000, 0xffff},  // -infinity
        {0xc000000000000000, 0xffff},  // indefinite
        {0xc000000000001234, 0x7fff},  // QNaN
        {0x8000000000001234, 0x7fff},  // SNaN
        {0xa000000000001234, 0xffff},  // SNaN
        {0x0000000000000001, 0},       // denormal
        {0x4000000000000123, 0x8000},  // denormal
        {0x8000000000000123, 0},       // pseudo-denormal
        {0x8000000000000000, 1},       // smallest normal
        {0xffffffffffffffff, 0x7ffe},  // largest
        {0x4000000000000000, 0x3fff},  // unnormal
        {0x0000000000000000, 0x7fff},  // pseudo-infinity
        {0x4000000000000000, 0x7fff},  // pseudo-NaN
        {0xc90fdaa22168c235, 0x4000},  // pi
        {0xffffffffffffffff, 0x400d},  // just below 2^15
        {0x8000000000000000, 0x403e},  // 2^63
        {0x8000000000000000, 0x4040},  // 2^65
        {0xde0b6b3a763fffe0, 0x403a},  // below 10^18
        {0xffffffffffffffff, 0x3ffe},  // just below 1
    };
    switch (below(4)) {
      case 0:
        return kSpecial[below(std::size(kSpecial))];
      case 1:  // any exponent
        return {word() | u64{1} << 63, static_cast<u16>(word())};
      case 2:  // the float range and a little beyond
        return {word() | u64{1} << 63,
                static_cast<u16>((0x3fff - 160 + below(320)) | (word() & 0x8000))};
      default:  // near one
        return {word() | u64{1} << 63,
                static_cast<u16>((0x3fff - 12 + below(24)) | (word() & 0x8000))};
    }
  }

  void memory(u8 (&bytes)[16]) {
    const u64 value = word();
    std::memset(bytes, 0, sizeof(bytes));
    switch (below(6)) {
      case 0: {
        const float f = static_cast<float>(static_cast<double>(value % 2000) - 1000.0);
        std::memcpy(bytes, &f, sizeof(f));
        break;
      }
      case 1: {
        const double d = static_cast<double>(value % 2000) / 7.0 - 100.0;
        std::memcpy(bytes, &d, sizeof(d));
        break;
      }
      case 2: {  // zeros, infinities, NaNs, denormals of both formats
        static constexpr u32 kHigh[] = {0,          0x80000000, 0x7f800000, 0xff800000,
                                        0x7fc00001, 0x7f800001, 0x00000001, 0x807fffff,
                                        0x7ff00000, 0x7ff80000, 0x000fffff};
        const u32 high = kHigh[below(std::size(kHigh))];
        const u32 low = below(2) ? high : static_cast<u32>(below(2));
        std::memcpy(bytes, &low, 4);
        std::memcpy(bytes + 4, &high, 4);
        break;
      }
      case 3:  // packed BCD
        for (unsigned i = 0; i < 9; ++i) bytes[i] = static_cast<u8>(below(10) << 4 | below(10));
        bytes[9] = below(2) ? 0x80 : 0;
        break;
      case 4: {  // an extended value
        const X87Reg v = extended();
        fpu::register_to(v, bytes);
        break;
      }
      default:
        std::memcpy(bytes, &value, 8);
        bytes[9] = static_cast<u8>(word());
        break;
    }
  }

  X87State state() {
    X87State s;
    for (X87Reg& v : s.st) v = extended();
    s.tag_valid = below(3) == 0 ? static_cast<u8>(word()) : u8{0x0f};
    const u16 masks = below(2) == 0 ? fpu::fsw::Exceptions : static_cast<u16>(word() & 0x3f);
    constexpr u16 kPrecision[] = {0, 0x200, 0x300, 0x300};
    fpu::set_control(s, static_cast<u16>(masks | kPrecision[below(4)] | (below(4) << 10)));
    s.fsw = static_cast<u16>((word() & masks) | (word() & (fpu::fsw::Codes | fpu::fsw::Top)));
    if (below(3) != 0) fpu::set_top(s, 0);
    return s;
  }

 private:
  std::mt19937_64 engine_{20240301};
};

class HostComparison : public FpuTest {
 protected:
  void encode(u8* image) const {
    fpu::encode_environment(cpu.fpu, fpu::EnvironmentFormat::Protected32, image);
    for (unsigned i = 0; i < 8; ++i) fpu::register_to(fpu::st(cpu.fpu, i), image + 28 + i * 10);
  }

  std::string describe(const u8* image) const {
    char line[512];
    u16 cw, sw, tw;
    std::memcpy(&cw, image, 2);
    std::memcpy(&sw, image + 4, 2);
    std::memcpy(&tw, image + 8, 2);
    int n = std::snprintf(line, sizeof(line), "cw %04x sw %04x tags %04x", cw, sw, tw);
    for (unsigned i = 0; i < 8; ++i) {
      const X87Reg v = fpu::register_from(image + 28 + i * 10);
      n += std::snprintf(line + n, sizeof(line) - static_cast<std::size_t>(n), " %04x:%016llx",
                         v.sign_exponent, static_cast<unsigned long long>(v.significand));
    }
    return line;
  }

  // Codes that the manual leaves undefined for this instruction are not compared.
  static u16 undefined_codes(u8 opcode, u8 modrm);

  bool compare_once(u8 opcode, u8 modrm);

  HostCode code;
  Generator random;
};

u16 HostComparison::undefined_codes(u8 opcode, u8 modrm) {
  using namespace fpu;
  const unsigned reg = (modrm >> 3) & 7;
  if ((opcode == 0xdd || opcode == 0xdf) && modrm >= 0xc0 && reg == 0) return fsw::Codes;  // FFREE
  if (opcode == 0xd9 && modrm == 0xd0) return fsw::Codes;                                  // FNOP
  const bool compares = (opcode != 0xd9 && opcode != 0xdb && opcode != 0xdf && opcode != 0xdd &&
                         (reg == 2 || reg == 3)) ||
                        (opcode == 0xdd && modrm >= 0xe0) || (opcode == 0xda && modrm == 0xe9);
  const bool all_defined =
      compares ||
      (opcode == 0xd9 && (modrm == 0xe4 || modrm == 0xe5 || modrm == 0xf5 || modrm == 0xf8));
  if (all_defined) return 0;
  const bool range = opcode == 0xd9 && (modrm == 0xf2 || modrm == 0xfb || modrm >= 0xfe);
  return range ? fsw::C0 | fsw::C3 : fsw::C0 | fsw::C2 | fsw::C3;
}

bool HostComparison::compare_once(u8 opcode, u8 modrm) {
  HostRun host;
  cpu.fpu = random.state();
  fpu::update_summary(cpu.fpu);
  random.memory(host.memory);
  host.flags = (random.word() & kCompared) | rflags::Fixed1 | rflags::IF;
  cpu.set_arithmetic_flags(host.flags & rflags::Arithmetic);
  put(host.memory, sizeof(host.memory));
  encode(host.image);
  const std::string before = describe(host.image);

  code.run(opcode, modrm, host);
  const Step step = execute(opcode, modrm);
  if (step != Step::Next) {
    ADD_FAILURE() << "not executed";
    return false;
  }
  u8 ours[kImageSize];
  encode(ours);
  const u16 ignored = undefined_codes(opcode, modrm);
  for (u8* image : {ours, host.image}) {
    std::memset(image + 12, 0, 16);  // pointers are tested elsewhere
    image[5] = static_cast<u8>(image[5] & ~(ignored >> 8));
  }
  const bool same_memory = bytes(kOperand, 16) == std::vector<u8>(host.memory, host.memory + 16);
  const bool same_flags = ((cpu.flags() ^ host.flags) & kCompared) == 0;
  const bool same_state = std::memcmp(ours, host.image, kImageSize) == 0;
  EXPECT_TRUE(same_memory && same_flags && same_state)
      << std::hex << unsigned{opcode} << ' ' << unsigned{modrm} << "\nbefore " << before
      << "\nsoftvt " << describe(ours) << "\nhost   " << describe(host.image) << "\nmemory "
      << same_memory << " flags " << cpu.flags() << ' ' << host.flags;
  return same_memory && same_flags && same_state;
}

// Control instructions and those that fault or end the environment are not in here.
bool computes(u8 opcode, u8 modrm) {
  const unsigned reg = (modrm >> 3) & 7;
  if (modrm < 0xc0) {
    if (opcode == 0xd9) return reg != 1 && reg < 4;
    if (opcode == 0xdb) return reg != 4 && reg != 6;
    if (opcode == 0xdd) return reg < 4;
    return true;
  }
  if (opcode == 0xdb && reg == 4) return false;       // FNCLEX, FNINIT, NOPs
  if (opcode == 0xdf && modrm == 0xe0) return false;  // FNSTSW AX
  return true;
}

TEST_F(HostComparison, EveryInstruction) {
  if (!code.available()) GTEST_SKIP() << "no executable page";
  const char* rounds = std::getenv("SOFTVT_FPU_ROUNDS");
  const unsigned count = rounds == nullptr ? 300 : static_cast<unsigned>(std::atoi(rounds));
  unsigned encodings = 0;
  for (unsigned opcode = 0xd8; opcode <= 0xdf; ++opcode) {
    for (unsigned modrm = 0; modrm < 256; ++modrm) {
      if (modrm < 0xc0 && (modrm & 0xc7) != 5) continue;  // one memory form a group
      const u8 op = static_cast<u8>(opcode), rm = static_cast<u8>(modrm);
      if (!computes(op, rm)) continue;
      const u8 shown = rm < 0xc0 ? static_cast<u8>(rm & 0x38) : rm;
      fpu::initialise(cpu.fpu);
      if (execute(op, shown) == Step::Stop) continue;
      ++encodings;
      for (unsigned i = 0; i < count; ++i) {
        if (!compare_once(op, shown)) break;
      }
    }
  }
  constexpr unsigned kMemoryForms = 50, kRegisterForms = 300;
  EXPECT_GT(encodings, kMemoryForms + kRegisterForms);
}

}  // namespace
}  // namespace softvt::test
