// The VMCB: one row a field, and typed access to a VMCB in memory.
// APM 2 appendix B "VMCB Layout", tables B-1 and B-2.
#pragma once
#include <cstring>
#include <span>
#include <string_view>

#include "cpu/types.h"

namespace softvt::svm {

enum class FieldClass : u8 { Control, Save };

// VMCB clean bit that covers a field. APM 2 15.15.3 "VMCB Clean Field".
enum class CleanBit : u8 { I, Iopm, Asid, Tpr, Np, Crx, Drx, Dt, Seg, Cr2, Lbr, Avic, Cet, None };

// clang-format off
// offset, id, the manual's name, bytes, clean bit. Save-area offsets count from the page start.
// The class follows from the offset: the control area ends at 400h.
#define SOFTVT_VMCB_FIELDS(ROW)                                              \
  ROW(0x000, CrReads,            "INTERCEPT_CR_READ",      2, I)             \
  ROW(0x002, CrWrites,           "INTERCEPT_CR_WRITE",     2, I)             \
  ROW(0x004, DrReads,            "INTERCEPT_DR_READ",      2, I)             \
  ROW(0x006, DrWrites,           "INTERCEPT_DR_WRITE",     2, I)             \
  ROW(0x008, Exceptions,         "INTERCEPT_EXCEPTIONS",   4, I)             \
  ROW(0x00c, Vector3,            "INTERCEPT_VECTOR_3",     4, I)             \
  ROW(0x010, Vector4,            "INTERCEPT_VECTOR_4",     4, I)             \
  ROW(0x014, Vector5,            "INTERCEPT_VECTOR_5",     4, I)             \
  ROW(0x03c, PauseFilterThreshold, "PAUSE_FILTER_THRESHOLD", 2, I)           \
  ROW(0x03e, PauseFilterCount,   "PAUSE_FILTER_COUNT",     2, I)             \
  ROW(0x040, IopmBase,           "IOPM_BASE_PA",           8, Iopm)          \
  ROW(0x048, MsrpmBase,          "MSRPM_BASE_PA",          8, Iopm)          \
  ROW(0x050, TscOffset,          "TSC_OFFSET",             8, I)             \
  ROW(0x058, GuestAsid,          "GUEST_ASID",             4, Asid)          \
  ROW(0x05c, TlbControl,         "TLB_CONTROL",            1, None)          \
  ROW(0x060, VTpr,               "V_TPR",                  1, Tpr)           \
  ROW(0x061, VIrq,               "V_IRQ",                  1, Tpr)           \
  ROW(0x062, VIntrPriority,      "V_INTR_PRIO",            1, Tpr)           \
  ROW(0x063, VIntrMasking,       "V_INTR_MASKING",         1, Tpr)           \
  ROW(0x064, VIntrVector,        "V_INTR_VECTOR",          1, Tpr)           \
  ROW(0x068, InterruptShadow,    "INTERRUPT_SHADOW",       8, None)          \
  ROW(0x070, ExitCode,           "EXITCODE",               8, None)          \
  ROW(0x078, ExitInfo1,          "EXITINFO1",              8, None)          \
  ROW(0x080, ExitInfo2,          "EXITINFO2",              8, None)          \
  ROW(0x088, ExitIntInfo,        "EXITINTINFO",            8, None)          \
  ROW(0x090, NpEnable,           "NP_ENABLE",              8, Np)            \
  ROW(0x098, AvicApicBar,        "AVIC_APIC_BAR",          8, Avic)          \
  ROW(0x0a0, Ghcb,               "GHCB_PA",                8, None)          \
  ROW(0x0a8, EventInj,           "EVENTINJ",               8, None)          \
  ROW(0x0b0, NCr3,               "N_CR3",                  8, Np)            \
  ROW(0x0b8, LbrVirtEnable,      "LBR_VIRTUALIZATION_ENABLE", 8, Lbr)        \
  ROW(0x0c0, CleanBits,          "VMCB_CLEAN",             4, None)          \
  ROW(0x0c8, NRip,               "NRIP",                   8, None)          \
  ROW(0x0d0, BytesFetched,       "NUM_BYTES_FETCHED",      1, None)          \
  ROW(0x0d1, InstructionBytesLow, "GUEST_INSTRUCTION_BYTES[7:0]",  8, None)  \
  ROW(0x0d9, InstructionBytesMid, "GUEST_INSTRUCTION_BYTES[11:8]", 4, None)  \
  ROW(0x0dd, InstructionBytesHigh, "GUEST_INSTRUCTION_BYTES[13:12]", 2, None)\
  ROW(0x0df, InstructionBytesLast, "GUEST_INSTRUCTION_BYTES[14]", 1, None)   \
  ROW(0x0e0, AvicBackingPage,    "AVIC_APIC_BACKING_PAGE", 8, Avic)          \
  ROW(0x0f0, AvicLogicalTable,   "AVIC_LOGICAL_TABLE",     8, Avic)          \
  ROW(0x0f8, AvicPhysicalTable,  "AVIC_PHYSICAL_TABLE",    8, Avic)          \
  ROW(0x108, VmsaPointer,        "VMSA_POINTER",           8, None)          \
  ROW(0x400, EsSelector,         "ES.SELECTOR",            2, Seg)           \
  ROW(0x402, EsAttributes,       "ES.ATTRIB",              2, Seg)           \
  ROW(0x404, EsLimit,            "ES.LIMIT",               4, Seg)           \
  ROW(0x408, EsBase,             "ES.BASE",                8, Seg)           \
  ROW(0x410, CsSelector,         "CS.SELECTOR",            2, Seg)           \
  ROW(0x412, CsAttributes,       "CS.ATTRIB",              2, Seg)           \
  ROW(0x414, CsLimit,            "CS.LIMIT",               4, Seg)           \
  ROW(0x418, CsBase,             "CS.BASE",                8, Seg)           \
  ROW(0x420, SsSelector,         "SS.SELECTOR",            2, Seg)           \
  ROW(0x422, SsAttributes,       "SS.ATTRIB",              2, Seg)           \
  ROW(0x424, SsLimit,            "SS.LIMIT",               4, Seg)           \
  ROW(0x428, SsBase,             "SS.BASE",                8, Seg)           \
  ROW(0x430, DsSelector,         "DS.SELECTOR",            2, Seg)           \
  ROW(0x432, DsAttributes,       "DS.ATTRIB",              2, Seg)           \
  ROW(0x434, DsLimit,            "DS.LIMIT",               4, Seg)           \
  ROW(0x438, DsBase,             "DS.BASE",                8, Seg)           \
  ROW(0x440, FsSelector,         "FS.SELECTOR",            2, None)          \
  ROW(0x442, FsAttributes,       "FS.ATTRIB",              2, None)          \
  ROW(0x444, FsLimit,            "FS.LIMIT",               4, None)          \
  ROW(0x448, FsBase,             "FS.BASE",                8, None)          \
  ROW(0x450, GsSelector,         "GS.SELECTOR",            2, None)          \
  ROW(0x452, GsAttributes,       "GS.ATTRIB",              2, None)          \
  ROW(0x454, GsLimit,            "GS.LIMIT",               4, None)          \
  ROW(0x458, GsBase,             "GS.BASE",                8, None)          \
  ROW(0x464, GdtrLimit,          "GDTR.LIMIT",             4, Dt)            \
  ROW(0x468, GdtrBase,           "GDTR.BASE",              8, Dt)            \
  ROW(0x470, LdtrSelector,       "LDTR.SELECTOR",          2, None)          \
  ROW(0x472, LdtrAttributes,     "LDTR.ATTRIB",            2, None)          \
  ROW(0x474, LdtrLimit,          "LDTR.LIMIT",             4, None)          \
  ROW(0x478, LdtrBase,           "LDTR.BASE",              8, None)          \
  ROW(0x484, IdtrLimit,          "IDTR.LIMIT",             4, Dt)            \
  ROW(0x488, IdtrBase,           "IDTR.BASE",              8, Dt)            \
  ROW(0x490, TrSelector,         "TR.SELECTOR",            2, None)          \
  ROW(0x492, TrAttributes,       "TR.ATTRIB",              2, None)          \
  ROW(0x494, TrLimit,            "TR.LIMIT",               4, None)          \
  ROW(0x498, TrBase,             "TR.BASE",                8, None)          \
  ROW(0x4cb, Cpl,                "CPL",                    1, Seg)           \
  ROW(0x4d0, Efer,               "EFER",                   8, Crx)           \
  ROW(0x548, Cr4,                "CR4",                    8, Crx)           \
  ROW(0x550, Cr3,                "CR3",                    8, Crx)           \
  ROW(0x558, Cr0,                "CR0",                    8, Crx)           \
  ROW(0x560, Dr7,                "DR7",                    8, Drx)           \
  ROW(0x568, Dr6,                "DR6",                    8, Drx)           \
  ROW(0x570, Rflags,             "RFLAGS",                 8, None)          \
  ROW(0x578, Rip,                "RIP",                    8, None)          \
  ROW(0x5d8, Rsp,                "RSP",                    8, None)          \
  ROW(0x5e0, SCet,               "S_CET",                  8, Cet)           \
  ROW(0x5e8, Ssp,                "SSP",                    8, Cet)           \
  ROW(0x5f0, IsstAddr,           "ISST_ADDR",              8, Cet)           \
  ROW(0x5f8, Rax,                "RAX",                    8, None)          \
  ROW(0x600, Star,               "STAR",                   8, None)          \
  ROW(0x608, Lstar,              "LSTAR",                  8, None)          \
  ROW(0x610, Cstar,              "CSTAR",                  8, None)          \
  ROW(0x618, Sfmask,             "SFMASK",                 8, None)          \
  ROW(0x620, KernelGsBase,       "KERNEL_GS_BASE",         8, None)          \
  ROW(0x628, SysenterCs,         "SYSENTER_CS",            8, None)          \
  ROW(0x630, SysenterEsp,        "SYSENTER_ESP",           8, None)          \
  ROW(0x638, SysenterEip,        "SYSENTER_EIP",           8, None)          \
  ROW(0x640, Cr2,                "CR2",                    8, Cr2)           \
  ROW(0x668, GPat,               "G_PAT",                  8, Np)            \
  ROW(0x670, DbgCtl,             "DBGCTL",                 8, Lbr)           \
  ROW(0x678, BrFrom,             "BR_FROM",                8, Lbr)           \
  ROW(0x680, BrTo,               "BR_TO",                  8, Lbr)           \
  ROW(0x688, LastExcpFrom,       "LASTEXCPFROM",           8, Lbr)           \
  ROW(0x690, LastExcpTo,         "LASTEXCPTO",             8, Lbr)           \
  ROW(0x6e0, SpecCtrl,           "SPEC_CTRL",              8, None)
// clang-format on

enum class Field : u8 {
#define SOFTVT_ROW(offset, id, name, bytes, clean) id,
  SOFTVT_VMCB_FIELDS(SOFTVT_ROW)
#undef SOFTVT_ROW
      Count
};

struct FieldRow {
  u16 offset;
  Field id;
  std::string_view name;
  u8 bytes;
  CleanBit clean;
  constexpr FieldClass field_class() const {
    return offset < 0x400 ? FieldClass::Control : FieldClass::Save;
  }
};

inline constexpr FieldRow kFields[] = {
#define SOFTVT_ROW(offset, id, name, bytes, clean) \
  {offset, Field::id, name, bytes, CleanBit::clean},
    SOFTVT_VMCB_FIELDS(SOFTVT_ROW)
#undef SOFTVT_ROW
};

constexpr const FieldRow& row(Field id) { return kFields[static_cast<std::size_t>(id)]; }
constexpr std::span<const FieldRow> fields() { return kFields; }
const FieldRow* find_field(std::string_view name);  // by the manual's name
const FieldRow* field_at(u16 offset);               // the field that covers this byte, or null

template <unsigned Bytes>
struct UnsignedOf;
template <>
struct UnsignedOf<1> {
  using type = u8;
};
template <>
struct UnsignedOf<2> {
  using type = u16;
};
template <>
struct UnsignedOf<4> {
  using type = u32;
};
template <>
struct UnsignedOf<8> {
  using type = u64;
};
template <Field F>
using FieldType = typename UnsignedOf<row(F).bytes>::type;

// A segment register as it stands in the save area. APM 2 table B-2.
struct VmcbSegment {
  u16 selector;
  u16 attributes;  // descriptor bits 55:52 and 47:40
  u32 limit;
  u64 base;
};
static_assert(sizeof(VmcbSegment) == 16);

// A VMCB in memory, by host address. Does not own the page.
class Vmcb {
 public:
  Vmcb() = default;
  explicit Vmcb(u8* page) : page_(page) {}
  explicit operator bool() const { return page_ != nullptr; }
  u8* bytes() const { return page_; }

