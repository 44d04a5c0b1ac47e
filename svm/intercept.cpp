// Instruction intercepts. APM 2 15.9 "Instruction Intercepts", 15.10 "IOIO Intercepts", 15.11
// "MSR Intercepts".
#include "svm/intercepts.h"

#include "cpu/phys_memory.h"
#include "svm/extension.h"

namespace softvt::svm {
namespace {

u32 vector_of(Vmcb v, u8 vector) {
  switch (vector) {
    case 3:
      return v.get<Field::Vector3>();
    case 4:
      return v.get<Field::Vector4>();
    default:
      return v.get<Field::Vector5>();
  }
}

constexpr u8 kOpcodeMovToCr = 0x22, kOpcodeMovFromCr = 0x20;
constexpr u64 kMovCr = u64{1} << 63;

// Decode assists for MOV CRn; CLTS, LMSW and SMSW report 0. APM 2 15.8.1.
u64 cr_info(const Cpu& cpu, const Insn& in, u8 gpr) {
  const bool mov = in.opcode == kOpcodeMovToCr || in.opcode == kOpcodeMovFromCr;
  return cpu.has(Feature::DecodeAssists) && mov ? kMovCr | (gpr & 0xf) : 0;
}

u64 if_assisted(const Cpu& cpu, u64 info) { return cpu.has(Feature::DecodeAssists) ? info : 0; }

// EXITINFO1 of IOIO. APM 2 15.10.2, figure 15-2.
u64 io_info(const Cpu& cpu, const Insn& in, Intercept what, u16 port, unsigned size) {
  const bool string = what == Intercept::Ins || what == Intercept::Outs;
  const bool input = what == Intercept::IoIn || what == Intercept::Ins;
  u64 info = u64{port} << 16 | (input ? 1 : 0);
  info |= u64{size} << 4;  // bits 4, 5, 6 for 1, 2, 4 bytes
  if (!string) return info | u64{in.addrsize} << 6;
  info |= u64{1} << 2;
  if (in.prefixes & (prefix::kRep | prefix::kRepne)) info |= u64{1} << 3;
  info |= u64{in.addrsize} << 6;  // bits 7, 8, 9 for 16, 32, 64 bits
  const u64 seg = what == Intercept::Ins ? static_cast<u64>(Seg::ES) : in.seg & 7;
  return info | if_assisted(cpu, seg << 10);
}

// Exits of SGDT ... LTR by the subtype that the instruction gives (cpu/virt.h).
ExitCode table_exit(Intercept what, u64 detail) {
  const bool second = detail & 1;
  switch (what) {
    case Intercept::SgdtSidt:
      return second ? ExitCode::IdtrRead : ExitCode::GdtrRead;
    case Intercept::LgdtLidt:
      return second ? ExitCode::IdtrWrite : ExitCode::GdtrWrite;
    case Intercept::SldtStr:
      return second ? ExitCode::TrRead : ExitCode::LdtrRead;
    default:
      return second ? ExitCode::TrWrite : ExitCode::LdtrWrite;
  }
}

// In vector 3 the exit code is 60h plus the bit.
u32 bit_of(ExitCode code) { return u32{1} << (static_cast<u64>(code) - 0x60); }

// Where an MSR's pair of bits is: byte offset of its range, index in it. APM 2 15.11, table 15-8.
bool msr_position(u32 index, u32& bit) {
  constexpr struct {
    u32 first, offset;
  } kRanges[] = {{0, 0}, {0xc0000000, 0x800}, {0xc0010000, 0x1000}};
  for (const auto& range : kRanges) {
    if (index - range.first < 0x2000) {
      bit = range.offset * 8 + (index - range.first) * 2;
      return true;
    }
  }
  return false;
}

u8 physical_byte(const Cpu& cpu, u64 pa) {
  const u8* page = cpu.mem->page(pa);
  return page != nullptr ? page[pa & kPageMask] : 0xff;
}

}  // namespace

// An intercept of the instruction in execution: always true.
bool SvmExtension::leave(Cpu& cpu, ExitCode code, u64 info1, u64 info2) {
  exit(cpu, {.code = code, .info1 = info1, .info2 = info2, .next_rip = cpu.next_rip});
  return true;
}

bool SvmExtension::intercept(Cpu& cpu, const Insn& in, Intercept what, u64 detail, u64 value) {
  if (const InterceptRow* plain = plain_intercept(what)) {
    if ((vector_of(vmcb(), plain->vector) >> plain->bit & 1) == 0) return false;
    return leave(cpu, plain->exit);
  }
  const unsigned number = detail & 0xf;
  const u8 gpr = static_cast<u8>(detail >> 8);
  switch (what) {
    case Intercept::CrRead:
      return read_cr(cpu, in, number, gpr);
    case Intercept::CrWrite:
    case Intercept::Lmsw:
      return write_cr(cpu, in, what, what == Intercept::Lmsw ? 0 : number, gpr, value);
    case Intercept::Clts:
      // CLTS changes nothing but TS, so the selective intercept never applies.
      if ((vmcb().get<Field::CrWrites>() & 1) == 0) return false;
      return leave(cpu, ExitCode::WriteCr0);
    case Intercept::DrRead:
      if ((vmcb().get<Field::DrReads>() >> number & 1) == 0) return false;
      return leave(cpu, plus(ExitCode::ReadDr0, number), if_assisted(cpu, gpr & 0xf));
    case Intercept::DrWrite:
      if ((vmcb().get<Field::DrWrites>() >> number & 1) == 0) return false;
      return leave(cpu, plus(ExitCode::WriteDr0, number), if_assisted(cpu, gpr & 0xf));
    case Intercept::Invlpg:
      if (!test3(bit_of(ExitCode::Invlpg))) return false;
      return leave(cpu, ExitCode::Invlpg, if_assisted(cpu, detail));
    case Intercept::SoftwareInt:
      if (!test3(vector3::SwInt)) return false;
      return leave(cpu, ExitCode::SwInt, if_assisted(cpu, detail & 0xff));
    case Intercept::IoIn:
    case Intercept::IoOut:
    case Intercept::Ins:
    case Intercept::Outs:
      return io(cpu, in, what, detail);
    case Intercept::Rdmsr:
    case Intercept::Wrmsr:
      return msr(cpu, static_cast<u32>(detail), what == Intercept::Wrmsr);
    case Intercept::SgdtSidt:
    case Intercept::LgdtLidt:
    case Intercept::SldtStr:
    case Intercept::LldtLtr: {
      const ExitCode code = table_exit(what, detail);
      return test3(bit_of(code)) && leave(cpu, code);
    }
    case Intercept::TaskSwitch:
      return test3(vector3::TaskSwitch) && task_switch(cpu, detail, value);
    case Intercept::Pause:
      return test3(vector3::Pause) && pause(cpu);
    case Intercept::Mwait: {
      const u32 v4 = vmcb().get<Field::Vector4>();
      if (v4 & vector4::Mwait) return leave(cpu, ExitCode::Mwait, detail & 1);
      if ((v4 & vector4::MwaitArmed) && (detail & 1))
        return leave(cpu, ExitCode::MwaitConditional, 1);
      return false;
    }
    default:
      return false;
  }
}

// With V_INTR_MASKING CR8 is V_TPR: the move is done here. APM 2 15.21.2.
bool SvmExtension::read_cr(Cpu& cpu, const Insn& in, unsigned cr, u8 gpr) {
  if (vmcb().get<Field::CrReads>() >> cr & 1)
    return leave(cpu, plus(ExitCode::ReadCr0, cr), cr_info(cpu, in, gpr));
  if (cr != 8 || !masks_interrupts()) return false;
  put_reg<u64>(cpu, in.dst, vmcb().get<Field::VTpr>() & 0xfu);
  cpu.rip = cpu.next_rip;
  return true;
}

bool SvmExtension::write_cr(Cpu& cpu, const Insn& in, Intercept what, unsigned cr, u8 gpr,
                            u64 value) {
  const u64 info = cr_info(cpu, in, gpr);
  if (vmcb().get<Field::CrWrites>() >> cr & 1)
    return leave(cpu, plus(ExitCode::WriteCr0, cr), info);
  if (cr == 0 && test3(vector3::Cr0SelWrite)) {
    // Any change other than of TS and MP; LMSW counts always. APM 2 15.9, table 15-7.
    const u64 changed = (cpu.cr0 ^ value) & ~(cr0::TS | cr0::MP);
    if (what == Intercept::Lmsw || changed) return leave(cpu, ExitCode::Cr0SelWrite, info);
  }
  if (cr != 8 || !masks_interrupts()) return false;
  vmcb().put<Field::VTpr>(static_cast<u8>(value & 0xf));
  cpu.rip = cpu.next_rip;
  cpu.request_exit();
  return true;
}

// A bit for each port; an access is intercepted if any of its bytes is. APM 2 15.10.1.
bool SvmExtension::io_intercepted(const Cpu& cpu, u16 port, unsigned size) const {
  const u64 map = vmcb().get<Field::IopmBase>() & ~kPageMask;
  const u64 first = map + port / 8;
  const unsigned bits = ((1u << size) - 1) << (port & 7);
  unsigned found = physical_byte(cpu, first);
  if (bits >> 8) found |= unsigned{physical_byte(cpu, first + 1)} << 8;
  return (found & bits) != 0;
}

bool SvmExtension::io(Cpu& cpu, const Insn& in, Intercept what, u64 detail) {
  if (!test3(vector3::IoioProt)) return false;
  const u16 port = static_cast<u16>(detail);
  const unsigned size = (detail >> 16) & 7;
  if (!io_intercepted(cpu, port, size)) return false;
  return leave(cpu, ExitCode::Ioio, io_info(cpu, in, what, port, size), cpu.next_rip);
}

bool SvmExtension::msr(Cpu& cpu, u32 index, bool write) {
  if (!test3(vector3::MsrProt)) return false;
  u32 bit;
  if (msr_position(index, bit)) {
    const u64 map = vmcb().get<Field::MsrpmBase>() & ~kPageMask;
    if (write) ++bit;
    if ((physical_byte(cpu, map + bit / 8) >> (bit & 7) & 1) == 0) return false;
  }
  return leave(cpu, ExitCode::Msr, write ? 1 : 0);
}

// APM 2 15.14.1 "Task-Switch Intercept".
bool SvmExtension::task_switch(Cpu& cpu, u64 detail, u64 error) {
  enum Source : u8 { kCall = 0, kIret = 1, kJump = 2, kGate = 3 };
  const auto source = static_cast<Source>(detail >> 16 & 3);
  const Event* delivering = cpu.delivering;
  u64 info2 = 0;
  if (source == kIret) info2 |= u64{1} << 36;
  if (source == kJump) info2 |= u64{1} << 38;
  if (source == kGate && delivering != nullptr && delivering->has_error)
    info2 |= u64{1} << 44 | (error & 0xffffffff);
  if (cpu.rflags_rest & rflags::RF) info2 |= u64{1} << 48;
  exit(cpu, {.code = ExitCode::TaskSwitch,
             .info1 = detail & 0xffff,
             .info2 = info2,
             .next_rip = delivering == nullptr ? cpu.next_rip : 0,
             .during = source == kGate ? delivering : nullptr});
  return true;
}

// APM 2 15.14.4 "Pause Intercept Filtering". Time between two PAUSEs counts in instructions.
bool SvmExtension::pause(Cpu& cpu) {
  if (!cpu.has(Feature::PauseFilter)) return leave(cpu, ExitCode::Pause);
  const u64 now = cpu.instructions();
  const u16 threshold = vmcb().get<Field::PauseFilterThreshold>();
  const bool filters = cpu.has(Feature::PauseFilterThreshold) && threshold != 0;
  if (filters && now - last_pause_ > threshold)
    pause_count_ = vmcb().get<Field::PauseFilterCount>();
  last_pause_ = now;
  if (pause_count_ == 0) return leave(cpu, ExitCode::Pause);
  --pause_count_;
  return false;
}

}  // namespace softvt::svm
