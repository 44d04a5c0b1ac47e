// SDM 3C 27.3.1.2 "Checks on Guest Segment Registers".
#include "cpu/bits.h"
#include "vmx/entry_checks.h"

namespace softvt::vmx {
namespace {

using enum Field;
using C = const CheckContext&;
namespace sr = seg_rights;

bool v86(C c) { return c[GUEST_RFLAGS] & rflags::VM; }
bool guest64(C c) { return c.on(Control::Ia32eModeGuest); }
bool unrestricted(C c) { return c.on(Control::UnrestrictedGuest); }

unsigned type(C c, Field rights) { return c[rights] & sr::TypeMask; }
unsigned dpl(C c, Field rights) { return (c[rights] & sr::DplMask) >> sr::DplShift; }
bool usable(C c, Field rights) { return (c[rights] & sr::Unusable) == 0; }
// Most checks of access rights concern usable registers outside virtual-8086 mode; CS always.
template <Field Rights>
bool examined(C c) {
  return !v86(c) && (Rights == GUEST_CS_AR_BYTES || usable(c, Rights));
}

template <Field Base, Field Selector>
bool v86_base(C c) {
  return !v86(c) || c[Base] == c[Selector] << 4;
}
template <Field Limit>
bool v86_limit(C c) {
  return !v86(c) || c[Limit] == 0xffff;
}
template <Field Rights>
bool v86_rights(C c) {
  return !v86(c) || c[Rights] == 0xf3;
}
template <Field Rights>
bool data_type(C c) {
  if (!examined<Rights>(c)) return true;
  const unsigned t = type(c, Rights);
  return (t & sr::Accessed) && (!(t & sr::Code) || (t & sr::Readable));
}
template <Field Rights>
bool non_system(C c) {
  return !examined<Rights>(c) || (c[Rights] & sr::S);
}
template <Field Rights, Field Selector>
bool data_dpl(C c) {
  if (!examined<Rights>(c) || unrestricted(c) || type(c, Rights) > 11) return true;
  return dpl(c, Rights) >= (c[Selector] & 3);
}
template <Field Rights>
bool present(C c) {
  return !examined<Rights>(c) || (c[Rights] & sr::P);
}
constexpr u32 kReserved = 0xfffe0f00;  // bits 31:17 and 11:8
template <Field Rights>
bool reserved(C c) {
  return !examined<Rights>(c) || (c[Rights] & kReserved) == 0;
}
bool granular(C c, Field rights, Field limit) {
  const bool g = c[rights] & sr::G;
  const bool low_ones = (c[limit] & 0xfff) == 0xfff, high_zero = (c[limit] >> 20) == 0;
  return (low_ones || !g) && (high_zero || g);
}
template <Field Rights, Field Limit>
bool granularity(C c) {
  return !examined<Rights>(c) || granular(c, Rights, Limit);
}
template <Field Base, Field Rights>
bool base32(C c) {
  return !usable(c, Rights) || upper_half_clear(c, Base);
}
template <Field Base>
bool canonical_field(C c) {
  return canonical(c, Base);
}

bool cs_type(C c) {
  if (v86(c)) return true;
  const unsigned t = type(c, GUEST_CS_AR_BYTES);
  if (t == 3) return unrestricted(c);
  return (t & (sr::Code | sr::Accessed)) == (sr::Code | sr::Accessed);
}
bool ss_type(C c) {
  if (!examined<GUEST_SS_AR_BYTES>(c)) return true;
  const unsigned t = type(c, GUEST_SS_AR_BYTES);
  return t == 3 || t == 7;
}
bool cs_dpl(C c) {
  if (v86(c)) return true;
  const unsigned cs = dpl(c, GUEST_CS_AR_BYTES), ss = dpl(c, GUEST_SS_AR_BYTES);
  switch (type(c, GUEST_CS_AR_BYTES)) {
    case 3:
      return cs == 0;
    case 9:
    case 11:
      return cs == ss;
    case 13:
    case 15:
      return cs <= ss;
    default:
      return true;
  }
}
bool ss_dpl_rpl(C c) {
  return v86(c) || unrestricted(c) || dpl(c, GUEST_SS_AR_BYTES) == (c[GUEST_SS_SELECTOR] & 3);
}
bool ss_dpl_zero(C c) {
  const bool real = type(c, GUEST_CS_AR_BYTES) == 3 || (c[GUEST_CR0] & cr0::PE) == 0;
  return v86(c) || !real || dpl(c, GUEST_SS_AR_BYTES) == 0;
}
bool ss_cs_rpl(C c) {
  return v86(c) || unrestricted(c) || ((c[GUEST_SS_SELECTOR] ^ c[GUEST_CS_SELECTOR]) & 3) == 0;
}
bool cs_l_and_d(C c) {
  constexpr u32 kBoth = sr::L | sr::DB;
  return v86(c) || !guest64(c) || (c[GUEST_CS_AR_BYTES] & kBoth) != kBoth;
}
bool tr_type(C c) {
  const unsigned t = type(c, GUEST_TR_AR_BYTES);
  return t == 11 || (t == 3 && !guest64(c));
}

constexpr std::string_view kSection = "27.3.1.2";
constexpr std::string_view kV86Base = "must be selector * 16 in virtual-8086 mode";
constexpr std::string_view kV86Limit = "must be 0000FFFFH in virtual-8086 mode";
constexpr std::string_view kV86Rights = "must be 000000F3H in virtual-8086 mode";
constexpr std::string_view kNonSystem = "S (bit 4) must be 1";
constexpr std::string_view kPresent = "P (bit 7) must be 1";
constexpr std::string_view kReservedRule = "bits 31:17 and 11:8 must be 0";
constexpr std::string_view kGranularity =
    "G (bit 15) must be 0 if a bit of limit 11:0 is 0, and 1 if a bit of limit 31:20 is 1";
constexpr std::string_view kDataType =
    "accessed (bit 0) must be 1; readable (bit 1) too if it is a code segment (bit 3)";
constexpr std::string_view kDataDpl =
    "DPL must not be below the selector's RPL for types 0 to 11, without \"unrestricted guest\"";
constexpr std::string_view kUpperBase = "bits 63:32 must be 0";
constexpr std::string_view kCanonical = "must be canonical";

// The rows that all six segments have, and those of DS, ES, FS and GS.
#define SOFTVT_SEGMENT_ROWS(S, s)                                                                 \
  {"guest." s ".v86_base",                                                                        \
   kSection,                                                                                      \
   {GUEST_##S##_BASE, GUEST_##S##_SELECTOR, GUEST_RFLAGS},                                        \
   v86_base<GUEST_##S##_BASE, GUEST_##S##_SELECTOR>,                                              \
   kV86Base},                                                                                     \
      {"guest." s ".v86_limit",                                                                   \
       kSection,                                                                                  \
       {GUEST_##S##_LIMIT, GUEST_RFLAGS},                                                         \
       v86_limit<GUEST_##S##_LIMIT>,                                                              \
       kV86Limit},                                                                                \
      {"guest." s ".v86_rights",                                                                  \
       kSection,                                                                                  \
       {GUEST_##S##_AR_BYTES, GUEST_RFLAGS},                                                      \
       v86_rights<GUEST_##S##_AR_BYTES>,                                                          \
       kV86Rights},                                                                               \
      {"guest." s ".system",                                                                      \
       kSection,                                                                                  \
       {GUEST_##S##_AR_BYTES, GUEST_RFLAGS},                                                      \
       non_system<GUEST_##S##_AR_BYTES>,                                                          \
       kNonSystem},                                                                               \
      {"guest." s ".present",                                                                     \
       kSection,                                                                                  \
       {GUEST_##S##_AR_BYTES, GUEST_RFLAGS},                                                      \
       present<GUEST_##S##_AR_BYTES>,                                                             \
       kPresent},                                                                                 \
      {"guest." s ".reserved",                                                                    \
       kSection,                                                                                  \
       {GUEST_##S##_AR_BYTES, GUEST_RFLAGS},                                                      \
       reserved<GUEST_##S##_AR_BYTES>,                                                            \
       kReservedRule},                                                                            \
  {                                                                                               \
    "guest." s ".granularity", kSection, {GUEST_##S##_AR_BYTES, GUEST_##S##_LIMIT, GUEST_RFLAGS}, \
        granularity<GUEST_##S##_AR_BYTES, GUEST_##S##_LIMIT>, kGranularity                        \
  }
#define SOFTVT_DATA_SEGMENT_ROWS(S, s)                                                        \
  {"guest." s ".type",                                                                        \
   kSection,                                                                                  \
   {GUEST_##S##_AR_BYTES, GUEST_RFLAGS},                                                      \
   data_type<GUEST_##S##_AR_BYTES>,                                                           \
   kDataType},                                                                                \
  {                                                                                           \
    "guest." s ".dpl", kSection,                                                              \
        {GUEST_##S##_AR_BYTES, GUEST_##S##_SELECTOR, GUEST_RFLAGS, SECONDARY_VM_EXEC_CONTROL, \
         CPU_BASED_VM_EXEC_CONTROL},                                                          \
        data_dpl<GUEST_##S##_AR_BYTES, GUEST_##S##_SELECTOR>, kDataDpl                        \
  }

constexpr CheckRow kRows[] = {
    SOFTVT_SEGMENT_ROWS(CS, "cs"),
    SOFTVT_SEGMENT_ROWS(SS, "ss"),
    SOFTVT_SEGMENT_ROWS(DS, "ds"),
    SOFTVT_SEGMENT_ROWS(ES, "es"),
    SOFTVT_SEGMENT_ROWS(FS, "fs"),
    SOFTVT_SEGMENT_ROWS(GS, "gs"),
    SOFTVT_DATA_SEGMENT_ROWS(DS, "ds"),
    SOFTVT_DATA_SEGMENT_ROWS(ES, "es"),
    SOFTVT_DATA_SEGMENT_ROWS(FS, "fs"),
    SOFTVT_DATA_SEGMENT_ROWS(GS, "gs"),

    {"guest.cs.type",
     kSection,
     {GUEST_CS_AR_BYTES, GUEST_RFLAGS, SECONDARY_VM_EXEC_CONTROL, CPU_BASED_VM_EXEC_CONTROL},
     cs_type,
     "type must be 9, 11, 13 or 15; 3 too with \"unrestricted guest\""},
    {"guest.cs.dpl",
     kSection,
     {GUEST_CS_AR_BYTES, GUEST_SS_AR_BYTES, GUEST_RFLAGS},
     cs_dpl,
     "DPL must equal SS.DPL for types 9 and 11, not exceed it for 13 and 15, and be 0 for 3"},
    {"guest.cs.l_d",
     kSection,
     {GUEST_CS_AR_BYTES, GUEST_RFLAGS, VM_ENTRY_CONTROLS},
     cs_l_and_d,
     "D/B (bit 14) must be 0 with L (bit 13) = 1 and \"IA-32e mode guest\""},
    {"guest.cs.base",
     kSection,
     {GUEST_CS_BASE},
     [](C c) { return upper_half_clear(c, GUEST_CS_BASE); },
     kUpperBase},
    {"guest.ss.type", kSection, {GUEST_SS_AR_BYTES, GUEST_RFLAGS}, ss_type, "type must be 3 or 7"},
    {"guest.ss.dpl_rpl",
     kSection,
     {GUEST_SS_AR_BYTES, GUEST_SS_SELECTOR, GUEST_RFLAGS, SECONDARY_VM_EXEC_CONTROL,
      CPU_BASED_VM_EXEC_CONTROL},
     ss_dpl_rpl,
     "DPL must equal the selector's RPL, without \"unrestricted guest\""},
    {"guest.ss.dpl_zero",
     kSection,
     {GUEST_SS_AR_BYTES, GUEST_CS_AR_BYTES, GUEST_CR0, GUEST_RFLAGS},
     ss_dpl_zero,
     "DPL must be 0 if the type of CS is 3 or CR0.PE is 0"},
    {"guest.ss.rpl",
     kSection,
     {GUEST_SS_SELECTOR, GUEST_CS_SELECTOR, GUEST_RFLAGS, SECONDARY_VM_EXEC_CONTROL,
      CPU_BASED_VM_EXEC_CONTROL},
     ss_cs_rpl,
     "RPL must equal the RPL of CS, without \"unrestricted guest\""},
    {"guest.ss.base",
     kSection,
     {GUEST_SS_BASE, GUEST_SS_AR_BYTES},
     base32<GUEST_SS_BASE, GUEST_SS_AR_BYTES>,
     kUpperBase},
    {"guest.ds.base",
     kSection,
     {GUEST_DS_BASE, GUEST_DS_AR_BYTES},
     base32<GUEST_DS_BASE, GUEST_DS_AR_BYTES>,
     kUpperBase},
    {"guest.es.base",
     kSection,
     {GUEST_ES_BASE, GUEST_ES_AR_BYTES},
     base32<GUEST_ES_BASE, GUEST_ES_AR_BYTES>,
     kUpperBase},
    {"guest.fs.base", kSection, {GUEST_FS_BASE}, canonical_field<GUEST_FS_BASE>, kCanonical},
    {"guest.gs.base", kSection, {GUEST_GS_BASE}, canonical_field<GUEST_GS_BASE>, kCanonical},

    {"guest.tr.selector",
     kSection,
     {GUEST_TR_SELECTOR},
     [](C c) { return (c[GUEST_TR_SELECTOR] & 4) == 0; },
     "TI (bit 2) must be 0"},
    {"guest.tr.base", kSection, {GUEST_TR_BASE}, canonical_field<GUEST_TR_BASE>, kCanonical},
    {"guest.tr.type",
     kSection,
     {GUEST_TR_AR_BYTES, VM_ENTRY_CONTROLS},
     tr_type,
     "type must be 11 (busy TSS); 3 (busy 16-bit TSS) too without \"IA-32e mode guest\""},
    {"guest.tr.system",
     kSection,
     {GUEST_TR_AR_BYTES},
     [](C c) { return (c[GUEST_TR_AR_BYTES] & sr::S) == 0; },
     "S (bit 4) must be 0"},
    {"guest.tr.present",
     kSection,
     {GUEST_TR_AR_BYTES},
     [](C c) { return (c[GUEST_TR_AR_BYTES] & sr::P) != 0; },
     kPresent},
    {"guest.tr.reserved",
     kSection,
     {GUEST_TR_AR_BYTES},
     [](C c) { return (c[GUEST_TR_AR_BYTES] & kReserved) == 0; },
     kReservedRule},
    {"guest.tr.granularity",
     kSection,
     {GUEST_TR_AR_BYTES, GUEST_TR_LIMIT},
     [](C c) { return granular(c, GUEST_TR_AR_BYTES, GUEST_TR_LIMIT); },
     kGranularity},
    {"guest.tr.unusable",
     kSection,
     {GUEST_TR_AR_BYTES},
     [](C c) { return usable(c, GUEST_TR_AR_BYTES); },
     "unusable (bit 16) must be 0"},

    {"guest.ldtr.selector",
     kSection,
     {GUEST_LDTR_SELECTOR, GUEST_LDTR_AR_BYTES},
     [](C c) { return !usable(c, GUEST_LDTR_AR_BYTES) || (c[GUEST_LDTR_SELECTOR] & 4) == 0; },
     "TI (bit 2) must be 0"},
    {"guest.ldtr.base",
     kSection,
     {GUEST_LDTR_BASE, GUEST_LDTR_AR_BYTES},
     [](C c) { return !usable(c, GUEST_LDTR_AR_BYTES) || canonical(c, GUEST_LDTR_BASE); },
     kCanonical},
    {"guest.ldtr.type",
     kSection,
     {GUEST_LDTR_AR_BYTES},
     [](C c) { return !usable(c, GUEST_LDTR_AR_BYTES) || type(c, GUEST_LDTR_AR_BYTES) == 2; },
     "type must be 2 (LDT)"},
    {"guest.ldtr.system",
     kSection,
     {GUEST_LDTR_AR_BYTES},
     [](C c) { return !usable(c, GUEST_LDTR_AR_BYTES) || (c[GUEST_LDTR_AR_BYTES] & sr::S) == 0; },
     "S (bit 4) must be 0"},
    {"guest.ldtr.present",
     kSection,
     {GUEST_LDTR_AR_BYTES},
     [](C c) { return !usable(c, GUEST_LDTR_AR_BYTES) || (c[GUEST_LDTR_AR_BYTES] & sr::P) != 0; },
     kPresent},
    {"guest.ldtr.reserved",
     kSection,
     {GUEST_LDTR_AR_BYTES},
     [](C c) {
       return !usable(c, GUEST_LDTR_AR_BYTES) || (c[GUEST_LDTR_AR_BYTES] & kReserved) == 0;
     },
     kReservedRule},
    {"guest.ldtr.granularity",
     kSection,
     {GUEST_LDTR_AR_BYTES, GUEST_LDTR_LIMIT},
     [](C c) {
       return !usable(c, GUEST_LDTR_AR_BYTES) || granular(c, GUEST_LDTR_AR_BYTES, GUEST_LDTR_LIMIT);
     },
     kGranularity},
};
#undef SOFTVT_SEGMENT_ROWS
#undef SOFTVT_DATA_SEGMENT_ROWS

}  // namespace

std::span<const CheckRow> check_tables::guest_segments() { return kRows; }

}  // namespace softvt::vmx
