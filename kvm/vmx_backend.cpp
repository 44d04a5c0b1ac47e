// The vendor half on VMX: one VMCS for the vcpu. SDM 3C chapters 25 to 31.
#include <cstring>
#include <memory>

#include "cpu/msr/platform.h"
#include "kvm/backend.h"
#include "kvm/describe.h"
#include "kvm/guest_msrs.h"
#include "kvm/vm.h"
#include "vmx/extension.h"

namespace softvt::kvm {
namespace {

using vmx::Control;
using vmx::ControlGroup;
using vmx::Field;

// Bits of CR0 and CR4 that the guest may change without the layer. SDM 3C 25.6.6.
constexpr u64 kGuestCr0 = cr0::TS;
constexpr u64 kGuestCr4 =
    cr4::VME | cr4::PVI | cr4::TSD | cr4::DE | cr4::PCE | cr4::OSFXSR | cr4::OSXMMEXCPT;
constexpr u32 kValid = u32{1} << 31;
constexpr u16 kVpid = 1;

// Guest interruptibility state. SDM 3C 25.4.2, table 25-3.
namespace blocking {
constexpr u64 Sti = 1 << 0, MovSs = 1 << 1, Nmi = 1 << 3;
}

// The MSRs that tell which settings a control field may have. SDM 3D A.3 to A.5.
struct ControlMsr {
  ControlGroup group;
  Field field;
  u32 msr;
};
constexpr ControlMsr kControlMsrs[] = {
    {ControlGroup::Pin, Field::PIN_BASED_VM_EXEC_CONTROL, 0x48d},
    {ControlGroup::Primary, Field::CPU_BASED_VM_EXEC_CONTROL, 0x48e},
    {ControlGroup::Secondary, Field::SECONDARY_VM_EXEC_CONTROL, 0x48b},
    {ControlGroup::Exit, Field::VM_EXIT_CONTROLS, 0x48f},
    {ControlGroup::Entry, Field::VM_ENTRY_CONTROLS, 0x490},
};

constexpr Control kRequired[] = {
    Control::ExternalInterruptExiting,
    Control::NmiExiting,
    Control::VirtualNmis,
    Control::HltExiting,
    Control::UnconditionalIoExiting,
    Control::MsrBitmaps,
    Control::SecondaryControls,
    Control::TscOffsetting,
    Control::Cr8LoadExiting,
    Control::Cr8StoreExiting,
    Control::MwaitExiting,
    Control::MonitorExiting,
    Control::EnableEpt,
    Control::UnrestrictedGuest,
    Control::EnableVpid,
    Control::WbinvdExiting,
    Control::HostAddressSpaceSize,
    Control::SaveGuestEfer,
    Control::LoadHostEfer,
    Control::SaveGuestPat,
    Control::LoadHostPat,
    Control::SaveDebugControls,
    Control::LoadGuestEfer,
    Control::LoadGuestPat,
    Control::LoadDebugControls,
};
// Taken if the processor has them: without, the instruction raises #UD in the guest.
constexpr Control kOptional[] = {Control::EnableRdtscp, Control::EnableInvpcid,
                                 Control::EnableXsaves};

struct SegmentFields {
  Field selector, base, limit, rights;
};
// By Seg.
constexpr SegmentFields kSegments[] = {
    {Field::GUEST_ES_SELECTOR, Field::GUEST_ES_BASE, Field::GUEST_ES_LIMIT,
     Field::GUEST_ES_AR_BYTES},
    {Field::GUEST_CS_SELECTOR, Field::GUEST_CS_BASE, Field::GUEST_CS_LIMIT,
     Field::GUEST_CS_AR_BYTES},
    {Field::GUEST_SS_SELECTOR, Field::GUEST_SS_BASE, Field::GUEST_SS_LIMIT,
     Field::GUEST_SS_AR_BYTES},
    {Field::GUEST_DS_SELECTOR, Field::GUEST_DS_BASE, Field::GUEST_DS_LIMIT,
     Field::GUEST_DS_AR_BYTES},
    {Field::GUEST_FS_SELECTOR, Field::GUEST_FS_BASE, Field::GUEST_FS_LIMIT,
     Field::GUEST_FS_AR_BYTES},
    {Field::GUEST_GS_SELECTOR, Field::GUEST_GS_BASE, Field::GUEST_GS_LIMIT,
     Field::GUEST_GS_AR_BYTES},
    {Field::GUEST_LDTR_SELECTOR, Field::GUEST_LDTR_BASE, Field::GUEST_LDTR_LIMIT,
     Field::GUEST_LDTR_AR_BYTES},
    {Field::GUEST_TR_SELECTOR, Field::GUEST_TR_BASE, Field::GUEST_TR_LIMIT,
     Field::GUEST_TR_AR_BYTES},
};

class VmxBackend final : public VendorBackend {
 public:
  explicit VmxBackend(HostProcessor& host) : VendorBackend(host), cpu_(host.cpu()) {}
  ~VmxBackend() override {
    if (own_ != nullptr) cpu_.vmx = nullptr;
  }

