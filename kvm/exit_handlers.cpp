#include "kvm/exit_handlers.h"

#include <algorithm>

#include "svm/exit_codes.h"
#include "vmx/exit_reasons.h"

namespace softvt::kvm {
namespace {

// One row: the name is the function's.
#define SOFTVT_HANDLER(code, function) \
  ExitHandlerRow { static_cast<u64>(code), #function, function }

using V = vmx::ExitReason;

// In order of code.
constexpr ExitHandlerRow kVmxExitHandlers[] = {
    SOFTVT_HANDLER(V::ExceptionOrNmi, handle_exception),
    SOFTVT_HANDLER(V::ExternalInterrupt, handle_external_interrupt),
    SOFTVT_HANDLER(V::TripleFault, handle_triple_fault),
    SOFTVT_HANDLER(V::InterruptWindow, handle_window),
    SOFTVT_HANDLER(V::NmiWindow, handle_window),
    SOFTVT_HANDLER(V::TaskSwitch, handle_task_switch),
    SOFTVT_HANDLER(V::Cpuid, handle_cpuid),
    SOFTVT_HANDLER(V::Getsec, handle_undefined),
    SOFTVT_HANDLER(V::Hlt, handle_halt),
    SOFTVT_HANDLER(V::Invd, handle_nothing),
    SOFTVT_HANDLER(V::Vmcall, handle_hypercall),
    SOFTVT_HANDLER(V::Vmclear, handle_undefined),
    SOFTVT_HANDLER(V::Vmlaunch, handle_undefined),
    SOFTVT_HANDLER(V::Vmptrld, handle_undefined),
    SOFTVT_HANDLER(V::Vmptrst, handle_undefined),
    SOFTVT_HANDLER(V::Vmread, handle_undefined),
    SOFTVT_HANDLER(V::Vmresume, handle_undefined),
    SOFTVT_HANDLER(V::Vmwrite, handle_undefined),
    SOFTVT_HANDLER(V::Vmxoff, handle_undefined),
    SOFTVT_HANDLER(V::Vmxon, handle_undefined),
    SOFTVT_HANDLER(V::ControlRegisterAccess, handle_cr_access),
    SOFTVT_HANDLER(V::IoInstruction, handle_io),
    SOFTVT_HANDLER(V::Rdmsr, handle_msr_read),
    SOFTVT_HANDLER(V::Wrmsr, handle_msr_write),
    SOFTVT_HANDLER(V::EntryInvalidGuestState, handle_invalid_state),
    SOFTVT_HANDLER(V::EntryMsrLoading, handle_invalid_state),
    SOFTVT_HANDLER(V::Mwait, handle_undefined),
    SOFTVT_HANDLER(V::Monitor, handle_undefined),
    SOFTVT_HANDLER(V::EptViolation, handle_memory_fault),
    SOFTVT_HANDLER(V::Invept, handle_undefined),
    SOFTVT_HANDLER(V::Invvpid, handle_undefined),
    SOFTVT_HANDLER(V::Wbinvd, handle_nothing),
    SOFTVT_HANDLER(V::Xsetbv, handle_xsetbv),
    SOFTVT_HANDLER(V::Vmfunc, handle_undefined),
};

using S = svm::ExitCode;

constexpr ExitHandlerRow kSvmExitHandlers[] = {
    SOFTVT_HANDLER(svm::plus(S::ReadCr0, 8), handle_cr_access),
    SOFTVT_HANDLER(svm::plus(S::WriteCr0, 8), handle_cr_access),
    SOFTVT_HANDLER(svm::plus(S::Exception0, 6), handle_exception),
    SOFTVT_HANDLER(S::Intr, handle_external_interrupt),
    SOFTVT_HANDLER(S::Nmi, handle_exception),
    SOFTVT_HANDLER(S::Vintr, handle_window),
    SOFTVT_HANDLER(S::Cpuid, handle_cpuid),
    SOFTVT_HANDLER(S::Iret, handle_window),
    SOFTVT_HANDLER(S::Invd, handle_nothing),
    SOFTVT_HANDLER(S::Hlt, handle_halt),
    SOFTVT_HANDLER(S::Invlpga, handle_undefined),
    SOFTVT_HANDLER(S::Ioio, handle_io),
    SOFTVT_HANDLER(S::Msr, handle_msr),
    SOFTVT_HANDLER(S::TaskSwitch, handle_task_switch),
    SOFTVT_HANDLER(S::Shutdown, handle_triple_fault),
    SOFTVT_HANDLER(S::Vmrun, handle_undefined),
    SOFTVT_HANDLER(S::Vmmcall, handle_hypercall),
    SOFTVT_HANDLER(S::Vmload, handle_undefined),
    SOFTVT_HANDLER(S::Vmsave, handle_undefined),
    SOFTVT_HANDLER(S::Stgi, handle_undefined),
    SOFTVT_HANDLER(S::Clgi, handle_undefined),
    SOFTVT_HANDLER(S::Skinit, handle_undefined),
    SOFTVT_HANDLER(S::Wbinvd, handle_nothing),
    SOFTVT_HANDLER(S::Monitor, handle_undefined),
    SOFTVT_HANDLER(S::Mwait, handle_undefined),
    SOFTVT_HANDLER(S::Xsetbv, handle_xsetbv),
    SOFTVT_HANDLER(S::Npf, handle_memory_fault),
    SOFTVT_HANDLER(S::Invalid, handle_invalid_state),
};
#undef SOFTVT_HANDLER

constexpr bool by_code(const ExitHandlerRow& a, const ExitHandlerRow& b) { return a.code < b.code; }
static_assert(std::is_sorted(std::begin(kVmxExitHandlers), std::end(kVmxExitHandlers), by_code));
static_assert(std::is_sorted(std::begin(kSvmExitHandlers), std::end(kSvmExitHandlers), by_code));

}  // namespace

std::span<const ExitHandlerRow> exit_handlers(Vendor vendor) {
  if (vendor == Vendor::Vmx) return kVmxExitHandlers;
  return kSvmExitHandlers;
}

const ExitHandlerRow* find_exit_handler(Vendor vendor, u64 code) {
  const auto rows = exit_handlers(vendor);
  const auto found =
      std::lower_bound(rows.begin(), rows.end(), ExitHandlerRow{code, {}, nullptr}, by_code);
  return found != rows.end() && found->code == code ? &*found : nullptr;
}

std::string_view exit_handler_table_name(Vendor vendor) {
  return vendor == Vendor::Vmx ? "kVmxExitHandlers" : "kSvmExitHandlers";
}

bool may_be_hypercall(Vendor vendor, const Exit& exit) {
  const u64 own = vendor == Vendor::Vmx ? static_cast<u64>(vmx::ExitReason::Vmcall)
                                        : static_cast<u64>(svm::ExitCode::Vmmcall);
  if (exit.code == own) return true;
  const ExitHandlerRow* row = find_exit_handler(vendor, exit.code);
  return row != nullptr && row->handler == handle_exception &&
         exit.exception.vector == static_cast<u8>(Vector::UD);
}

}  // namespace softvt::kvm
