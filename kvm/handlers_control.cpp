// Control registers and XCR0.
#include "cpu/fpu/xsave_layout.h"
#include "cpu/sys/control_regs.h"
#include "kvm/exit_handlers.h"
#include "kvm/vm.h"

namespace softvt::kvm {
namespace {

using Access = Exit::ControlRegister;

constexpr u64 kCr0Defined = cr0::PE | cr0::MP | cr0::EM | cr0::TS | cr0::ET | cr0::NE | cr0::WP |
                            cr0::AM | cr0::NW | cr0::CD | cr0::PG;

// The four PDPTEs from guest memory. False: a reserved bit is set. SDM 3A 4.4.1.
bool load_pdptes(Vcpu& vcpu) {
  constexpr u64 kReserved = 0x1e6;
  const u64 table = vcpu.backend().get(GuestField::Cr3) & 0xffffffe0;
  std::array<u64, 4> values{};
  if (!vcpu.vm().read_guest(table, values.data(), sizeof values)) return false;
  const u64 beyond = ~u64{0} << vcpu.host().cpu().phys_bits;
  for (const u64 value : values) {
    if ((value & 1) != 0 && (value & (kReserved | beyond)) != 0) return false;
  }
  vcpu.backend().set_pdptes(values);
  return true;
}

bool is_pae(u64 cr0_value, u64 cr4_value, u64 efer_value) {
  return (cr0_value & cr0::PG) != 0 && (cr4_value & cr4::PAE) != 0 && (efer_value & efer::LME) == 0;
}

// SDM 2B "MOV—Move to/from Control Registers", #GP(0).
bool cr0_acceptable(Vcpu& vcpu, u64 value) {
  if ((value >> 32) != 0) return false;
  if ((value & cr0::PG) != 0 && (value & cr0::PE) == 0) return false;
  if ((value & cr0::NW) != 0 && (value & cr0::CD) == 0) return false;
  const u64 cr4_value = vcpu.backend().get(GuestField::Cr4);
  const bool turns_on =
      (value & cr0::PG) != 0 && (vcpu.backend().get(GuestField::Cr0) & cr0::PG) == 0;
  const bool lme = (vcpu.backend().get(GuestField::Efer) & efer::LME) != 0;
  if (turns_on && lme && ((cr4_value & cr4::PAE) == 0 || vcpu.code64())) return false;
  const bool turns_off = (value & cr0::PG) == 0 && vcpu.code64();
  return !turns_off && ((value & cr0::PG) != 0 || (cr4_value & cr4::PCIDE) == 0);
}

bool write_cr0(Vcpu& vcpu, u64 value) {
  if (!cr0_acceptable(vcpu, value)) return false;
  value = (value & kCr0Defined) | cr0::ET;
  VendorBackend& backend = vcpu.backend();
  const u64 old = backend.get(GuestField::Cr0);
  u64 efer_value = backend.get(GuestField::Efer);
  if (is_pae(value, backend.get(GuestField::Cr4), efer_value) &&
      ((value ^ old) & (cr0::PG | cr0::CD | cr0::NW)) != 0 && !load_pdptes(vcpu)) {
    return false;
  }
  const bool long_mode = (value & cr0::PG) != 0 && (efer_value & efer::LME) != 0;
  efer_value = long_mode ? efer_value | efer::LMA : efer_value & ~efer::LMA;
  backend.set(GuestField::Efer, efer_value);
  backend.set(GuestField::Cr0, value);
  backend.flush_guest_tlb();
  return true;
}

bool write_cr4(Vcpu& vcpu, u64 value) {
  VendorBackend& backend = vcpu.backend();
  const u64 old = backend.get(GuestField::Cr4);
  const u64 supported = cr4_supported(vcpu.host().cpu()) & ~(cr4::VMXE | cr4::SMXE);
  if ((value & ~supported) != 0) return false;
  if (vcpu.long_mode() && ((value & cr4::PAE) == 0 || ((value ^ old) & cr4::LA57) != 0)) {
    return false;
  }
  if ((value & ~old & cr4::PCIDE) != 0 &&
      (!vcpu.long_mode() || (backend.get(GuestField::Cr3) & 0xfff) != 0)) {
    return false;
  }
  constexpr u64 kReloads = cr4::PAE | cr4::PGE | cr4::PSE | cr4::SMEP;
  if (((value ^ old) & kReloads) != 0 &&
      is_pae(backend.get(GuestField::Cr0), value, backend.get(GuestField::Efer)) &&
      !load_pdptes(vcpu)) {
    return false;
  }
  backend.set(GuestField::Cr4, value);
  backend.flush_guest_tlb();
  return true;
}

bool write_cr8(Vcpu& vcpu, u64 value) {
  if ((value & ~u64{0xf}) != 0) return false;
  if (vcpu.apic() != nullptr) vcpu.apic()->set_cr8(static_cast<u8>(value));
  return true;
}

bool write_cr(Vcpu& vcpu, unsigned number, u64 value) {
  switch (number) {
    case 0:
      return write_cr0(vcpu, value);
    case 4:
      return write_cr4(vcpu, value);
    case 8:
      return write_cr8(vcpu, value);
    default:
      return false;
  }
}

u64 read_cr(Vcpu& vcpu, unsigned number) {
  switch (number) {
    case 0:
      return vcpu.backend().get(GuestField::Cr0);
    case 3:
      return vcpu.backend().get(GuestField::Cr3);
    case 4:
      return vcpu.backend().get(GuestField::Cr4);
    case 8:
      return vcpu.apic() != nullptr ? vcpu.apic()->cr8() : 0;
    default:
      return 0;
  }
}

// False: #GP(0).
bool perform(Vcpu& vcpu, const Access& access) {
  const u64 cr0_value = vcpu.backend().get(GuestField::Cr0);
  switch (access.kind) {
    case Access::Kind::Read: {
      const u64 value = read_cr(vcpu, access.number);
      vcpu.set_gpr(access.gpr, vcpu.code64() ? value : value & 0xffffffff);
      return true;
    }
    case Access::Kind::Write: {
      const u64 value = vcpu.gpr(access.gpr);
      return write_cr(vcpu, access.number, vcpu.code64() ? value : value & 0xffffffff);
    }
    case Access::Kind::Clts:
      return write_cr0(vcpu, cr0_value & ~cr0::TS);
    case Access::Kind::Lmsw: {
      // PE can be set, not cleared. SDM 2A "LMSW".
      constexpr u64 kLow = cr0::PE | cr0::MP | cr0::EM | cr0::TS;
      return write_cr0(vcpu, (cr0_value & ~(kLow & ~cr0::PE)) | (access.lmsw & kLow));
    }
  }
  return false;
}

}  // namespace

Handled handle_cr_access(Vcpu& vcpu, const Exit& exit) {
  if (perform(vcpu, exit.cr)) {
    vcpu.skip_instruction(exit.insn_length != 0 ? exit.insn_length : 3);
  } else {
    vcpu.inject(Vector::GP, 0);
  }
  return Handled::Resume;
}

// The guest's XCR0 is the processor's: the layer itself saves nothing with XSAVE.
Handled handle_xsetbv(Vcpu& vcpu, const Exit&) {
  const u64 value = (vcpu.gpr(RAX) & 0xffffffff) | vcpu.gpr(RDX) << 32;
  const bool right = static_cast<u32>(vcpu.gpr(RCX)) == 0 && vcpu.cpl() == 0 &&
                     fpu::valid_xcr0(vcpu.host().cpu(), value);
  if (!right) {
    vcpu.inject(Vector::GP, 0);
    return Handled::Resume;
  }
  Cpu& cpu = vcpu.host().cpu();
  cpu.xcr0 = value;  // XSETBV
  cpu.update_mode();
  vcpu.skip_instruction(3);
  return Handled::Resume;
}

}  // namespace softvt::kvm