  bool init(Vm& vm, std::string& error) override;
  bool enter() override;
  const std::string& failure() const override { return failure_; }
  u64 failure_code() const override { return failure_code_; }
  Exit read_exit() override;

  u64 gpr(unsigned number) const override {
    return number == RSP ? read(Field::GUEST_RSP) : cpu_.r[number];
  }
  void set_gpr(unsigned number, u64 value) override {
    if (number == RSP) return write(Field::GUEST_RSP, value);
    cpu_.r[number] = value;
  }
  u64 get(GuestField field) const override;
  void set(GuestField field, u64 value) override;
  Segment segment(Seg seg) const override;
  void set_segment(Seg seg, const Segment& value) override;
  DescriptorTable table(bool idt) const override;
  void set_table(bool idt, const DescriptorTable& value) override;
  unsigned cpl() const override;
  void set_pdptes(const std::array<u64, 4>& values) override;

  bool interrupt_shadow() const override {
    return (read(Field::GUEST_INTERRUPTIBILITY_INFO) & (blocking::Sti | blocking::MovSs)) != 0;
  }
  void clear_interrupt_shadow() override {
    change(Field::GUEST_INTERRUPTIBILITY_INFO, blocking::Sti | blocking::MovSs, false);
  }
  bool nmi_blocked() const override {
    return (read(Field::GUEST_INTERRUPTIBILITY_INFO) & blocking::Nmi) != 0;
  }
  void inject(const Event& event, u8 insn_length) override;
  bool injection_pending() const override {
    return (read(Field::VM_ENTRY_INTR_INFO) & kValid) != 0;
  }
  void set_interrupt_window(bool on) override { change(Control::InterruptWindowExiting, on); }
  void set_nmi_window(bool on) override { change(Control::NmiWindowExiting, on); }
  void add_tsc_offset(u64 delta) override { write(Field::TSC_OFFSET, tsc_offset() + delta); }
  u64 tsc_offset() const override { return read(Field::TSC_OFFSET); }
  void flush_guest_tlb() override {
    cpu_.vmx->invvpid(cpu_, static_cast<u64>(vmx::InvvpidType::SingleContext), kVpid, 0);
  }

  trace::VmExit describe_exit() const override;
  trace::VmEntry describe_entry() const override;

 private:
  u64 read(Field field) const {
    u64 value = 0;
    cpu_.vmx->vmread(cpu_, field, value);
    return value;
  }
  void write(Field field, u64 value) { cpu_.vmx->vmwrite(cpu_, field, value); }
  void change(Field field, u64 bits, bool on) {
    const u64 old = read(field);
    const u64 now = on ? old | bits : old & ~bits;
    if (now != old) write(field, now);
  }
  void change(Control control, bool on) {
    for (const ControlMsr& row : kControlMsrs) {
      if (row.group == group_of(control)) change(row.field, bit_of(control), on);
    }
  }

