// VMCALL, VMMCALL, and #UD by the hypercall instruction of the other vendor.
#include <array>
#include <cstring>

#include "kvm/exit_handlers.h"
#include "kvm/vm.h"

namespace softvt::kvm {
namespace {

using HypercallBytes = std::array<u8, kHypercallLength>;
constexpr HypercallBytes kVmcall{0x0f, 0x01, 0xc1};
constexpr HypercallBytes kVmmcall{0x0f, 0x01, 0xd9};

const HypercallBytes& native_hypercall(Vendor vendor) {
  return vendor == Vendor::Vmx ? kVmcall : kVmmcall;
}

void tell_hypercall(Vcpu& vcpu, const HypercallOutcome& outcome, u64 rax_before) {
  trace::Hypercall told;
  if (outcome.entry != nullptr) told.name = outcome.entry->name;
  const Convention convention =
      outcome.entry != nullptr ? outcome.entry->convention : Convention::Kvm;
  told.convention = convention_name(convention);
  told.number = outcome.request.number;
  told.arguments = outcome.request.arguments;
  told.masked = !outcome.request.wide;
  told.cpl = outcome.request.cpl;
  told.allowed = outcome.allowed;
  told.result = outcome.result;
  told.result_name = hypercall_error_name(outcome.result);
  vcpu.tell(std::move(told));
  const u64 rip = vcpu.rip();
  const u64 next = rip + kHypercallLength;
  vcpu.tell(
      trace::Writeback{rax_before, outcome.rax, rip, vcpu.code64() ? next : next & 0xffffffff});
}

// What the foreign instruction does on a processor that has it, before it is rewritten: VMCALL is
// privileged, VMMCALL needs protected mode. True: a fault was injected instead.
bool refuse_foreign(Vcpu& vcpu, Vendor foreign) {
  if (foreign == Vendor::Vmx && vcpu.cpl() != 0) {
    vcpu.inject(Vector::GP, 0);
    return true;
  }
  if (foreign == Vendor::Svm && (!vcpu.protected_mode() || vcpu.v86())) {
    vcpu.inject(Vector::UD);
    return true;
  }
  return false;
}

// Puts the native instruction in its place, as a write of the guest at its present CPL, so that
// read-only text faults; the guest executes it next.
void rewrite(Vcpu& vcpu, const u8* before) {
  const HypercallBytes& after = native_hypercall(vcpu.vm().vendor());
  Vcpu::PageFault fault;
  const bool written = vcpu.write_linear(vcpu.linear_rip(), after.data(), kHypercallLength, fault);
  if (!written) vcpu.inject_page_fault(fault.linear, fault.error);
  if (!vcpu.tracing()) return;
  trace::Rewrite told;
  told.rip = vcpu.rip();
  std::memcpy(told.before.data(), before, kHypercallLength);
  told.after = after;
  told.result = written ? "written" : "#PF for the guest: the page is not writable";
  vcpu.tell(std::move(told));
}

Handled handle_undefined_opcode(Vcpu& vcpu) {
  u8 bytes[15];
  const unsigned count = vcpu.fetch_instruction(bytes);
  const std::optional<Vendor> foreign = hypercall_vendor(bytes, count);
  if (!foreign || *foreign == vcpu.vm().vendor() || !vcpu.vm().options().fix_hypercall_insn) {
    vcpu.inject(Vector::UD);
  } else if (!refuse_foreign(vcpu, *foreign)) {
    rewrite(vcpu, bytes);
  }
  return Handled::Resume;
}

}  // namespace

std::optional<Vendor> hypercall_vendor(const u8* bytes, unsigned count) {
  if (count < kHypercallLength) return std::nullopt;
  if (std::memcmp(bytes, kVmcall.data(), kHypercallLength) == 0) return Vendor::Vmx;
  if (std::memcmp(bytes, kVmmcall.data(), kHypercallLength) == 0) return Vendor::Svm;
  return std::nullopt;
}

Handled handle_hypercall(Vcpu& vcpu, const Exit&) {
  const HypercallRegisters registers{vcpu.gpr(RAX), vcpu.gpr(RBX), vcpu.gpr(RCX), vcpu.gpr(RDX),
                                     vcpu.gpr(RSI)};
  const HypercallOutcome outcome =
      do_hypercall(vcpu.vm().hypercalls(), registers, vcpu.code64(), vcpu.cpl(), &vcpu);
  if (vcpu.tracing()) tell_hypercall(vcpu, outcome, registers.rax);
  vcpu.set_gpr(RAX, outcome.rax);
  vcpu.skip_instruction(kHypercallLength);
  return Handled::Resume;
}

Handled handle_exception(Vcpu& vcpu, const Exit& exit) {
  if (exit.exception.type == EventType::Nmi) return Handled::Resume;
  if (exit.exception.vector == static_cast<u8>(Vector::UD)) return handle_undefined_opcode(vcpu);
  return vcpu.internal_error("VM exit by exception " + std::to_string(exit.exception.vector) +
                             ", which the layer does not intercept");
}

}  // namespace softvt::kvm
