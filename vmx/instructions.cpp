// The VMX instructions without their operands. SDM 3C chapter 31 "VMX Instruction Reference".
#include "cpu/core/tlb.h"
#include "cpu/phys_memory.h"
#include "vmx/extension.h"

namespace softvt::vmx {
namespace {

// Host address of a region that may be written, or null: not RAM, or ROM.
u8* region_at(const Cpu& cpu, u64 pa) {
  u8* page = cpu.mem->page(pa);
  if (page == nullptr || (*cpu.mem->flags(pa) & page_flag::kReadOnly)) return nullptr;
  return page;
}

// What is no memory reads as ones.
u32 revision_at(const Cpu& cpu, u64 pa) {
  u32 revision = ~u32{0};
  cpu.mem->read(pa, &revision, 4);
  return revision;
}

}  // namespace

// SDM 3C 31.2: VMfailValid if there is a current VMCS, VMfailInvalid otherwise.
VmResult VmxExtension::fail(InsnError error) {
  if (!vmcs_) return kVmFailInvalid;
  vmcs_.set(Field::VM_INSTRUCTION_ERROR, static_cast<u64>(error));
  return {VmResult::Kind::FailValid, error};
}

bool VmxExtension::good_pointer(const Cpu&, u64 pa) const {
  return (pa & kPageMask) == 0 && (pa & caps_.physical_limit()) == 0;
}

VmResult VmxExtension::vmxon(Cpu& cpu, u64 pa) {
  // RESET leaves VMX operation by clearing cpu.vmx_root alone.
  if (active() && cpu.vmx_root) return fail(InsnError::VmxonInRoot);
  if (!good_pointer(cpu, pa) || revision_at(cpu, pa) != kRevisionId) return kVmFailInvalid;
  vmxon_pointer_ = pa;
  current_ = kNoVmcs;
  vmcs_ = Vmcs();
  cpu.vmx_root = true;
  return kVmSucceed;
}

VmResult VmxExtension::vmxoff(Cpu& cpu) {
  vmxon_pointer_ = kNoVmcs;
  current_ = kNoVmcs;
  vmcs_ = Vmcs();
  cpu.vmx_root = false;
  cpu.request_exit();  // INIT may have been blocked
  return kVmSucceed;
}

VmResult VmxExtension::vmclear(Cpu& cpu, u64 pa) {
  if (!good_pointer(cpu, pa)) return fail(InsnError::VmclearInvalidAddress);
  if (pa == vmxon_pointer_) return fail(InsnError::VmclearVmxonPointer);
  if (u8* region = region_at(cpu, pa)) Vmcs(region).set_launch_state(LaunchState::Clear);
  if (pa == current_) {
    current_ = kNoVmcs;
    vmcs_ = Vmcs();
  }
  return kVmSucceed;
}

VmResult VmxExtension::vmptrld(Cpu& cpu, u64 pa) {
  if (!good_pointer(cpu, pa)) return fail(InsnError::VmptrldInvalidAddress);
  if (pa == vmxon_pointer_) return fail(InsnError::VmptrldVmxonPointer);
  u8* region = region_at(cpu, pa);
  if (region == nullptr || revision_at(cpu, pa) != kRevisionId)
    return fail(InsnError::VmptrldWrongRevision);
  if (pa != current_) dirty_ = dirty::kAll;
  current_ = pa;
  vmcs_ = Vmcs(region);
  return kVmSucceed;
}

VmResult VmxExtension::vmptrst(Cpu&, u64& pa) const {
  pa = current_;
  return kVmSucceed;
}

VmResult VmxExtension::vmread(Cpu&, u64 encoding, u64& value) {
  if (!vmcs_) return kVmFailInvalid;
  bool high = false;
  const FieldRow* row = find_field(encoding, &high);
  if (row == nullptr || !caps_.has_field(*row)) return fail(InsnError::UnsupportedField);
  value = vmcs_.get(row->field);
  if (high) value >>= 32;
  return kVmSucceed;
}

VmResult VmxExtension::vmwrite(Cpu&, u64 encoding, u64 value) {
  if (!vmcs_) return kVmFailInvalid;
  bool high = false;
  const FieldRow* row = find_field(encoding, &high);
  if (row == nullptr || !caps_.has_field(*row)) return fail(InsnError::UnsupportedField);
  if (type_of(row->field) == FieldType::ReadOnly && (caps_.misc & misc::WritableReadOnly) == 0)
    return fail(InsnError::ReadOnlyField);
  if (high) value = value << 32 | (vmcs_.get(row->field) & 0xffffffff);
  vmcs_.set(row->field, value);
  dirty_ |= dirty_group(row->field);
  return kVmSucceed;
}

// SDM 3C 29.4.3.1 "Operations that Invalidate Cached Mappings": more may be dropped than is asked.
VmResult VmxExtension::invept(Cpu& cpu, u64 type, u64 eptp, u64) {
  switch (static_cast<InveptType>(type)) {
    case InveptType::SingleContext: {
      CheckContext ctx{vmcs_, caps_};
      constexpr u64 kReserved = 0xf80;
      const u64 memory_type = eptp & 7;
      const bool good = (memory_type == 0 || memory_type == 6) && (eptp >> 3 & 7) == 3 &&
                        (eptp & kReserved) == 0 && physical(ctx, eptp);
      if (!good) return fail(InsnError::InvalidInvalidationOperand);
      if (cpu.tlbs != nullptr) cpu.tlbs->flush_second_stage(cpu, eptp);
      return kVmSucceed;
    }
    case InveptType::Global:
      if (cpu.tlbs != nullptr) cpu.tlb_flush_everything();
      return kVmSucceed;
  }
  return fail(InsnError::InvalidInvalidationOperand);
}

VmResult VmxExtension::invvpid(Cpu& cpu, u64 type, u64 vpid_word, u64 linear) {
  if (type > 3) return fail(InsnError::InvalidInvalidationOperand);
  const u16 vpid = static_cast<u16>(vpid_word);
  const auto kind = static_cast<InvvpidType>(type);
  if (vpid_word >> 16) return fail(InsnError::InvalidInvalidationOperand);
  if (kind != InvvpidType::All && vpid == 0) return fail(InsnError::InvalidInvalidationOperand);
  if (kind == InvvpidType::Address) {
    const unsigned shift = 64 - caps_.linear_bits;
    if (static_cast<u64>(static_cast<i64>(linear << shift) >> shift) != linear)
      return fail(InsnError::InvalidInvalidationOperand);
  }
  if (cpu.tlbs == nullptr) return kVmSucceed;
  if (kind == InvvpidType::All)
    cpu.tlb_flush_everything();
  else
    cpu.tlbs->flush_asid(cpu, vpid, true);
  return kVmSucceed;
}

}  // namespace softvt::vmx
