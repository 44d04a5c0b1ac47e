// Which instructions of the guest exit. SDM 3C 26.1.2 "Instructions That Cause VM Exits
// Unconditionally", 26.1.3 "Instructions That Cause VM Exits Conditionally", 26.3 "Changes to
// Instruction Behavior in VMX Non-Root Operation".
#include "cpu/phys_memory.h"
#include "vmx/extension.h"
#include "vmx/insn_info.h"

namespace softvt::vmx {
namespace {

bool bit_in_page(const Cpu& cpu, u64 page, u64 bit) {
  const u8* p = cpu.mem->page(page);
  return p == nullptr || (p[bit / 8 & kPageMask] >> (bit % 8) & 1);  // no memory reads as ones
}

// Exit qualification of control-register accesses. SDM 3C 28.2.1, table 28-3.
enum CrAccess : u64 { kMovTo = 0, kMovFrom = 1, kClts = 2, kLmsw = 3 };
u64 cr_qualification(u64 cr, CrAccess access, u64 gpr) {
  return cr | static_cast<u64>(access) << 4 | gpr << 8;
}

// The instructions that exit whenever the guest executes them.
ExitReason unconditional(Intercept what) {
  switch (what) {
    case Intercept::Cpuid:
      return ExitReason::Cpuid;
    case Intercept::Getsec:
      return ExitReason::Getsec;
    case Intercept::Invd:
      return ExitReason::Invd;
    case Intercept::Xsetbv:
      return ExitReason::Xsetbv;
    case Intercept::Vmcall:
      return ExitReason::Vmcall;
    case Intercept::Vmlaunch:
      return ExitReason::Vmlaunch;
    case Intercept::Vmresume:
      return ExitReason::Vmresume;
    case Intercept::Vmxoff:
      return ExitReason::Vmxoff;
    default:
      return ExitReason::ExceptionOrNmi;
  }
}

// VMX instructions with a memory operand of 64 bits. Their exits have displacement and information.
ExitReason with_pointer(Intercept what) {
  switch (what) {
    case Intercept::Vmclear:
      return ExitReason::Vmclear;
    case Intercept::Vmptrld:
      return ExitReason::Vmptrld;
    case Intercept::Vmptrst:
      return ExitReason::Vmptrst;
    default:
      return ExitReason::Vmxon;
  }
}

}  // namespace

void VmxExtension::exit_insn(Cpu& cpu, const Insn& in, ExitReason reason, u64 qualification,
                             u32 insn_info, u64 linear) {
  ExitInfo info;
  info.reason = reason;
  info.qualification = qualification;
  info.insn_length = in.len;
  info.insn_info = insn_info;
  info.linear = linear;
  exit(cpu, info);
}

// Instructions that do not exist in the guest unless a control enables them. True: #UD is posted.
bool VmxExtension::needs_enable(Cpu& cpu, Control enable) {
  if (on(enable)) return false;
  cpu.raise_ud();
  return true;
}

// SDM 3C 26.1.3: MOV CR, CLTS, LMSW.
bool VmxExtension::intercept_cr(Cpu& cpu, const Insn& in, Intercept what, u64 detail, u64 value) {
  const u64 cr = detail & 0xff, gpr = detail >> 8 & 15;
  const auto take = [&](u64 qualification, u64 linear = 0) {
    exit_insn(cpu, in, ExitReason::ControlRegisterAccess, qualification, 0, linear);
    return true;
  };
  const Cpu::CrMask& m0 = cpu.guest_cr0;
  if (what == Intercept::Clts) {
    if ((m0.mask & m0.shadow & cr0::TS) == 0) return false;
    return take(cr_qualification(0, kClts, 0));
  }
  if (what == Intercept::Lmsw) {
    constexpr u64 kMpEmTs = cr0::MP | cr0::EM | cr0::TS;
    const u64 source = detail & 0xffff;
    const bool sets_pe = (m0.mask & source & ~m0.shadow & cr0::PE) != 0;  // LMSW cannot clear it
    if (!sets_pe && ((source ^ m0.shadow) & m0.mask & kMpEmTs) == 0) return false;
    const bool memory = detail >> 16 & 1;
    return take(cr_qualification(0, kLmsw, 0) | u64{memory} << 6 | source << 16,
                memory ? value : 0);
  }
  if (what == Intercept::CrRead) {
    const bool exits =
        (cr == 3 && on(Control::Cr3StoreExiting)) || (cr == 8 && on(Control::Cr8StoreExiting));
    return exits && take(cr_qualification(cr, kMovFrom, gpr));
  }
  bool exits = false;
  switch (cr) {
    case 0:
      exits = ((value ^ m0.shadow) & m0.mask) != 0;
      break;
    case 4:
      exits = ((value ^ cpu.guest_cr4.shadow) & cpu.guest_cr4.mask) != 0;
      break;
    case 8:
      exits = on(Control::Cr8LoadExiting);
      break;
    case 3: {
      exits = on(Control::Cr3LoadExiting);
      const u64 targets = vmcs_.get(Field::CR3_TARGET_COUNT);
      constexpr Field kTargets[] = {Field::CR3_TARGET_VALUE0, Field::CR3_TARGET_VALUE1,
                                    Field::CR3_TARGET_VALUE2, Field::CR3_TARGET_VALUE3};
      for (u64 i = 0; i < targets && i < std::size(kTargets); ++i)
        if (vmcs_.get(kTargets[i]) == value) exits = false;
      break;
    }
    default:
      break;
  }
  return exits && take(cr_qualification(cr, kMovTo, gpr));
}

// SDM 3C 25.6.4 "I/O-Bitmap Addresses", 28.2.1, table 28-5.
bool VmxExtension::intercept_io(Cpu& cpu, const Insn& in, Intercept what, u64 detail, u64 linear) {
  const u64 port = detail & 0xffff, size = detail >> 16 & 7;
  bool exits = on(Control::UnconditionalIoExiting);
  if (on(Control::IoBitmaps)) {
    exits = port + size > 0x10000;  // wraps around
    for (u64 p = port; !exits && p < port + size; ++p)
      exits = bit_in_page(cpu, io_bitmap_[p >> 15], p & 0x7fff);
  }
  if (!exits) return false;
  const bool string = what == Intercept::Ins || what == Intercept::Outs;
  const bool input = what == Intercept::Ins || what == Intercept::IoIn;
  const bool repeated = string && (in.prefixes & (prefix::kRep | prefix::kRepne)) != 0;
  const bool immediate = !string && (in.opcode & 0xfc) == 0xe4;
  const u64 qualification = (size - 1) | u64{input} << 3 | u64{string} << 4 | u64{repeated} << 5 |
                            u64{immediate} << 6 | port << 16;
  exit_insn(cpu, in, ExitReason::IoInstruction, qualification,
            string ? ins_outs_info(in, what == Intercept::Outs) : 0, string ? linear : 0);
  return true;
}

// SDM 3C 25.6.9 "MSR-Bitmap Address": 1 KiB each for reads of low and high, writes of low and high.
bool VmxExtension::intercept_msr(Cpu& cpu, const Insn& in, Intercept what, u32 index) {
  bool exits = true;
  const u32 offset = index & ~u32{0xc0000000};
  const bool high = index >> 30 == 3, covered = (index >> 30 == 0 || high) && offset < 0x2000;
  if (on(Control::MsrBitmaps) && covered) {
    const u64 part = (what == Intercept::Wrmsr ? 2 : 0) + (high ? 1 : 0);
    exits = bit_in_page(cpu, msr_bitmap_, part * 0x2000 + offset);
  }
  if (exits) exit_insn(cpu, in, what == Intercept::Wrmsr ? ExitReason::Wrmsr : ExitReason::Rdmsr);
  return exits;
}

// SDM 3C 26.1.3, PAUSE; 25.6.13 "Controls for PAUSE-Loop Exiting".
bool VmxExtension::intercept_pause(Cpu& cpu, const Insn& in) {
  bool exits = on(Control::PauseExiting);
  if (!exits && on(Control::PauseLoopExiting) && cpu.cpl() == 0) {
    const u64 now = host_tsc(cpu);
    if (now - last_pause_ > vmcs_.get(Field::PLE_GAP))
      first_pause_ = now;
    else
      exits = now - first_pause_ > vmcs_.get(Field::PLE_WINDOW);
    last_pause_ = now;
  }
  if (exits) exit_insn(cpu, in, ExitReason::Pause);
  return exits;
}

bool VmxExtension::intercept(Cpu& cpu, const Insn& in, Intercept what, u64 detail, u64 value) {
  const auto exit_if = [&](bool condition, ExitReason reason, u64 qualification = 0, u32 info = 0) {
    if (condition) exit_insn(cpu, in, reason, qualification, info);
    return condition;
  };
  switch (what) {
    case Intercept::Cpuid:
    case Intercept::Getsec:
    case Intercept::Invd:
    case Intercept::Xsetbv:
    case Intercept::Vmcall:
    case Intercept::Vmlaunch:
    case Intercept::Vmresume:
    case Intercept::Vmxoff:
      return exit_if(true, unconditional(what));
    case Intercept::Vmclear:
    case Intercept::Vmptrld:
    case Intercept::Vmptrst:
    case Intercept::Vmxon:
      return exit_if(true, with_pointer(what), displacement(cpu, in), memory_info(in));
    case Intercept::Invept:
    case Intercept::Invvpid:
      return exit_if(true, what == Intercept::Invept ? ExitReason::Invept : ExitReason::Invvpid,
                     displacement(cpu, in), memory_and_register_info(in, in.dst));
    case Intercept::Vmread:
      return exit_if(true, ExitReason::Vmread, in.form == Form::RR ? 0 : displacement(cpu, in),
                     register_or_memory_info(in, in.dst, in.src));
    case Intercept::Vmwrite:
      return exit_if(true, ExitReason::Vmwrite, in.form == Form::RR ? 0 : displacement(cpu, in),
                     register_or_memory_info(in, in.src, in.dst));
    case Intercept::Hlt:
      return exit_if(on(Control::HltExiting), ExitReason::Hlt);
    case Intercept::Invlpg:
      return exit_if(on(Control::InvlpgExiting), ExitReason::Invlpg, detail);
    case Intercept::Invpcid:
      return needs_enable(cpu, Control::EnableInvpcid) ||
             exit_if(on(Control::InvlpgExiting), ExitReason::Invpcid, displacement(cpu, in),
                     memory_and_register_info(in, in.dst));
    case Intercept::Wbinvd:
      return exit_if(on(Control::WbinvdExiting), ExitReason::Wbinvd);
    case Intercept::Rdtsc:
      return exit_if(on(Control::RdtscExiting), ExitReason::Rdtsc);
    case Intercept::Rdtscp:
      return needs_enable(cpu, Control::EnableRdtscp) ||
             exit_if(on(Control::RdtscExiting), ExitReason::Rdtscp);
    case Intercept::Rdpid:  // SDM 3C 26.3: exists with "enable RDTSCP" only, and never exits
      return needs_enable(cpu, Control::EnableRdtscp);
    case Intercept::Rdpmc:
      return exit_if(on(Control::RdpmcExiting), ExitReason::Rdpmc);
    case Intercept::Monitor:
      return exit_if(on(Control::MonitorExiting), ExitReason::Monitor);
    case Intercept::Mwait:
      return exit_if(on(Control::MwaitExiting), ExitReason::Mwait, detail & 1);
    case Intercept::Pause:
      return intercept_pause(cpu, in);
    case Intercept::Rdmsr:
    case Intercept::Wrmsr:
      return intercept_msr(cpu, in, what, static_cast<u32>(detail));
    case Intercept::Rdrand:
      return exit_if(on(Control::RdrandExiting), ExitReason::Rdrand, 0, random_info(in));
    case Intercept::Rdseed:
      return exit_if(on(Control::RdseedExiting), ExitReason::Rdseed, 0, random_info(in));
    case Intercept::Xsaves:
    case Intercept::Xrstors:
      return needs_enable(cpu, Control::EnableXsaves) ||
             exit_if((detail & cpu.msr.xss & vmcs_.get(Field::XSS_EXIT_BITMAP)) != 0,
                     what == Intercept::Xsaves ? ExitReason::Xsaves : ExitReason::Xrstors,
                     displacement(cpu, in), memory_info(in));
    case Intercept::CrRead:
    case Intercept::CrWrite:
    case Intercept::Clts:
    case Intercept::Lmsw:
      return intercept_cr(cpu, in, what, detail, value);
    case Intercept::DrRead:
    case Intercept::DrWrite: {
      const u64 from = what == Intercept::DrRead ? 1 : 0;
      return exit_if(on(Control::MovDrExiting), ExitReason::MovDr,
                     (detail & 7) | from << 4 | (detail >> 8 & 15) << 8);
    }
    case Intercept::IoIn:
    case Intercept::IoOut:
    case Intercept::Ins:
    case Intercept::Outs:
      return intercept_io(cpu, in, what, detail, value);
    case Intercept::SgdtSidt:
    case Intercept::LgdtLidt:
      return exit_if(on(Control::DescriptorTableExiting), ExitReason::GdtrIdtrAccess,
                     displacement(cpu, in), table_info(in, detail & 3));
    case Intercept::SldtStr:
    case Intercept::LldtLtr:
      return exit_if(on(Control::DescriptorTableExiting), ExitReason::LdtrTrAccess,
                     in.form == Form::R ? 0 : displacement(cpu, in), selector_info(in, detail & 3));
    case Intercept::TaskSwitch: {
      ExitInfo info;
      info.reason = ExitReason::TaskSwitch;
      info.qualification = (detail & 0xffff) | (detail >> 16 & 3) << 30;
      info.during = cpu.delivering;
      const bool by_insn = cpu.delivering == nullptr;
      info.insn_length = by_insn ? in.len : static_cast<u32>(cpu.next_rip - cpu.rip) & 15;
      exit(cpu, info);
      return true;
    }
    case Intercept::Rsm:
    case Intercept::None:
    case Intercept::Pushf:
    case Intercept::Popf:
    case Intercept::Iret:
    case Intercept::SoftwareInt:
    case Intercept::Icebp:
    case Intercept::Vmmcall:
    case Intercept::Clgi:
    case Intercept::Stgi:
    case Intercept::Skinit:
    case Intercept::Invlpga:
    case Intercept::Vmrun:
    case Intercept::Vmload:
    case Intercept::Vmsave:
    case Intercept::Vmfunc:
      return false;
  }
  return false;
}

}  // namespace softvt::vmx
