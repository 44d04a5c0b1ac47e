#include "kvm/hypercalls.h"

#include <cstdio>
#include <cstring>

#include "cpu/apic/local_apic.h"
#include "kvm/vcpu.h"
#include "kvm/vm.h"

namespace softvt::kvm {
namespace {

using Request = HypercallRequest;

i64 nothing_to_do(const Request&) { return 0; }

// a0 flags (none is defined), a1 APIC id. An unknown id is no error.
i64 kick_cpu(const Request& request) {
  if (request.vcpu == nullptr) return 0;
  Vcpu* target = request.vcpu->vm().vcpu_by_apic_id(static_cast<u32>(request.arguments[1]));
  if (target != nullptr) target->unhalt();
  return 0;
}

// a0 guest-physical address of the answer, a1 the kind of clock: 0 is the wall clock.
i64 clock_pairing(const Request& request) {
  if (request.vcpu == nullptr || request.arguments[1] != 0) return hypercall_error::kNotSupported;
  constexpr u64 kNanos = 1'000'000'000;
  struct Pairing {
    i64 sec, nsec;
    u64 tsc;
    u32 flags;
    u32 pad[9];
  };
  static_assert(sizeof(Pairing) == 64);
  Vm& vm = request.vcpu->vm();
  const u64 now = request.vcpu->nanos();
  const Pairing answer{static_cast<i64>(vm.options().boot_time_s + now / kNanos),
                       static_cast<i64>(now % kNanos),
                       request.vcpu->guest_tsc(),
                       0,
                       {}};
  return vm.write_guest(request.arguments[0], &answer, sizeof answer) ? 0 : hypercall_error::kFault;
}

// a0, a1: bitmap of targets; a2: APIC id of its bit 0; a3: the low half of an ICR value. Returns
// how many got it. Without local APICs nobody could: the number is then as good as unknown.
i64 send_ipi(const Request& request) {
  constexpr u64 kDestinationBits = 0xc0800;  // logical destination, shorthand
  if (request.vcpu == nullptr || request.vcpu->apic() == nullptr) {
    return hypercall_error::kNoSystemCall;
  }
  const u64 icr = request.arguments[3];
  if ((icr & kDestinationBits) != 0) return hypercall_error::kInvalid;
  const unsigned width = request.wide ? 64 : 32;
  i64 delivered = 0;
  for (unsigned bit = 0; bit < 2 * width; ++bit) {
    if ((request.arguments[bit / width] >> (bit % width) & 1) == 0) continue;
    Vcpu* target = request.vcpu->vm().vcpu_by_apic_id(static_cast<u32>(request.arguments[2] + bit));
    if (target == nullptr || target->apic() == nullptr) continue;
    InterruptMessage message;
    message.destination = target->apic_id();
    message.mode = static_cast<DeliveryMode>((icr >> 8) & 7);
    message.vector = static_cast<u8>(icr);
    target->apic()->receive(message);
    ++delivered;
  }
  return delivered;
}

// Not offered: user space would have to ask for it with KVM_ENABLE_CAP.
i64 not_enabled(const Request&) { return hypercall_error::kNoSystemCall; }

constexpr HypercallRow kRows[] = {
    {1, "KVM_HC_VAPIC_POLL_IRQ", nothing_to_do},
    {2, "KVM_HC_MMU_OP", nullptr},
    {3, "KVM_HC_FEATURES", nullptr},
    {4, "KVM_HC_PPC_MAP_MAGIC_PAGE", nullptr},
    {5, "KVM_HC_KICK_CPU", kick_cpu},
    {6, "KVM_HC_MIPS_GET_CLOCK_FREQ", nullptr},
    {7, "KVM_HC_MIPS_EXIT_VM", nullptr},
    {8, "KVM_HC_MIPS_CONSOLE_OUTPUT", nullptr},
    {9, "KVM_HC_CLOCK_PAIRING", clock_pairing},
    {10, "KVM_HC_SEND_IPI", send_ipi},
    {11, "KVM_HC_SCHED_YIELD", nothing_to_do},  // vcpus take turns anyway
    {12, "KVM_HC_MAP_GPA_RANGE", not_enabled},
};

struct ErrorRow {
  i64 value;
  std::string_view name;
};
constexpr ErrorRow kErrors[] = {
    {hypercall_error::kPermission, "-KVM_EPERM"},
    {hypercall_error::kFault, "-KVM_EFAULT"},
    {hypercall_error::kInvalid, "-KVM_EINVAL"},
    {hypercall_error::kNotSupported, "-KVM_EOPNOTSUPP"},
    {hypercall_error::kNoSystemCall, "-KVM_ENOSYS"},
};

Request make_request(const HypercallRegisters& r, bool wide, unsigned cpl, Vcpu* vcpu) {
  const u64 mask = wide ? ~u64{0} : 0xffffffff;
  return {r.rax & mask, {r.rbx & mask, r.rcx & mask, r.rdx & mask, r.rsi & mask}, wide, cpl, vcpu};
}

}  // namespace

std::span<const HypercallRow> kvm_hypercall_rows() { return kRows; }

std::string_view hypercall_error_name(i64 result) {
  for (const ErrorRow& row : kErrors) {
    if (row.value == result) return row.name;
  }
  return {};
}

std::string_view convention_name(Convention convention) {
  return convention == Convention::Kvm ? "kvm" : "palacios";
}

void HypercallRegistry::add_kvm_rows() {
  for (const HypercallRow& row : kRows) {
    HypercallFunction function = row.function != nullptr ? row.function : not_enabled;
    entries_[row.number] = {std::string(row.name), Convention::Kvm, std::move(function)};
  }
}

bool HypercallRegistry::register_hypercall(u64 number, std::string name, HypercallFunction function,
                                           Convention convention, std::string& error) {
  if (const Entry* taken = find(number)) {
    char text[24];
    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(number));
    error = "hypercall " + std::string(text) + " cannot be '" + name + "': it is '" + taken->name +
            "' already";
    return false;
  }
  entries_[number] = {std::move(name), convention, std::move(function)};
  return true;
}

const HypercallRegistry::Entry* HypercallRegistry::find(u64 number) const {
  const auto found = entries_.find(number);
  return found == entries_.end() ? nullptr : &found->second;
}

HypercallOutcome do_hypercall(const HypercallRegistry& registry,
                              const HypercallRegisters& registers, bool wide, unsigned cpl,
                              Vcpu* vcpu) {
  HypercallOutcome outcome;
  outcome.request = make_request(registers, wide, cpl, vcpu);
  outcome.entry = registry.find(outcome.request.number);
  outcome.allowed = cpl == 0;
  outcome.result = !outcome.allowed           ? hypercall_error::kPermission
                   : outcome.entry == nullptr ? hypercall_error::kNoSystemCall
                                              : outcome.entry->function(outcome.request);
  outcome.rax = static_cast<u64>(outcome.result) & (wide ? ~u64{0} : 0xffffffff);
  return outcome;
}

i64 palacios_demo(const HypercallRequest& request) {
  return static_cast<i64>(request.arguments[0] + 2 * request.arguments[1]);
}

}  // namespace softvt::kvm
