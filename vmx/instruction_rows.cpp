// SDM 3C 31.3 "VMX Instructions": operands, privilege, mode, exits in the guest, flags.
#include "cpu/access.h"
#include "cpu/msr/platform.h"
#include "cpu/sys/control_regs.h"
#include "cpu/sys/intercepted.h"
#include "vmx/extension.h"
#include "vmx/instructions.h"

namespace softvt::vmx {
namespace {

// SDM 3C 31.2 "Conventions": VMsucceed, VMfailInvalid, VMfailValid.
Step finish(Cpu& cpu, const VmResult& result) {
  switch (result.kind) {
    case VmResult::Kind::Succeed:
      cpu.set_arithmetic_flags(0);
      break;
    case VmResult::Kind::FailInvalid:
      cpu.set_arithmetic_flags(rflags::CF);
      break;
    case VmResult::Kind::FailValid:
      cpu.set_arithmetic_flags(rflags::ZF);
      break;
  }
  return Step::EndBlock;
}

// Compatibility mode has no VMX instructions. Nor has a processor outside VMX operation.
bool undefined(const Cpu& cpu) {
  return cpu.vmx == nullptr || !cpu.vmx_root || !cpu.protected_mode() || cpu.v86() ||
         (cpu.long_mode() && !cpu.code64());
}

// What all but VMXON and VMCALL check. True: go on; otherwise `step` is the result.
bool admitted(Cpu& cpu, const Insn& in, Intercept what, Step& step) {
  if (undefined(cpu)) {
    step = cpu.raise_ud();
    return false;
  }
  if (cpu.intercepted(in, what)) {
    step = intercepted_step(cpu);
    return false;
  }
  if (cpu.cpl() != 0) {
    step = cpu.raise_gp(0);
    return false;
  }
  return true;
}

unsigned operand_bytes(const Cpu& cpu) { return cpu.code64() ? 8 : 4; }

bool may_enter_vmx(const Cpu& cpu, const VmxExtension& vmx) {
  using namespace softvt::feature_control;
  constexpr u64 kWanted = kLock | kVmxOutsideSmx;
  const Capabilities& c = vmx.capabilities();
  return cpu.cpl() == 0 && (cpu.msr.feature_control & kWanted) == kWanted &&
         fixed_bits(cpu.cr0, c.cr0_fixed0, c.cr0_fixed1) &&
         fixed_bits(cpu.cr4, c.cr4_fixed0, c.cr4_fixed1);
}

Step vmxon(Cpu& cpu, const Insn& in) {
  const bool mode_ok = cpu.protected_mode() && !cpu.v86() && (!cpu.long_mode() || cpu.code64());
  if (cpu.vmx == nullptr || !mode_ok || (cpu.cr4 & cr4::VMXE) == 0) return cpu.raise_ud();
  VmxExtension& vmx = *cpu.vmx;
  if (cpu.intercepted(in, Intercept::Vmxon)) return intercepted_step(cpu);
  if (cpu.vmx_root) {
    if (cpu.cpl() != 0) return cpu.raise_gp(0);
    return finish(cpu, vmx.vmxon_in_root());
  }
  if (!may_enter_vmx(cpu, vmx)) return cpu.raise_gp(0);
  u64 pa;
  if (!load_operand(cpu, in, pa)) return Step::Fault;
  return finish(cpu, vmx.vmxon(cpu, pa));
}

Step vmxoff(Cpu& cpu, const Insn& in) {
  Step step;
  if (!admitted(cpu, in, Intercept::Vmxoff, step)) return step;
  return finish(cpu, cpu.vmx->vmxoff(cpu));
}

using PointerOp = VmResult (VmxExtension::*)(Cpu&, u64);

template <PointerOp Op, Intercept What>
Step pointer_instruction(Cpu& cpu, const Insn& in) {
  Step step;
  if (!admitted(cpu, in, What, step)) return step;
  u64 pa;
  if (!load_operand(cpu, in, pa)) return Step::Fault;
  return finish(cpu, (cpu.vmx->*Op)(cpu, pa));
}

Step vmptrst(Cpu& cpu, const Insn& in) {
  Step step;
  if (!admitted(cpu, in, Intercept::Vmptrst, step)) return step;
  u64 pa = 0;
  const VmResult result = cpu.vmx->vmptrst(cpu, pa);
  if (!store_operand(cpu, in, pa)) return Step::Fault;
  return finish(cpu, result);
}

// VMREAD r/m, r: src names the field.
Step vmread(Cpu& cpu, const Insn& in) {
  Step step;
  if (!admitted(cpu, in, Intercept::Vmread, step)) return step;
  const unsigned size = operand_bytes(cpu);
  u64 value = 0;
  const VmResult result = cpu.vmx->vmread(cpu, get_reg_sized(cpu, in.src, size), value);
  if (!result.ok()) return finish(cpu, result);
  if (in.form == Form::RR) {
    put_reg_sized(cpu, in.dst, size, value & size_mask(size));
    return finish(cpu, result);
  }
  u64 linear;
  if (!operand_address(cpu, in, size, Access::Write, linear) ||
      !write_linear(cpu, linear, &value, size))
    return Step::Fault;
  return finish(cpu, result);
}

// VMWRITE r, r/m: dst names the field.
Step vmwrite(Cpu& cpu, const Insn& in) {
  Step step;
  if (!admitted(cpu, in, Intercept::Vmwrite, step)) return step;
  const unsigned size = operand_bytes(cpu);
  u64 value = 0;
  if (in.form == Form::RR) {
    value = get_reg_sized(cpu, in.src, size);
  } else {
    u64 linear;
    if (!operand_address(cpu, in, size, Access::Read, linear) ||
        !read_linear(cpu, linear, &value, size))
      return Step::Fault;
  }
  return finish(cpu, cpu.vmx->vmwrite(cpu, get_reg_sized(cpu, in.dst, size), value));
}

using EntryOp = VmResult (VmxExtension::*)(Cpu&);

template <EntryOp Op, Intercept What>
Step entry_instruction(Cpu& cpu, const Insn& in) {
  Step step;
  if (!admitted(cpu, in, What, step)) return step;
  const VmResult result = (cpu.vmx->*Op)(cpu);
  return result.ok() ? Step::VmExit : finish(cpu, result);
}

struct InvalidationDescriptor {
  u64 low, high;
};

using InvalidateOp = VmResult (VmxExtension::*)(Cpu&, u64, u64, u64);

template <InvalidateOp Op, Intercept What>
Step invalidate_instruction(Cpu& cpu, const Insn& in) {
  Step step;
  if (!admitted(cpu, in, What, step)) return step;
  InvalidationDescriptor d;
  u64 linear;
  if (!operand_address(cpu, in, sizeof(d), Access::Read, linear) ||
      !read_linear(cpu, linear, &d, sizeof(d)))
    return Step::Fault;
  const u64 type = get_reg_sized(cpu, in.dst, operand_bytes(cpu));
  return finish(cpu, (cpu.vmx->*Op)(cpu, type, d.low, d.high));
}

// The only VMX instruction that a guest may execute at any privilege level.
Step vmcall(Cpu& cpu, const Insn& in) {
  if (cpu.intercepted(in, Intercept::Vmcall)) return intercepted_step(cpu);
  if (undefined(cpu)) return cpu.raise_ud();
  if (cpu.cpl() != 0) return cpu.raise_gp(0);
  return finish(cpu, cpu.vmx->vmcall_in_root());
}

// #UD in root operation and wherever "enable VM functions" is 0, which it always is.
Step vmfunc(Cpu& cpu, const Insn&) { return cpu.raise_ud(); }

constexpr InsnRow row(ZydisMnemonic mnemonic, ColdFn fn, bool ends = true) {
  return {.mnemonic = mnemonic, .fn = fn, .feature = Feature::Vmx, .ends_block = ends};
}

constexpr InsnRow kRows[] = {
    row(ZYDIS_MNEMONIC_VMXON, vmxon),
    row(ZYDIS_MNEMONIC_VMXOFF, vmxoff),
    row(ZYDIS_MNEMONIC_VMCLEAR, pointer_instruction<&VmxExtension::vmclear, Intercept::Vmclear>),
    row(ZYDIS_MNEMONIC_VMPTRLD, pointer_instruction<&VmxExtension::vmptrld, Intercept::Vmptrld>),
    row(ZYDIS_MNEMONIC_VMPTRST, vmptrst),
    row(ZYDIS_MNEMONIC_VMREAD, vmread),
    row(ZYDIS_MNEMONIC_VMWRITE, vmwrite),
    row(ZYDIS_MNEMONIC_VMLAUNCH, entry_instruction<&VmxExtension::vmlaunch, Intercept::Vmlaunch>),
    row(ZYDIS_MNEMONIC_VMRESUME, entry_instruction<&VmxExtension::vmresume, Intercept::Vmresume>),
    row(ZYDIS_MNEMONIC_INVEPT, invalidate_instruction<&VmxExtension::invept, Intercept::Invept>),
    row(ZYDIS_MNEMONIC_INVVPID, invalidate_instruction<&VmxExtension::invvpid, Intercept::Invvpid>),
    row(ZYDIS_MNEMONIC_VMCALL, vmcall),
    row(ZYDIS_MNEMONIC_VMFUNC, vmfunc),
};

}  // namespace

std::span<const InsnRow> vmx_rows() { return kRows; }

}  // namespace softvt::vmx
