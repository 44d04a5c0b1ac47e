#include "tests/host_oracle/compare.h"

#include <cstring>
#include <iomanip>
#include <sstream>

#include "tests/host_oracle/case_text.h"
#include "tests/host_oracle/undefined.h"

namespace softvt::oracle {
namespace {

constexpr u8 kPageFault = 14;
constexpr u32 kErrorPresent = 1;
constexpr unsigned kRcx = 1, kRsi = 6, kRdi = 7;
// Behind the last page that Linux gives to user programs.
constexpr u64 kEndOfUser = 0x7ffffffff000;
// RF is set in the image that a fault saves; that is the matter of delivery.
constexpr u64 kComparedFlags = rflags::Arithmetic | rflags::DF | rflags::TF | rflags::AC |
                               rflags::NT | rflags::ID | rflags::IF;

struct FlagName {
  u64 bit;
  const char* name;
};
constexpr FlagName kFlagNames[] = {{rflags::CF, "CF"}, {rflags::PF, "PF"}, {rflags::AF, "AF"},
                                   {rflags::ZF, "ZF"}, {rflags::SF, "SF"}, {rflags::OF, "OF"},
                                   {rflags::DF, "DF"}, {rflags::TF, "TF"}, {rflags::AC, "AC"},
                                   {rflags::NT, "NT"}, {rflags::ID, "ID"}, {rflags::IF, "IF"}};

class Comparer {
 public:
  Comparer(const Outcome& native, const Outcome& softvt, const Ignored& ignored)
      : native_(native), softvt_(softvt), ignored_(ignored) {}

  std::vector<Difference> run(u64 width) {
    number("vector", native_.vector, softvt_.vector);
    number("error", native_.error & ~ignored_error(), softvt_.error & ~ignored_error());
    number("cr2", native_.cr2 & ~ignored_.cr2, softvt_.cr2 & ~ignored_.cr2);
    number("rip", native_.rip, softvt_.rip);
    for (unsigned i = 0; i < 16 && !ignored_.gpr; ++i) {
      const bool counts = i == kRcx || i == kRsi || i == kRdi;
      const u64 kept = counts ? ~ignored_.string_registers : ~u64{0};
      number(gpr_name(i), native_.gpr[i] & kept & width, softvt_.gpr[i] & kept & width);
    }
    flags(kComparedFlags & ~ignored_.flags);
    floating_point();
    if (!ignored_.memory &&
        std::memcmp(native_.memory.data(), softvt_.memory.data(), kMemorySize) != 0)
      memory();
    return std::move(list_);
  }

 private:
  // Linux reports every fault behind the user's addresses as one of a present page.
  u32 ignored_error() const {
    if (native_.vector != kPageFault) return 0;
    return native_.cr2 >= kEndOfUser || ignored_.cr2 != 0 ? kErrorPresent : 0;
  }

  void number(const std::string& where, u64 native, u64 softvt) {
    if (native == softvt) return;
    std::ostringstream n, s;
    n << std::hex << native;
    s << std::hex << softvt;
    list_.push_back({where, n.str(), s.str()});
  }
  void bytes(const std::string& where, const u8* native, const u8* softvt, unsigned size) {
    if (std::memcmp(native, softvt, size) == 0) return;
    list_.push_back({where, hex_of(native, size), hex_of(softvt, size)});
  }

  void flags(u64 compared) {
    const u64 different = (native_.flags ^ softvt_.flags) & compared;
    if (different == 0) return;
    std::string where = "flags";
    for (const FlagName& f : kFlagNames) {
      if ((different & f.bit) != 0) where += std::string(" ") + f.name;
    }
    number(where, native_.flags & compared, softvt_.flags & compared);
  }

  void floating_point() {
    if (!ignored_.x87) x87();
    number("mxcsr", fx_get<u32>(native_.fx, kFxMxcsr), fx_get<u32>(softvt_.fx, kFxMxcsr));
    for (unsigned i = 0; i < 16; ++i) {
      const unsigned at = kFxXmm + i * kFxStride;
      bytes("xmm" + std::to_string(i), native_.fx.data() + at, softvt_.fx.data() + at, kFxStride);
    }
  }

  void x87() {
    number("fcw", fx_get<u16>(native_.fx, kFxFcw), fx_get<u16>(softvt_.fx, kFxFcw));
    const u16 status = static_cast<u16>(~ignored_.status);
    number("fsw", fx_get<u16>(native_.fx, kFxFsw) & status,
           fx_get<u16>(softvt_.fx, kFxFsw) & status);
    number("ftw", native_.fx[kFxFtw], softvt_.fx[kFxFtw]);
    for (unsigned i = 0; i < 8; ++i) {
      const unsigned at = kFxSt + i * kFxStride;
      bytes("st" + std::to_string(i), native_.fx.data() + at, softvt_.fx.data() + at,
            kExtendedBytes);
    }
  }

  void memory() {
    unsigned first = 0, last = kMemorySize - 1;
    while (native_.memory[first] == softvt_.memory[first]) ++first;
    while (native_.memory[last] == softvt_.memory[last]) --last;
    std::ostringstream where;
    where << "memory " << std::hex << kData + first;
    const unsigned size = std::min(last - first + 1, 32u);
    bytes(where.str(), native_.memory.data() + first, softvt_.memory.data() + first, size);
  }

  const Outcome& native_;
  const Outcome& softvt_;
  const Ignored& ignored_;
  std::vector<Difference> list_;
};

// AddressSanitizer maps its shadow memory from 0x7fff8000 on, so in its builds the native side has
// pages where a 32-bit address finds none in softvt.
bool meets_sanitizer_memory([[maybe_unused]] const Case& c,
                            [[maybe_unused]] const Outcome& softvt) {
#ifdef __SANITIZE_ADDRESS__
  constexpr u64 kShadow = 0x7fff0000;
  return c.compat && softvt.vector == kPageFault && softvt.cr2 >= kShadow;
#else
  return false;
#endif
}

}  // namespace

std::vector<Difference> compare(const Case& c, const DecodedBytes& d, const Outcome& native,
                                const Outcome& softvt) {
  const Ignored ignored = ignored_parts(d, c, native, softvt);
  if (ignored.everything || meets_sanitizer_memory(c, softvt)) return {};
  return Comparer(native, softvt, ignored).run(c.compat ? 0xffffffff : ~u64{0});
}

}  // namespace softvt::oracle
