// INVLPG, INVPCID, INVD, WBINVD, CLZERO. There are no caches; what is left are the checks, the
// intercepts and the TLB.
#include "cpu/access.h"
#include "cpu/sys/handlers.h"
#include "cpu/sys/intercepted.h"

namespace softvt {
namespace {

// Linear address without limit checks. In 64-bit mode only FS and GS have a base.
u64 unchecked_linear(const Cpu& cpu, const Insn& in) {
  const u64 offset = effective_address(cpu, in);
  const u64 base = cpu.seg[in.seg & 7].base;
  if (!cpu.code64()) return (base + offset) & 0xffffffff;
  const Seg seg = static_cast<Seg>(in.seg);
  return seg == Seg::FS || seg == Seg::GS ? base + offset : offset;
}

// SDM 2A "INVPCID-Invalidate Process-Context Identifier", table 3-54.
enum class InvpcidType : u8 { Address = 0, Context = 1, AllGlobal = 2, AllButGlobal = 3 };

struct InvpcidDescriptor {
  u64 pcid;
  u64 linear;
};
static_assert(sizeof(InvpcidDescriptor) == 16);

bool descriptor_acceptable(const Cpu& cpu, InvpcidType type, const InvpcidDescriptor& d) {
  if (d.pcid >> 12) return false;
  const bool names_pcid = type == InvpcidType::Address || type == InvpcidType::Context;
  if (names_pcid && d.pcid != 0 && (cpu.cr4 & cr4::PCIDE) == 0) return false;
  return type != InvpcidType::Address || canonical_for_register(cpu, d.linear);
}

// Entries of PCIDs other than the current one go together with everything else: invalidating more
// than was asked for is always allowed. SDM 3A 4.10.4.1.
void invalidate(Cpu& cpu, InvpcidType type, const InvpcidDescriptor& d) {
  const u64 current = (cpu.cr4 & cr4::PCIDE) ? cpu.cr3 & 0xfff : 0;
  if (type == InvpcidType::Address && d.pcid == current)
    cpu.tlb_flush_page(d.linear);
  else if (type == InvpcidType::Context && d.pcid == current)
    cpu.tlb_flush_all(true);
  else
    cpu.tlb_flush_everything();
}

Step cache_instruction(Cpu& cpu, const Insn& in, Intercept what) {
  if (cpu.cpl() != 0) return cpu.raise_gp(0);
  if (cpu.intercepted(in, what)) return intercepted_step(cpu);
  return Step::Next;
}

}  // namespace

Step invlpg(Cpu& cpu, const Insn& in) {
  if (cpu.cpl() != 0) return cpu.raise_gp(0);
  const u64 linear = unchecked_linear(cpu, in);
  if (cpu.intercepted(in, Intercept::Invlpg, linear)) return intercepted_step(cpu);
  if (canonical(cpu, linear)) cpu.tlb_flush_page(linear);
  return Step::EndBlock;
}

Step invpcid(Cpu& cpu, const Insn& in) {
  if (cpu.cpl() != 0) return cpu.raise_gp(0);
  if (cpu.intercepted(in, Intercept::Invpcid)) return intercepted_step(cpu);
  const u64 type = cpu.code64() ? get_reg<u64>(cpu, in.dst) : get_reg<u32>(cpu, in.dst);
  if (type > 3) return cpu.raise_gp(0);
  InvpcidDescriptor d;
  u64 linear;
  if (!operand_address(cpu, in, sizeof(d), Access::Read, linear) ||
      !read_linear(cpu, linear, &d, sizeof(d)))
    return Step::Fault;
  if (!descriptor_acceptable(cpu, static_cast<InvpcidType>(type), d)) return cpu.raise_gp(0);
  invalidate(cpu, static_cast<InvpcidType>(type), d);
  return Step::EndBlock;
}

Step invd(Cpu& cpu, const Insn& in) { return cache_instruction(cpu, in, Intercept::Invd); }
Step wbinvd(Cpu& cpu, const Insn& in) { return cache_instruction(cpu, in, Intercept::Wbinvd); }

// APM 3 "CLZERO": the 64-byte line that holds rAX, in DS unless a prefix says otherwise.
Step clzero(Cpu& cpu, const Insn& in) {
  constexpr unsigned kLine = 64;
  static constexpr u8 kZeros[kLine] = {};
  const u64 offset = get_reg_sized(cpu, RAX * 8, in.addrsize) & ~u64{kLine - 1};
  const Seg seg = in.seg <= static_cast<u8>(Seg::GS) ? static_cast<Seg>(in.seg) : Seg::DS;
  u64 linear;
  if (!segment_address(cpu, seg, offset, kLine, Access::Write, linear)) return Step::Fault;
  return write_linear(cpu, linear, kZeros, kLine) ? Step::Next : Step::Fault;
}

}  // namespace softvt