  template <Field F>
  FieldType<F> get() const {
    FieldType<F> value;
    std::memcpy(&value, page_ + row(F).offset, sizeof value);
    return value;
  }
  template <Field F>
  void put(FieldType<F> value) const {
    std::memcpy(page_ + row(F).offset, &value, sizeof value);
  }
  // Where the field is known only at run time.
  u64 read(Field field) const {
    u64 value = 0;
    std::memcpy(&value, page_ + row(field).offset, row(field).bytes);
    return value;
  }
  void write(Field field, u64 value) const {
    std::memcpy(page_ + row(field).offset, &value, row(field).bytes);
  }
  // `selector` is one of EsSelector ... TrSelector.
  template <Field Selector>
  VmcbSegment segment() const {
    VmcbSegment value;
    std::memcpy(&value, page_ + row(Selector).offset, sizeof value);
    return value;
  }
  template <Field Selector>
  void put_segment(const VmcbSegment& value) const {
    std::memcpy(page_ + row(Selector).offset, &value, sizeof value);
  }

 private:
  u8* page_ = nullptr;
};

// Bits of control fields, APM 2 table B-1.
namespace virq {
constexpr u8 Pending = 1;  // V_IRQ
constexpr u8 PriorityMask = 0xf;
constexpr u8 IgnoreTpr = 1 << 4;
constexpr u8 IntrMasking = 1;
}  // namespace virq

// TLB_CONTROL. APM 2 15.16.1, table 15-9.
enum class TlbControl : u8 { Nothing = 0, FlushAll = 1, FlushGuest = 3, FlushGuestNonGlobal = 7 };

// EVENTINJ and EXITINTINFO. APM 2 15.20 "Event Injection", 15.7.2.
namespace event {
constexpr u64 ErrorValid = 1 << 11, Valid = u64{1} << 31;
constexpr unsigned TypeShift = 8, ErrorShift = 32;
enum class Type : u8 { Interrupt = 0, Nmi = 2, Exception = 3, SoftwareInterrupt = 4 };
}  // namespace event

}  // namespace softvt::svm
