// Hypercalls: which numbers there are, and the rules that hold for all of them.
//
// Number in RAX, arguments in RBX RCX RDX RSI, result in RAX. Outside 64-bit mode all of them are
// 32 bits wide. Only CPL 0 may call. Linux: Documentation/virt/kvm/x86/hypercalls.rst.
#pragma once
#include <array>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "cpu/types.h"

namespace softvt::kvm {

class Vcpu;

// Errors that a hypercall returns. Linux: include/uapi/linux/kvm_para.h.
namespace hypercall_error {
constexpr i64 kPermission = -1;       // KVM_EPERM
constexpr i64 kFault = -14;           // KVM_EFAULT
constexpr i64 kInvalid = -22;         // KVM_EINVAL
constexpr i64 kNotSupported = -95;    // KVM_EOPNOTSUPP
constexpr i64 kNoSystemCall = -1000;  // KVM_ENOSYS
}  // namespace hypercall_error
std::string_view hypercall_error_name(i64 result);  // "-KVM_EPERM"; empty if it is none of them

// Whose calling convention a number belongs to. Registers are the same; Palacios has no numbers of
// its own: everything is registered by the embedder.
enum class Convention : u8 { Kvm, Palacios };
std::string_view convention_name(Convention convention);

// What the guest asks, masked to the width of its mode.
struct HypercallRequest {
  u64 number = 0;
  std::array<u64, 4> arguments{};
  bool wide = true;  // 64-bit mode
  unsigned cpl = 0;
  Vcpu* vcpu = nullptr;
};

using HypercallFunction = std::function<i64(const HypercallRequest&)>;

struct HypercallRow {
  u64 number;
  std::string_view name;
  i64 (*function)(const HypercallRequest&);  // null: the number is taken, nothing answers on x86
};
std::span<const HypercallRow> kvm_hypercall_rows();

class HypercallRegistry {
 public:
  struct Entry {
    std::string name;
    Convention convention;
    HypercallFunction function;
  };

  void add_kvm_rows();
  // False, and a line in `error` that names both, if the number is taken.
  bool register_hypercall(u64 number, std::string name, HypercallFunction function,
                          Convention convention, std::string& error);
  const Entry* find(u64 number) const;

 private:
  std::map<u64, Entry> entries_;
};

// RAX, RBX, RCX, RDX, RSI as the guest has them.
struct HypercallRegisters {
  u64 rax = 0, rbx = 0, rcx = 0, rdx = 0, rsi = 0;
};

struct HypercallOutcome {
  HypercallRequest request;
  const HypercallRegistry::Entry* entry = nullptr;  // null: unknown number
  bool allowed = true;
  i64 result = 0;
  u64 rax = 0;  // what RAX becomes
};

// All rules in one place: masks, privilege, look-up, call, width of the result.
HypercallOutcome do_hypercall(const HypercallRegistry& registry,
                              const HypercallRegisters& registers, bool wide, unsigned cpl,
                              Vcpu* vcpu);

// A registered example, number kPalaciosDemo: a0 + 2 * a1.
constexpr u64 kPalaciosDemo = 0x2000;
i64 palacios_demo(const HypercallRequest& request);

}  // namespace softvt::kvm
