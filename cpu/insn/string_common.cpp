#include "cpu/insn/string_common.h"

namespace softvt::insn {
namespace {

// #AC is checked per element by the access functions. SDM 3A 6.15, "Interrupt 17".
bool alignment_checked(const Cpu& cpu) {
  return cpu.cpl() == 3 && (cpu.cr0 & cr0::AM) && (cpu.rflags_rest & rflags::AC);
}

// The last offset that the segment's limit allows. SDM 3A 5.3 "Limit Checking".
u64 last_offset(const Cpu& cpu, Seg seg) {
  if (cpu.code64()) return ~u64{0};
  const Segment& s = cpu.seg[static_cast<u8>(seg) & 7];
  const bool expand_down = !(s.rights & seg_rights::Code) && (s.rights & seg_rights::ExpandDown);
  if (!expand_down) return s.limit;
  return (s.rights & seg_rights::DB) ? 0xffffffff : 0xffff;
}

}  // namespace

u64 elements_in_reach(const Cpu& cpu, const Insn& in, Seg seg, u64 offset, u64 linear,
                      unsigned size) {
  if (linear % size != 0 && alignment_checked(cpu)) return 0;
  const u64 last = std::min(last_offset(cpu, seg), size_mask(in.addrsize));
  if (last < offset) return 0;
  // One less than the bytes, which could be 2^64.
  const u64 bytes = std::min({last - offset, kPageMask - (linear & kPageMask), u64{kRunBytes - 1}});
  return (bytes + 1) / size;
}

}  // namespace softvt::insn