  bool start_vmx(std::string& error);
  bool prepare_region(u64 pa);
  bool write_controls(std::string& error);
  void write_host_state();
  bool write_bitmaps();
  void decode_io(u64 qualification, Exit::Io& io) const;

  Cpu& cpu_;
  std::unique_ptr<vmx::VmxExtension> own_;  // where the machine did not bring one
  u64 vmcs_ = 0;
  bool launched_ = false;
  std::string failure_;
  u64 failure_code_ = 0;
};

// ---- start -------------------------------------------------------------------------------------

bool VmxBackend::prepare_region(u64 pa) {
  u64 basic = 0;
  if (pa == 0 || !host_.rdmsr(0x480, basic)) return false;
  const u32 revision = static_cast<u32>(basic) & 0x7fffffff;
  return host_.memory().physical().write(pa, &revision, sizeof revision);
}

// SDM 3C 24.7 "Enabling and Entering VMX Operation".
bool VmxBackend::start_vmx(std::string& error) {
  constexpr u32 kFeatureControl = 0x3a;
  u64 control = 0;
  if (!host_.rdmsr(kFeatureControl, control)) {
    error = "the processor has no IA32_FEATURE_CONTROL";
    return false;
  }
  constexpr u64 kLockedOn = feature_control::kLock | feature_control::kVmxOutsideSmx;
  if ((control & feature_control::kLock) == 0) host_.wrmsr(kFeatureControl, kLockedOn);
  host_.set_cr4(host_.state().cr4 | cr4::VMXE);
  const u64 vmxon = host_.memory().allocate_page();
  vmcs_ = host_.memory().allocate_page();
  if (!prepare_region(vmxon) || !prepare_region(vmcs_)) {
    error = "no page is left for the VMCS";
    return false;
  }
  if (!cpu_.vmx->vmxon(cpu_, vmxon).ok() || !cpu_.vmx->vmclear(cpu_, vmcs_).ok() ||
      !cpu_.vmx->vmptrld(cpu_, vmcs_).ok()) {
    error = "VMXON, VMCLEAR or VMPTRLD failed";
    return false;
  }
  return true;
}

bool VmxBackend::write_controls(std::string& error) {
  u32 values[vmx::kControlGroups] = {};
  for (const Control control : kRequired) {
    values[static_cast<unsigned>(group_of(control))] |= bit_of(control);
  }
  for (const ControlMsr& row : kControlMsrs) {
    u64 limits = 0;
    if (!host_.rdmsr(row.msr, limits)) {
      error = "the processor has no VMX capability MSRs";
      return false;
    }
    const auto allowed0 = static_cast<u32>(limits);
    const auto allowed1 = static_cast<u32>(limits >> 32);
    u32& value = values[static_cast<unsigned>(row.group)];
    value |= allowed0;
    for (const Control control : kOptional) {
      if (group_of(control) == row.group) value |= bit_of(control) & allowed1;
    }
    if ((value & ~allowed1) != 0) {
      error = "the processor lacks a VMX control that the layer needs: " +
              std::string(vmx::group_name(row.group)) + " allows " + vmx::hex(allowed1) +
              ", needed are " + vmx::hex(value);
      return false;
    }
    write(row.field, value);
  }
  return true;
}

void VmxBackend::write_host_state() {
  const HostState& s = host_.state();
  write(Field::HOST_CR0, s.cr0);
  write(Field::HOST_CR3, s.cr3);
  write(Field::HOST_CR4, s.cr4);
  write(Field::HOST_IA32_EFER, s.efer);
  u64 pat = 0;
  host_.rdmsr(0x277, pat);
  write(Field::HOST_IA32_PAT, pat);
  write(Field::GUEST_IA32_PAT, pat);
  write(Field::HOST_CS_SELECTOR, s.cs);
  for (const Field f : {Field::HOST_SS_SELECTOR, Field::HOST_DS_SELECTOR, Field::HOST_ES_SELECTOR,
                        Field::HOST_FS_SELECTOR, Field::HOST_GS_SELECTOR}) {
    write(f, s.data);
  }
  write(Field::HOST_TR_SELECTOR, s.tr);
  write(Field::HOST_TR_BASE, s.tr_base);
  write(Field::HOST_GDTR_BASE, s.gdt_base);
  write(Field::HOST_IDTR_BASE, s.idt_base);
  write(Field::HOST_RSP, s.rsp);
  write(Field::HOST_RIP, s.rip);
}

// SDM 3C 25.6.9 "MSR-Bitmap Address": reads, then writes; low MSRs, then high ones.
bool VmxBackend::write_bitmaps() {
  const u64 page = host_.memory().allocate_page();
  if (page == 0) return false;
  std::array<u8, kPageSize> bits;
  bits.fill(0xff);
  for (const GuestMsrRow& row : guest_msr_rows()) {
    if (!row.passthrough) continue;
    for (u32 index = row.first; index <= row.last; ++index) {
      const unsigned base = index >= 0xc0000000 ? 0x400 : 0;
      const unsigned bit = index & 0x1fff;
      const u8 mask = static_cast<u8>(~(1u << (bit & 7)));
      bits[base + bit / 8] &= mask;
      bits[base + 0x800 + bit / 8] &= mask;
    }
  }
  host_.memory().physical().write(page, bits.data(), bits.size());
  write(Field::MSR_BITMAP, page);
  return true;
}

bool VmxBackend::init(Vm& vm, std::string& error) {
  if (!cpu_.has(Feature::Vmx)) {
    error = "the CPU model has no VMX";
    return false;
  }
  if (cpu_.vmx == nullptr) {
    own_ = std::make_unique<vmx::VmxExtension>(cpu_);
    cpu_.vmx = own_.get();
  }
  cpu_.vmx->on_entry_failure = [this](const std::string& report) { failure_ = report; };
  if (!start_vmx(error) || !write_controls(error)) return false;
  if (!write_bitmaps()) {
    error = "no page is left for the MSR bitmap";
    return false;
  }
  write_host_state();
  constexpr u64 kWriteBack = 6, kWalk4 = 3 << 3;
  write(Field::EPT_POINTER, vm.second_stage_root() | kWriteBack | kWalk4);
  write(Field::VIRTUAL_PROCESSOR_ID, kVpid);
  write(Field::EXCEPTION_BITMAP, 1u << static_cast<unsigned>(Vector::UD));
  write(Field::CR0_GUEST_HOST_MASK, ~kGuestCr0);
  write(Field::CR4_GUEST_HOST_MASK, ~kGuestCr4);
  write(Field::VMCS_LINK_POINTER, ~u64{0});
  write(Field::GUEST_DR7, 0x400);
  return true;
}

// ---- entry and exit ----------------------------------------------------------------------------

bool VmxBackend::enter() {
  failure_.clear();
  const vmx::VmResult result = launched_ ? cpu_.vmx->vmresume(cpu_) : cpu_.vmx->vmlaunch(cpu_);
  if (result.ok()) {
    launched_ = launched_ || failure_.empty();
    return true;
  }
  failure_code_ = static_cast<u64>(result.error);
  if (failure_.empty()) {
    failure_ = std::string(launched_ ? "VMRESUME" : "VMLAUNCH") + ": " +
               std::string(vmx::insn_error_text(static_cast<u32>(result.error)));
  }
  return false;
}

// Exit qualification for I/O instructions. SDM 3C 28.2.1, table 28-5; 28.2.5, table 28-8.
void VmxBackend::decode_io(u64 q, Exit::Io& io) const {
  io.size = static_cast<u8>((q & 7) + 1);
  io.in = (q >> 3 & 1) != 0;
  io.string = (q >> 4 & 1) != 0;
  io.rep = (q >> 5 & 1) != 0;
  io.port = static_cast<u16>(q >> 16);
  if (!io.string) return;
  const u64 info = read(Field::VMX_INSTRUCTION_INFO);
  io.address_size = static_cast<u8>(2u << (info >> 7 & 3));
  io.seg = static_cast<Seg>(info >> 15 & 7);
}

std::optional<Event> event_of(u64 info, u64 error) {
  if ((info & kValid) == 0) return std::nullopt;
  Event event;
  event.vector = static_cast<u8>(info);
  event.type = static_cast<EventType>(info >> 8 & 7);
  event.has_error = (info >> 11 & 1) != 0;
  event.error = static_cast<u32>(error);
  return event;
}

Exit VmxBackend::read_exit() {
  Exit exit;
  exit.code = read(Field::VM_EXIT_REASON) & 0xffff;
  exit.info = read(Field::EXIT_QUALIFICATION);
  exit.insn_length = static_cast<u8>(read(Field::VM_EXIT_INSTRUCTION_LEN));
  const u64 q = exit.info;
  switch (static_cast<vmx::ExitReason>(exit.code)) {
    case vmx::ExitReason::IoInstruction:
      decode_io(q, exit.io);
      break;
    case vmx::ExitReason::ControlRegisterAccess:
      exit.cr = {static_cast<Exit::ControlRegister::Kind>(q >> 4 & 3), static_cast<u8>(q & 15),
                 static_cast<u8>(q >> 8 & 15), static_cast<u16>(q >> 16)};
      break;
    case vmx::ExitReason::EptViolation:
      exit.memory = {read(Field::GUEST_PHYSICAL_ADDRESS), (q & 2) != 0, (q & 4) != 0};
      break;
    case vmx::ExitReason::ExceptionOrNmi:
      exit.exception =
          event_of(read(Field::VM_EXIT_INTR_INFO), read(Field::VM_EXIT_INTR_ERROR_CODE))
              .value_or(Event{});
      break;
    default:
      break;
  }
  const bool entered = (read(Field::VM_EXIT_REASON) & vmx::kEntryFailure) == 0;
  if (entered) {
    exit.interrupted =
        event_of(read(Field::IDT_VECTORING_INFO_FIELD), read(Field::IDT_VECTORING_ERROR_CODE));
  }
  // What was interrupted is to happen again: the NMI is not in progress any more.
  if (exit.interrupted && exit.interrupted->type == EventType::Nmi) {
    change(Field::GUEST_INTERRUPTIBILITY_INFO, blocking::Nmi, false);
  }
  return exit;
}

// SDM 3C 25.8.3, table 25-17.
void VmxBackend::inject(const Event& event, u8 insn_length) {
  const u64 info = event.vector | u64{static_cast<u8>(event.type)} << 8 |
                   (event.has_error ? 1u << 11 : 0) | kValid;
  write(Field::VM_ENTRY_INTR_INFO, info);
  write(Field::VM_ENTRY_EXCEPTION_ERROR_CODE, event.has_error ? event.error : 0);
  write(Field::VM_ENTRY_INSTRUCTION_LEN, insn_length);
}

// ---- state -------------------------------------------------------------------------------------

u64 VmxBackend::get(GuestField field) const {
  switch (field) {
    case GuestField::Rip:
      return read(Field::GUEST_RIP);
    case GuestField::Rsp:
      return read(Field::GUEST_RSP);
    case GuestField::Rflags:
      return read(Field::GUEST_RFLAGS);
    case GuestField::Cr0:
      return (read(Field::GUEST_CR0) & kGuestCr0) | (read(Field::CR0_READ_SHADOW) & ~kGuestCr0);
    case GuestField::Cr2:
      return cpu_.cr2;
    case GuestField::Cr3:
      return read(Field::GUEST_CR3);
    case GuestField::Cr4:
      return (read(Field::GUEST_CR4) & kGuestCr4) | (read(Field::CR4_READ_SHADOW) & ~kGuestCr4);
    case GuestField::Efer:
      return read(Field::GUEST_IA32_EFER);
    case GuestField::Dr6:
      return cpu_.dr6;
  }
  return 0;
}

void VmxBackend::set(GuestField field, u64 value) {
  switch (field) {
    case GuestField::Rip:
      return write(Field::GUEST_RIP, value);
    case GuestField::Rsp:
      return write(Field::GUEST_RSP, value);
    case GuestField::Rflags:
      return write(Field::GUEST_RFLAGS, value);
    case GuestField::Cr0:
      write(Field::CR0_READ_SHADOW, value);
      return write(Field::GUEST_CR0, value | cr0::NE);  // fixed to 1: SDM 3D A.7
    case GuestField::Cr2:
      cpu_.cr2 = value;  // MOV CR2: VM entries and exits leave it alone
      return;
    case GuestField::Cr3:
      return write(Field::GUEST_CR3, value);
    case GuestField::Cr4:
      write(Field::CR4_READ_SHADOW, value);
      return write(Field::GUEST_CR4, value | cr4::VMXE);  // fixed to 1: SDM 3D A.8
    case GuestField::Efer:
      change(Control::Ia32eModeGuest, (value & efer::LMA) != 0);
      return write(Field::GUEST_IA32_EFER, value);
    case GuestField::Dr6:
      cpu_.dr6 = value;
      return;
  }
}

Segment VmxBackend::segment(Seg seg) const {
  const SegmentFields& f = kSegments[static_cast<unsigned>(seg)];
  return {static_cast<u16>(read(f.selector)), static_cast<u32>(read(f.limit)), read(f.base),
          static_cast<u32>(read(f.rights))};
}

void VmxBackend::set_segment(Seg seg, const Segment& value) {
  const SegmentFields& f = kSegments[static_cast<unsigned>(seg)];
  write(f.selector, value.selector);
  write(f.base, value.base);
  write(f.limit, value.limit);
  write(f.rights, value.rights);
}

DescriptorTable VmxBackend::table(bool idt) const {
  return {read(idt ? Field::GUEST_IDTR_BASE : Field::GUEST_GDTR_BASE),
          static_cast<u16>(read(idt ? Field::GUEST_IDTR_LIMIT : Field::GUEST_GDTR_LIMIT))};
}

void VmxBackend::set_table(bool idt, const DescriptorTable& value) {
  write(idt ? Field::GUEST_IDTR_BASE : Field::GUEST_GDTR_BASE, value.base);
  write(idt ? Field::GUEST_IDTR_LIMIT : Field::GUEST_GDTR_LIMIT, value.limit);
}

// The DPL of SS is always the CPL. SDM 3C 25.4.1.
unsigned VmxBackend::cpl() const {
  if ((get(GuestField::Cr0) & cr0::PE) == 0) return 0;
  if ((read(Field::GUEST_RFLAGS) & rflags::VM) != 0) return 3;
  return static_cast<u32>(read(Field::GUEST_SS_AR_BYTES)) >> seg_rights::DplShift & 3;
}

void VmxBackend::set_pdptes(const std::array<u64, 4>& values) {
  constexpr Field kFields[] = {Field::GUEST_PDPTE0, Field::GUEST_PDPTE1, Field::GUEST_PDPTE2,
                               Field::GUEST_PDPTE3};
  for (unsigned i = 0; i < 4; ++i) write(kFields[i], values[i]);
}

// ---- traces ------------------------------------------------------------------------------------

trace::VmExit VmxBackend::describe_exit() const {
  return describe_vmx_exit([this](Field field) { return read(field); });
}

trace::VmEntry VmxBackend::describe_entry() const {
  return describe_vmx_entry([this](Field field) { return read(field); }, launched_);
}

}  // namespace

std::unique_ptr<VendorBackend> make_vmx_backend(HostProcessor& host) {
  return std::make_unique<VmxBackend>(host);
}

}  // namespace softvt::kvm
