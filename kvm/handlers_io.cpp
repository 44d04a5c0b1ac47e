// IN, OUT, INS, OUTS: one element goes to user space at a time. A string instruction with REP is
// left in place until its count is used up, so each element is an exit of its own.
#include "kvm/exit_handlers.h"

namespace softvt::kvm {
namespace {

void start(Vcpu& vcpu, const Exit::Io& io, u32 data) {
  Run& run = vcpu.run_area();
  run.io = {!io.in, io.size, io.port, data};
}

u8 length_of(const Exit& exit) { return exit.insn_length != 0 ? exit.insn_length : 1; }

// ---- strings -----------------------------------------------------------------------------------

u64 element_address(Vcpu& vcpu, const Exit::Io& io) {
  const unsigned index = io.in ? RDI : RSI;
  const u64 offset = vcpu.gpr_part(index, io.address_size, false);
  const Seg seg = io.in ? Seg::ES : io.seg;
  if (vcpu.code64()) {
    const bool has_base = seg == Seg::FS || seg == Seg::GS;
    return offset + (has_base ? vcpu.backend().segment(seg).base : 0);
  }
  return (vcpu.backend().segment(seg).base + offset) & 0xffffffff;
}

void advance(Vcpu& vcpu, const Exit::Io& io, u8 length) {
  const unsigned index = io.in ? RDI : RSI;
  const bool down = (vcpu.backend().get(GuestField::Rflags) & rflags::DF) != 0;
  const u64 at = vcpu.gpr_part(index, io.address_size, false);
  vcpu.set_gpr_part(index, io.address_size, false, down ? at - io.size : at + io.size);
  if (!io.rep) return vcpu.skip_instruction(length);
  const u64 count = vcpu.gpr_part(RCX, io.address_size, false) - 1;
  vcpu.set_gpr_part(RCX, io.address_size, false, count);
  if ((count & size_mask(io.address_size)) == 0) vcpu.skip_instruction(length);
}

Handled handle_string(Vcpu& vcpu, const Exit& exit) {
  const Exit::Io io = exit.io;
  const u8 length = length_of(exit);
  const u64 address = element_address(vcpu, io);
  Vcpu::PageFault fault;
  u32 data = 0;
  if (!io.in && !vcpu.read_linear(address, &data, io.size, fault)) {
    vcpu.inject_page_fault(fault.linear, fault.error);
    return Handled::Resume;
  }
  start(vcpu, io, data);
  return vcpu.to_user(RunExit::Io, [&vcpu, io, length, address](u64 value) {
    Vcpu::PageFault late;
    const auto element = static_cast<u32>(value);
    if (io.in && !vcpu.write_linear(address, &element, io.size, late)) {
      return vcpu.inject_page_fault(late.linear, late.error);
    }
    advance(vcpu, io, length);
  });
}

}  // namespace

Handled handle_io(Vcpu& vcpu, const Exit& exit) {
  if (exit.io.string) return handle_string(vcpu, exit);
  const Exit::Io io = exit.io;
  const u8 length = length_of(exit);
  start(vcpu, io, io.in ? 0 : static_cast<u32>(vcpu.gpr_part(RAX, io.size, false)));
  return vcpu.to_user(RunExit::Io, [&vcpu, io, length](u64 value) {
    if (io.in) vcpu.set_gpr_part(RAX, io.size, false, value);
    vcpu.skip_instruction(length);
  });
}

}  // namespace softvt::kvm
