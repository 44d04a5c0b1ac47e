#include "svm/entry_checks.h"

#include <utility>

#include "cpu/phys_memory.h"
#include "cpu/sys/control_regs.h"

namespace softvt::svm {
namespace {

using C = const CheckContext&;
constexpr Field kNone = Field::Count;
constexpr u64 kAll = ~u64{0};

u64 above(unsigned bits) { return bits >= 64 ? 0 : kAll << bits; }

bool bits_all(u64 value, u64 bits) { return (value & bits) == bits; }

bool long_mode_wanted(C c) {
  return (c.vmcb.get<Field::Efer>() & efer::LME) && (c.vmcb.get<Field::Cr0>() & cr0::PG);
}

bool nested_paging(C c) { return c.cpu.has(Feature::Npt) && (c.vmcb.get<Field::NpEnable>() & 1); }

// Both tables are of 8 KiB and more; the byte behind the second page must exist as well.
bool table_fits(C c, u64 base) {
  const u64 limit = u64{1} << c.cpu.phys_bits;
  base &= ~kPageMask;
  return base < limit && base + 2 * kPageSize < limit;
}

// APM 2 15.20 "Event Injection".
bool injectable(u64 injected) {
  if ((injected & event::Valid) == 0) return true;
  const unsigned vector = injected & 0xff;
  switch (static_cast<event::Type>((injected >> event::TypeShift) & 7)) {
    case event::Type::Interrupt:
    case event::Type::Nmi:
    case event::Type::SoftwareInterrupt:
      return true;
    case event::Type::Exception:
      return vector < 32 && vector != static_cast<unsigned>(Vector::NMI);
  }
  return false;
}

bool tlb_control_defined(C c) {
  switch (static_cast<TlbControl>(c.vmcb.get<Field::TlbControl>())) {
    case TlbControl::Nothing:
    case TlbControl::FlushAll:
      return true;
    case TlbControl::FlushGuest:
    case TlbControl::FlushGuestNonGlobal:
      return c.cpu.has(Feature::FlushByAsid);
  }
  return false;
}

// Memory types 2 and 3 are reserved. APM 2 7.8.1 "PAT Register".
bool pat_valid(u64 pat) {
  for (unsigned i = 0; i < 8; ++i) {
    const u64 type = (pat >> (i * 8)) & 0xff;
    if (type > 7 || type == 2 || type == 3) return false;
  }
  return true;
}

// Without nested paging VMRUN loads the PDPTE registers. APM 2 15.25.10, 5.2.3.
bool pdptes_valid(C c) {
  const u64 cr0 = c.vmcb.get<Field::Cr0>();
  const u64 cr4 = c.vmcb.get<Field::Cr4>();
  const bool pae = (cr0 & cr0::PG) && (cr4 & cr4::PAE) && !long_mode_wanted(c);
  if (!pae || nested_paging(c) || c.cpu.mem == nullptr) return true;
  constexpr u64 kReservedLow = 0x1e6;
  for (unsigned i = 0; i < 4; ++i) {
    u64 entry = kAll;
    c.cpu.mem->read((c.vmcb.get<Field::Cr3>() & 0xffffffe0) + i * 8, &entry, 8);
    if ((entry & 1) && (entry & (kReservedLow | above(c.cpu.phys_bits)))) return false;
  }
  return true;
}

constexpr u64 kCsLong = 1 << 9;  // L and D in the layout of the attributes
constexpr u64 kCsDefault = 1 << 10;

constexpr std::string_view kBasic = "APM 2 15.5.1";
using F = Field;

// clang-format off
constexpr CheckRow kRows[] = {
    {"svm.efer-svme", kBasic, "EFER.SVME is 0", "EFER bit 12 (SVME) = 1",
     {F::Efer, kNone, kNone, kNone},
     [](C c) { return (c.vmcb.get<F::Efer>() & efer::SVME) != 0; },
     {{{{F::Efer, efer::SVME, 0}}}}},
    {"svm.cr0-nw-without-cd", kBasic, "CR0.CD is 0 and CR0.NW is 1",
     "CR0 bit 29 (NW) = 0, or bit 30 (CD) = 1",
     {F::Cr0, kNone, kNone, kNone},
     [](C c) { return (c.vmcb.get<F::Cr0>() & (cr0::CD | cr0::NW)) != cr0::NW; },
     {{{{F::Cr0, cr0::CD, cr0::NW}}}}},
    {"svm.cr0-high", kBasic, "CR0 bits 63:32 are not 0", "CR0[63:32] = 0",
     {F::Cr0, kNone, kNone, kNone},
     [](C c) { return (c.vmcb.get<F::Cr0>() >> 32) == 0; },
     {{{{F::Cr0, 0, u64{1} << 40}}}}},
    {"svm.cr3-mbz", kBasic, "a must-be-zero bit of CR3 is set",
     "no bit at or above the physical-address width (CPUID 8000_0008H EAX[7:0])",
     {F::Cr3, kNone, kNone, kNone},
     [](C c) { return (c.vmcb.get<F::Cr3>() & above(c.cpu.phys_bits)) == 0; },
     {{{{F::Cr3, 0, u64{1} << 60}}}}},
    {"svm.cr4-mbz", kBasic, "a must-be-zero bit of CR4 is set",
     "only bits whose feature CPUID reports",
     {F::Cr4, kNone, kNone, kNone},
     [](C c) { return (c.vmcb.get<F::Cr4>() & ~c.allowed.cr4) == 0; },
     {{{{F::Cr4, 0, u64{1} << 13}}}}},
    {"svm.dr6-high", kBasic, "DR6 bits 63:32 are not 0", "DR6[63:32] = 0",
     {F::Dr6, kNone, kNone, kNone},
     [](C c) { return (c.vmcb.get<F::Dr6>() >> 32) == 0; },
     {{{{F::Dr6, 0, u64{1} << 32}}}}},
    {"svm.dr7-high", kBasic, "DR7 bits 63:32 are not 0", "DR7[63:32] = 0",
     {F::Dr7, kNone, kNone, kNone},
     [](C c) { return (c.vmcb.get<F::Dr7>() >> 32) == 0; },
     {{{{F::Dr7, 0, u64{1} << 63}}}}},
    {"svm.efer-mbz", kBasic, "a must-be-zero bit of EFER is set",
     "only bits whose feature CPUID reports, and LMA",
     {F::Efer, kNone, kNone, kNone},
     [](C c) { return (c.vmcb.get<F::Efer>() & ~c.allowed.efer) == 0; },
     {{{{F::Efer, 0, 1 << 3}}}}},
    {"svm.long-mode-without-pae", kBasic, "EFER.LME and CR0.PG are 1 and CR4.PAE is 0",
     "CR4 bit 5 (PAE) = 1, or EFER.LME = 0, or CR0.PG = 0",
     {F::Efer, F::Cr0, F::Cr4, kNone},
     [](C c) { return !long_mode_wanted(c) || (c.vmcb.get<F::Cr4>() & cr4::PAE); },
     {{{{F::Cr4, cr4::PAE, 0}}}}},
    {"svm.long-mode-without-pe", kBasic, "EFER.LME and CR0.PG are 1 and CR0.PE is 0",
     "CR0 bit 0 (PE) = 1, or EFER.LME = 0, or CR0.PG = 0",
     {F::Efer, F::Cr0, kNone, kNone},
     [](C c) { return !long_mode_wanted(c) || (c.vmcb.get<F::Cr0>() & cr0::PE); },
     {{{{F::Cr0, cr0::PE, 0}}}}},
    {"svm.cs-long-and-default", kBasic, "EFER.LME, CR0.PG, CR4.PAE, CS.L and CS.D are all 1",
     "CS.ATTRIB bit 9 (L) or bit 10 (D) = 0",
     {F::Efer, F::Cr0, F::Cr4, F::CsAttributes},
     [](C c) {
       return !(long_mode_wanted(c) && (c.vmcb.get<F::Cr4>() & cr4::PAE) &&
                bits_all(c.vmcb.get<F::CsAttributes>(), kCsLong | kCsDefault));
     },
     {{{{F::CsAttributes, 0, kCsLong | kCsDefault}}}}},
    {"svm.vmrun-intercept", kBasic, "the VMRUN intercept is clear",
     "INTERCEPT_VECTOR_4 bit 0 (VMRUN) = 1",
     {F::Vector4, kNone, kNone, kNone},
     [](C c) { return (c.vmcb.get<F::Vector4>() & 1) != 0; },
     {{{{F::Vector4, 1, 0}}}}},
    {"svm.iopm-address", kBasic,
     "the I/O permission map extends beyond the supported physical addresses",
     "IOPM_BASE_PA + 8 KiB below 2 to the physical-address width",
     {F::IopmBase, kNone, kNone, kNone},
     [](C c) { return table_fits(c, c.vmcb.get<F::IopmBase>()); },
     {{{{F::IopmBase, 0, u64{1} << 60}}}}},
    {"svm.msrpm-address", kBasic,
     "the MSR permission map extends beyond the supported physical addresses",
     "MSRPM_BASE_PA + 8 KiB below 2 to the physical-address width",
     {F::MsrpmBase, kNone, kNone, kNone},
     [](C c) { return table_fits(c, c.vmcb.get<F::MsrpmBase>()); },
     {{{{F::MsrpmBase, 0, u64{1} << 60}}}}},
    {"svm.event-injection", "APM 2 15.20", "EVENTINJ names an event that does not exist",
     "type 0 (INTR), 2 (NMI), 4 (INTn), or 3 (exception) with a vector below 32 other than 2",
     {F::EventInj, kNone, kNone, kNone},
     [](C c) { return injectable(c.vmcb.get<F::EventInj>()); },
     {{{{F::EventInj, kAll, event::Valid | 3 << 8 | 2}}}}},
    {"svm.asid-zero", kBasic, "the ASID is 0, which is the host's", "GUEST_ASID other than 0",
     {F::GuestAsid, kNone, kNone, kNone},
     [](C c) { return c.vmcb.get<F::GuestAsid>() != 0; },
     {{{{F::GuestAsid, kAll, 0}}}}},
    {"svm.tlb-control", "APM 2 15.16.1", "TLB_CONTROL has a reserved encoding",
     "0, 1, and with CPUID 8000_000AH EDX[6] (FlushByAsid) also 3 and 7",
     {F::TlbControl, kNone, kNone, kNone},
     [](C c) { return tlb_control_defined(c); },
     {{{{F::TlbControl, kAll, 2}}}}},
    {"svm.pdptes", "APM 2 15.5.1, 5.2.3",
     "a PDPTE at CR3 has a reserved bit set (legacy PAE paging without nested paging)",
     "PDPTEs with bits 2:1, 8:5 and those above the physical-address width 0, or P = 0",
     {F::Cr3, F::Cr0, F::Cr4, F::Efer},
     [](C c) { return pdptes_valid(c); },
     {{{{F::Efer, efer::LME | efer::LMA, 0}, {F::Cr3, kAll, u64{1} << 31}, {F::NpEnable, 1, 0}}}}},
    {"svm.nested-host-paging", "APM 2 15.25.3", "NP_ENABLE is 1 while the host's CR0.PG is 0",
     "NP_ENABLE = 0, or VMRUN with paging on",
     {F::NpEnable, kNone, kNone, kNone},
     [](C c) { return !nested_paging(c) || (c.cpu.cr0 & cr0::PG); },
     {{{{F::NpEnable, 0, 1}}}, true}},
    {"svm.ncr3-mbz", "APM 2 15.25.4", "a must-be-zero bit of N_CR3 is set",
     "no bit at or above the physical-address width",
     {F::NCr3, F::NpEnable, kNone, kNone},
     [](C c) { return !nested_paging(c) || (c.vmcb.get<F::NCr3>() & above(c.cpu.phys_bits)) == 0; },
     {{{{F::NpEnable, 0, 1}, {F::NCr3, 0, u64{1} << 60}}}}},
    {"svm.g-pat", "APM 2 15.25.4", "G_PAT has a reserved memory type",
     "each byte one of 0, 1, 4, 5, 6, 7",
     {F::GPat, F::NpEnable, kNone, kNone},
     [](C c) { return !nested_paging(c) || pat_valid(c.vmcb.get<F::GPat>()); },
     {{{{F::NpEnable, 0, 1}, {F::GPat, kAll, 2}}}}},
};
// clang-format on

// The rows are constants, so the compiler turns this into straight code.
template <std::size_t... I>
bool all_hold(C c, std::index_sequence<I...>) {
  return (kRows[I].holds(c) && ...);
}

}  // namespace

std::span<const CheckRow> check_rows() { return kRows; }

AllowedBits allowed_bits(const Cpu& cpu) {
  return {.cr4 = cr4_supported(cpu), .efer = efer_supported(cpu) | efer::LMA};
}

bool checks_hold(const CheckContext& context) {
  return all_hold(context, std::make_index_sequence<std::size(kRows)>());
}

void report_checks(const CheckContext& context, CheckReport& report) {
  report.clear();
  for (const CheckRow& check : kRows) {
    if (check.holds(context)) continue;
    CheckFailure failure;
    failure.id = check.id;
    failure.section = check.section;
    failure.message = check.message;
    failure.allowed = check.allowed;
    for (const Field field : check.fields) {
      if (field == kNone) continue;
      failure.add(row(field).name, context.vmcb.read(field), row(field).bytes * 8u);
    }
    report.add(failure);
  }
}

}  // namespace softvt::svm
