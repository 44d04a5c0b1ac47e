// The vendor half on SVM: one VMCB for the vcpu. APM 2 chapter 15.
#include <array>
#include <cstring>
#include <memory>

#include "kvm/backend.h"
#include "kvm/describe.h"
#include "kvm/guest_msrs.h"
#include "kvm/vm.h"
#include "svm/extension.h"
#include "svm/instructions.h"
#include "svm/intercepts.h"
#include "svm/state.h"

namespace softvt::kvm {
namespace {

using svm::ExitCode;
using svm::Field;
using svm::Vmcb;

constexpr u32 kVmHsavePa = 0xc0010117;
constexpr u32 kGuestAsid = 1;
constexpr u64 kIopmPages = 3, kMsrpmPages = 2;
constexpr unsigned kCr8 = 8;

// By the names of svm/intercepts.h.
constexpr std::string_view kIntercepts[] = {
    "INTR",     "NMI",         "CPUID",    "INVD",   "HLT",     "INVLPGA", "IOIO_PROT",
    "MSR_PROT", "TASK_SWITCH", "SHUTDOWN", "VMRUN",  "VMMCALL", "VMLOAD",  "VMSAVE",
    "STGI",     "CLGI",        "SKINIT",   "WBINVD", "MONITOR", "MWAIT",   "XSETBV",
};

class SvmBackend final : public VendorBackend {
 public:
  explicit SvmBackend(HostProcessor& host) : VendorBackend(host), cpu_(host.cpu()) {}
  ~SvmBackend() override {
    if (own_ != nullptr) cpu_.svm = nullptr;
  }

  bool init(Vm& vm, std::string& error) override;
  bool enter() override;
  const std::string& failure() const override { return failure_; }
  u64 failure_code() const override { return static_cast<u64>(ExitCode::Invalid); }
  Exit read_exit() override;

  u64 gpr(unsigned number) const override {
    if (number == RAX) return vmcb_.get<Field::Rax>();
    return number == RSP ? vmcb_.get<Field::Rsp>() : cpu_.r[number];
  }
  void set_gpr(unsigned number, u64 value) override {
    if (number == RAX) return vmcb_.put<Field::Rax>(value);
    if (number == RSP) return vmcb_.put<Field::Rsp>(value);
    cpu_.r[number] = value;
  }
  u64 get(GuestField field) const override;
  void set(GuestField field, u64 value) override;
  Segment segment(Seg seg) const override;
  void set_segment(Seg seg, const Segment& value) override;
  DescriptorTable table(bool idt) const override;
  void set_table(bool idt, const DescriptorTable& value) override;
  unsigned cpl() const override { return vmcb_.get<Field::Cpl>(); }
  // Under nested paging the processor reads the PDPTEs from memory. APM 2 15.25.7.
  void set_pdptes(const std::array<u64, 4>&) override {}

  bool interrupt_shadow() const override { return (vmcb_.get<Field::InterruptShadow>() & 1) != 0; }
  void clear_interrupt_shadow() override {
    vmcb_.put<Field::InterruptShadow>(vmcb_.get<Field::InterruptShadow>() & ~u64{1});
  }
  bool nmi_blocked() const override { return in_nmi_; }
  void inject(const Event& event, u8 insn_length) override;
  bool injection_pending() const override {
    return (vmcb_.get<Field::EventInj>() & svm::event::Valid) != 0;
  }
  void set_interrupt_window(bool on) override;
  // The IRET intercept tells when the last NMI is over.
  void set_nmi_window(bool) override {}
  void add_tsc_offset(u64 delta) override { vmcb_.put<Field::TscOffset>(tsc_offset() + delta); }
  u64 tsc_offset() const override { return vmcb_.get<Field::TscOffset>(); }
  void flush_guest_tlb() override {
    vmcb_.put<Field::TlbControl>(static_cast<u8>(svm::TlbControl::FlushGuest));
  }

  trace::VmExit describe_exit() const override { return describe_svm_exit(vmcb_); }
  trace::VmEntry describe_entry() const override { return describe_svm_entry(vmcb_); }

 private:
  bool allocate(std::string& error);
  bool write_permissions(u64 iopm, u64 msrpm);
  void set_intercept(std::string_view name, bool on = true);
  Exit::Io decode_io(u64 info) const;
  u8 insn_length(const Exit& exit) const;
  static Field selector_of(Seg seg);

