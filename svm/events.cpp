// Exceptions, interrupts and nested page faults in the guest. APM 2 15.12 "Exception Intercepts",
// 15.13 "Interrupt Intercepts", 15.21 "Interrupt and Local APIC Support", 15.25 "Nested Paging".
#include "cpu/seg/deliver.h"
#include "svm/extension.h"
#include "svm/intercepts.h"

namespace softvt::svm {
namespace {

// APM 2 15.7.1: nRIP is there for the exceptions that instructions raise on purpose.
u64 next_rip_of(const Cpu& cpu, const Event& e) {
  return e.type == EventType::SoftwareException ? cpu.next_rip : 0;
}

constexpr u64 kDr6Conditions = 0xf;

}  // namespace

// INT n and ICEBP have intercepts of their own, which the instructions ask for themselves.
bool SvmExtension::exception(Cpu& cpu, Event& e, const Event* during) {
  if (e.type == EventType::SoftwareInterrupt || e.type == EventType::PrivilegedSoftwareException)
    return false;
  if (e.vector >= 32 || (vmcb().get<Field::Exceptions>() >> e.vector & 1) == 0) return false;
  ExitReport report{.code = plus(ExitCode::Exception0, e.vector),
                    .info1 = e.has_error ? e.error : 0,
                    .next_rip = next_rip_of(cpu, e),
                    .during = during};
  if (e.vector == static_cast<u8>(Vector::PF)) {
    report.info2 = e.cr2;  // CR2 itself stays as it is, 15.12.15
    report.instruction_bytes = cpu.has(Feature::DecodeAssists) && (e.error & pf::I) == 0;
  }
  // DR6 is as the handler would see it, 15.12.2.
  if (e.vector == static_cast<u8>(Vector::DB) && e.dr6 != 0)
    cpu.dr6 = (cpu.dr6 & ~kDr6Conditions) | e.dr6;
  exit(cpu, report);
  return true;
}

// APM 2 15.14.3 "Shutdown Intercept".
bool SvmExtension::triple_fault(Cpu& cpu) {
  if (!test3(vector3::Shutdown)) return false;
  exit(cpu, {.code = ExitCode::Shutdown});
  return true;
}

// APM 2 15.21.4 "Injecting Virtual (INTR) Interrupts".
bool SvmExtension::virtual_interrupt_ready(const Cpu& cpu) const {
  const Vmcb v = vmcb();
  if ((v.get<Field::VIrq>() & virq::Pending) == 0) return false;
  if ((cpu.rflags_rest & rflags::IF) == 0 || !cpu.gif) return false;
  const u8 control = v.get<Field::VIntrPriority>();
  if (control & virq::IgnoreTpr) return true;
  return (control & virq::PriorityMask) > (v.get<Field::VTpr>() & 0xf);
}

bool SvmExtension::boundary(Cpu& cpu) {
  if (cpu.shadow != Shadow::None) {
    shadow_.rip = cpu.rip;
    shadow_.instructions = cpu.instructions();
    return false;
  }
  if (!virtual_interrupt_ready(cpu)) return false;
  if (test3(vector3::Vintr)) {
    exit(cpu, {.code = ExitCode::Vintr});
    return true;
  }
  const Vmcb v = vmcb();
  v.put<Field::VIrq>(v.get<Field::VIrq>() & static_cast<u8>(~virq::Pending));
  const Event e{.vector = v.get<Field::VIntrVector>(), .type = EventType::ExternalInterrupt};
  deliver_with_escalation(cpu, e);
  return true;
}

// Under V_INTR_MASKING the host's IF at VMRUN rules physical interrupts. APM 2 15.21.1.
bool SvmExtension::interrupts_allowed(const Cpu& cpu) const {
  if (masks_interrupts()) return host_interrupts_;
  return (cpu.rflags_rest & rflags::IF) != 0;
}

// Intercepted events are not taken: they stay pending, and GIF = 0 holds them. APM 2 15.13.
bool SvmExtension::external(Cpu& cpu, External what, u8) {
  switch (what) {
    case External::Interrupt:
      if (!test3(vector3::Intr) || !interrupts_allowed(cpu)) return false;
      exit(cpu, {.code = ExitCode::Intr});
      return true;
    case External::Nmi:
      if (!test3(vector3::Nmi)) return false;
      exit(cpu, {.code = ExitCode::Nmi});
      return true;
    case External::Init:
      if (!test3(vector3::Init)) return false;
      cpu.init_pending = true;
      exit(cpu, {.code = ExitCode::Init});
      return true;
    case External::Smi:
      if (!test3(vector3::Smi)) return false;
      exit(cpu, {.code = ExitCode::Smi});
      return true;
    case External::Sipi:
      return false;
  }
  return false;
}

bool SvmExtension::wakes(const Cpu& cpu) const { return virtual_interrupt_ready(cpu); }

bool SvmExtension::second_stage_active(const Cpu&) const { return nested_.enabled; }

bool SvmExtension::translate(Cpu& cpu, u64 gpa, const GpaAccess& access, SecondStage& out) {
  u64 info1;
  if (nested_walk(cpu, nested_, gpa, access, out, info1)) return true;
  nested_fault_ = {info1, gpa, access.fetch && !access.table_walk};
  return false;
}

void SvmExtension::take_second_stage_exit(Cpu& cpu, const Event* during) {
  const bool final = (nested_fault_.info1 & npf::Final) != 0;
  exit(cpu,
       {.code = ExitCode::Npf,
        .info1 = nested_fault_.info1,
        .info2 = nested_fault_.gpa,
        .during = during,
        .instruction_bytes = cpu.has(Feature::DecodeAssists) && final && !nested_fault_.fetch});
}

}  // namespace softvt::svm