  Cpu& cpu_;
  std::unique_ptr<svm::SvmExtension> own_;  // where the machine did not bring one
  u64 vmcb_pa_ = 0, host_vmcb_pa_ = 0;
  Vmcb vmcb_;
  bool in_nmi_ = false;
  std::string failure_;
};

// ---- start -------------------------------------------------------------------------------------

void SvmBackend::set_intercept(std::string_view name, bool on) {
  const svm::InterceptRow* row = svm::find_intercept(name);
  if (row == nullptr) return;
  const Field field = row->vector == 3   ? Field::Vector3
                      : row->vector == 4 ? Field::Vector4
                                         : Field::Vector5;
  const u64 bit = u64{1} << row->bit;
  const u64 old = vmcb_.read(field);
  vmcb_.write(field, on ? old | bit : old & ~bit);
}

// APM 2 15.10.1 "I/O Permissions Map", 15.11 "MSR Intercepts".
bool SvmBackend::write_permissions(u64 iopm, u64 msrpm) {
  std::array<u8, kPageSize> ones;
  ones.fill(0xff);
  PhysMemory& memory = host_.memory().physical();
  for (u64 i = 0; i < kIopmPages; ++i) memory.write(iopm + i * kPageSize, ones.data(), kPageSize);
  std::array<u8, kMsrpmPages * kPageSize> bits;
  bits.fill(0xff);
  for (const GuestMsrRow& row : guest_msr_rows()) {
    if (!row.passthrough) continue;
    for (u32 index = row.first; index <= row.last; ++index) {
      const unsigned bit = (index >= 0xc0000000 ? 0x800 * 8 : 0) + (index & 0x1fff) * 2;
      bits[bit / 8] &= static_cast<u8>(~(3u << (bit & 7)));
    }
  }
  return memory.write(msrpm, bits.data(), bits.size());
}

bool SvmBackend::allocate(std::string& error) {
  HostMemory& memory = host_.memory();
  vmcb_pa_ = memory.allocate_page();
  host_vmcb_pa_ = memory.allocate_page();
  const u64 hsave = memory.allocate_page();
  const u64 iopm = memory.allocate_pages(kIopmPages);
  const u64 msrpm = memory.allocate_pages(kMsrpmPages);
  if (vmcb_pa_ == 0 || host_vmcb_pa_ == 0 || hsave == 0 || iopm == 0 || msrpm == 0) {
    error = "no page is left for the VMCB";
    return false;
  }
  vmcb_ = Vmcb(memory.physical().page(vmcb_pa_));
  vmcb_.put<Field::IopmBase>(iopm);
  vmcb_.put<Field::MsrpmBase>(msrpm);
  if (host_.wrmsr(kVmHsavePa, hsave) && write_permissions(iopm, msrpm)) return true;
  error = "VM_HSAVE_PA cannot be written";
  return false;
}

bool SvmBackend::init(Vm& vm, std::string& error) {
  if (!cpu_.has(Feature::Svm) || !cpu_.has(Feature::Npt)) {
    error = "the CPU model has no SVM with nested paging";
    return false;
  }
  if (cpu_.svm == nullptr) {
    own_ = std::make_unique<svm::SvmExtension>();
    cpu_.svm = own_.get();
  }
  constexpr u32 kEfer = 0xc0000080;
  if (!host_.wrmsr(kEfer, host_.state().efer | efer::SVME)) {
    error = "EFER.SVME cannot be set";
    return false;
  }
  if (!allocate(error)) return false;
  for (const std::string_view name : kIntercepts) set_intercept(name);
  vmcb_.put<Field::CrReads>(1u << kCr8);
  vmcb_.put<Field::CrWrites>(1u << kCr8);
  vmcb_.put<Field::Exceptions>(1u << static_cast<unsigned>(Vector::UD));
  vmcb_.put<Field::GuestAsid>(kGuestAsid);
  vmcb_.put<Field::VIntrMasking>(svm::virq::IntrMasking);
  vmcb_.put<Field::NpEnable>(1);
  vmcb_.put<Field::NCr3>(vm.second_stage_root());
  vmcb_.put<Field::Dr6>(0xffff0ff0);
  vmcb_.put<Field::Dr7>(0x400);
  u64 pat = 0;
  host_.rdmsr(0x277, pat);
  vmcb_.put<Field::GPat>(pat);
  return true;
}

// ---- entry and exit ----------------------------------------------------------------------------

// CLGI, the guest's VMLOAD state, STI (for what GIF holds back), VMRUN.
bool SvmBackend::enter() {
  failure_.clear();
  svm::clgi(cpu_);
  svm::vmsave(cpu_, host_vmcb_pa_);
  svm::vmload(cpu_, vmcb_pa_);
  cpu_.set_flags(cpu_.flags() | rflags::IF);
  switch (svm::vmrun(cpu_, vmcb_pa_)) {
    case svm::VmrunResult::Entered:
    case svm::VmrunResult::Exited:
      return true;
    case svm::VmrunResult::Invalid:
      failure_ = cpu_.svm->entry_failure().text("VMRUN: #VMEXIT(VMEXIT_INVALID)");
      break;
    case svm::VmrunResult::Fault:
      cpu_.fault_pending = false;
      failure_ = "VMRUN: #GP, the VMCB address is not acceptable";
      break;
  }
  svm::vmload(cpu_, host_vmcb_pa_);
  cpu_.set_flags(cpu_.flags() & ~rflags::IF);
  svm::stgi(cpu_);
  return false;
}

// EXITINFO1 of IOIO. APM 2 15.10.2, figure 15-2.
Exit::Io SvmBackend::decode_io(u64 info) const {
  Exit::Io io;
  io.in = (info & 1) != 0;
  io.string = (info >> 2 & 1) != 0;
  io.rep = (info >> 3 & 1) != 0;
  io.size = static_cast<u8>(info >> 4 & 7);
  io.address_size = static_cast<u8>((info >> 7 & 7) * 2);
  io.seg = static_cast<Seg>(info >> 10 & 7);
  io.port = static_cast<u16>(info >> 16);
  return io;
}

u8 SvmBackend::insn_length(const Exit& exit) const {
  const bool io = exit.code == static_cast<u64>(ExitCode::Ioio);
  const u64 next = io ? vmcb_.get<Field::ExitInfo2>() : vmcb_.get<Field::NRip>();
  const u64 length = (next - vmcb_.get<Field::Rip>()) & 0xffffffff;
  return next != 0 && length <= 15 ? static_cast<u8>(length) : 0;
}

std::optional<Event> event_of(u64 info) {
  if ((info & svm::event::Valid) == 0) return std::nullopt;
  Event event;
  event.vector = static_cast<u8>(info);
  event.has_error = (info & svm::event::ErrorValid) != 0;
  event.error = static_cast<u32>(info >> svm::event::ErrorShift);
  switch (static_cast<svm::event::Type>(info >> svm::event::TypeShift & 7)) {
    case svm::event::Type::Interrupt:
      event.type = EventType::ExternalInterrupt;
      break;
    case svm::event::Type::Nmi:
      event.type = EventType::Nmi;
      break;
    case svm::event::Type::SoftwareInterrupt:
      event.type = EventType::SoftwareInterrupt;
      break;
    default:
      event.type = EventType::HardwareException;
      break;
  }
  return event;
}

Exit SvmBackend::read_exit() {
  svm::vmsave(cpu_, vmcb_pa_);
  svm::vmload(cpu_, host_vmcb_pa_);
  cpu_.set_flags(cpu_.flags() & ~rflags::IF);
  svm::stgi(cpu_);
  vmcb_.put<Field::TlbControl>(static_cast<u8>(svm::TlbControl::Nothing));
  Exit exit;
  exit.code = vmcb_.get<Field::ExitCode>();
  exit.info = vmcb_.get<Field::ExitInfo1>();
  exit.insn_length = insn_length(exit);
  exit.interrupted = event_of(vmcb_.get<Field::ExitIntInfo>());
  const u64 q = exit.info;
  if (exit.code == static_cast<u64>(ExitCode::Ioio)) {
    exit.io = decode_io(q);
  } else if (exit.code < 0x20) {
    const auto kind =
        exit.code < 0x10 ? Exit::ControlRegister::Kind::Read : Exit::ControlRegister::Kind::Write;
    exit.cr = {kind, static_cast<u8>(exit.code & 15), static_cast<u8>(q & 15), 0};
  } else if (exit.code - 0x40 < 0x20) {
    exit.exception.vector = static_cast<u8>(exit.code - 0x40);
  } else if (exit.code == static_cast<u64>(ExitCode::Nmi)) {
    exit.exception.type = EventType::Nmi;
  } else if (exit.code == static_cast<u64>(ExitCode::Npf)) {
    exit.memory = {vmcb_.get<Field::ExitInfo2>(), (q & pf::W) != 0, (q & pf::I) != 0};
  } else if (exit.code == static_cast<u64>(ExitCode::Msr)) {
    exit.msr_write = q != 0;
  } else if (exit.code == static_cast<u64>(ExitCode::Iret)) {
    in_nmi_ = false;
    set_intercept("IRET", false);
  }
  if (exit.interrupted && exit.interrupted->type == EventType::Nmi) in_nmi_ = false;
  return exit;
}

// APM 2 15.20 "Event Injection". Exceptions by INT3 and INTO are of the type "exception".
void SvmBackend::inject(const Event& event, u8 insn_length) {
  svm::event::Type type = svm::event::Type::Exception;
  if (event.type == EventType::ExternalInterrupt) type = svm::event::Type::Interrupt;
  if (event.type == EventType::SoftwareInterrupt) type = svm::event::Type::SoftwareInterrupt;
  if (event.type == EventType::Nmi) {
    type = svm::event::Type::Nmi;
    in_nmi_ = true;
    set_intercept("IRET");
  }
  u64 field =
      event.vector | u64{static_cast<u8>(type)} << svm::event::TypeShift | svm::event::Valid;
  if (event.has_error) {
    field |= svm::event::ErrorValid | u64{event.error} << svm::event::ErrorShift;
  }
  if (insn_length != 0) vmcb_.put<Field::NRip>(vmcb_.get<Field::Rip>() + insn_length);
  vmcb_.put<Field::EventInj>(field);
}

// A virtual interrupt that is intercepted where it would be taken. APM 2 15.21.4.
void SvmBackend::set_interrupt_window(bool on) {
  const u8 irq = vmcb_.get<Field::VIrq>();
  const u8 pending = svm::virq::Pending;
  vmcb_.put<Field::VIrq>(static_cast<u8>(on ? irq | pending : irq & ~pending));
  vmcb_.put<Field::VIntrPriority>(svm::virq::PriorityMask | svm::virq::IgnoreTpr);
  set_intercept("VINTR", on);
}

// ---- state -------------------------------------------------------------------------------------

u64 SvmBackend::get(GuestField field) const {
  switch (field) {
    case GuestField::Rip:
      return vmcb_.get<Field::Rip>();
    case GuestField::Rsp:
      return vmcb_.get<Field::Rsp>();
    case GuestField::Rflags:
      return vmcb_.get<Field::Rflags>();
    case GuestField::Cr0:
      return vmcb_.get<Field::Cr0>();
    case GuestField::Cr2:
      return vmcb_.get<Field::Cr2>();
    case GuestField::Cr3:
      return vmcb_.get<Field::Cr3>();
    case GuestField::Cr4:
      return vmcb_.get<Field::Cr4>();
    case GuestField::Efer:
      return vmcb_.get<Field::Efer>() & ~efer::SVME;
    case GuestField::Dr6:
      return vmcb_.get<Field::Dr6>();
  }
  return 0;
}

void SvmBackend::set(GuestField field, u64 value) {
  switch (field) {
    case GuestField::Rip:
      return vmcb_.put<Field::Rip>(value);
    case GuestField::Rsp:
      return vmcb_.put<Field::Rsp>(value);
    case GuestField::Rflags:
      return vmcb_.put<Field::Rflags>(value);
    case GuestField::Cr0:
      return vmcb_.put<Field::Cr0>(value);
    case GuestField::Cr2:
      return vmcb_.put<Field::Cr2>(value);
    case GuestField::Cr3:
      return vmcb_.put<Field::Cr3>(value);
    case GuestField::Cr4:
      return vmcb_.put<Field::Cr4>(value);
    case GuestField::Efer:
      return vmcb_.put<Field::Efer>(value | efer::SVME);
    case GuestField::Dr6:
      return vmcb_.put<Field::Dr6>(value);
  }
}

Field SvmBackend::selector_of(Seg seg) {
  constexpr Field kFields[] = {Field::EsSelector,   Field::CsSelector, Field::SsSelector,
                               Field::DsSelector,   Field::FsSelector, Field::GsSelector,
                               Field::LdtrSelector, Field::TrSelector};
  return kFields[static_cast<unsigned>(seg)];
}

Segment SvmBackend::segment(Seg seg) const {
  svm::VmcbSegment raw;
  std::memcpy(&raw, vmcb_.bytes() + svm::row(selector_of(seg)).offset, sizeof raw);
  if (seg == Seg::CS) return svm::code_from_vmcb(cpu_, raw);
  if (seg == Seg::SS) return svm::stack_from_vmcb(cpu_, raw, cpl());
  return svm::from_vmcb(cpu_, raw);
}

void SvmBackend::set_segment(Seg seg, const Segment& value) {
  const svm::VmcbSegment raw = svm::to_vmcb(value);
  std::memcpy(vmcb_.bytes() + svm::row(selector_of(seg)).offset, &raw, sizeof raw);
  if (seg == Seg::SS) vmcb_.put<Field::Cpl>(static_cast<u8>(value.dpl()));
}

DescriptorTable SvmBackend::table(bool idt) const {
  if (idt) return {vmcb_.get<Field::IdtrBase>(), static_cast<u16>(vmcb_.get<Field::IdtrLimit>())};
  return {vmcb_.get<Field::GdtrBase>(), static_cast<u16>(vmcb_.get<Field::GdtrLimit>())};
}

void SvmBackend::set_table(bool idt, const DescriptorTable& value) {
  vmcb_.write(idt ? Field::IdtrBase : Field::GdtrBase, value.base);
  vmcb_.write(idt ? Field::IdtrLimit : Field::GdtrLimit, value.limit);
}

}  // namespace

std::unique_ptr<VendorBackend> make_svm_backend(HostProcessor& host) {
  return std::make_unique<SvmBackend>(host);
}

}  // namespace softvt::kvm
