// Architectural bits of RFLAGS, CR0, CR4, EFER and of segment access rights, by their manual names.
// SDM 3A 2.3 "System Flags and Fields in the EFLAGS Register", 2.5 "Control Registers",
// 2.2.1 "Extended Feature Enable Register".
#pragma once
#include "cpu/types.h"

namespace softvt {

namespace rflags {
constexpr u64 CF = 1 << 0, Fixed1 = 1 << 1, PF = 1 << 2, AF = 1 << 4, ZF = 1 << 6, SF = 1 << 7,
              TF = 1 << 8, IF = 1 << 9, DF = 1 << 10, OF = 1 << 11, IOPL = 3 << 12, NT = 1 << 14,
              RF = 1 << 16, VM = 1 << 17, AC = 1 << 18, VIF = 1 << 19, VIP = 1 << 20, ID = 1 << 21;
constexpr u64 Arithmetic = CF | PF | AF | ZF | SF | OF;
constexpr u64 All = Arithmetic | TF | IF | DF | IOPL | NT | RF | VM | AC | VIF | VIP | ID;
}  // namespace rflags

namespace cr0 {
constexpr u64 PE = 1 << 0, MP = 1 << 1, EM = 1 << 2, TS = 1 << 3, ET = 1 << 4, NE = 1 << 5,
              WP = 1 << 16, AM = 1 << 18, NW = 1 << 29, CD = 1 << 30, PG = u64{1} << 31;
}  // namespace cr0

namespace cr4 {
constexpr u64 VME = 1 << 0, PVI = 1 << 1, TSD = 1 << 2, DE = 1 << 3, PSE = 1 << 4, PAE = 1 << 5,
              MCE = 1 << 6, PGE = 1 << 7, PCE = 1 << 8, OSFXSR = 1 << 9, OSXMMEXCPT = 1 << 10,
              UMIP = 1 << 11, LA57 = 1 << 12, VMXE = 1 << 13, SMXE = 1 << 14, FSGSBASE = 1 << 16,
              PCIDE = 1 << 17, OSXSAVE = 1 << 18, SMEP = 1 << 20, SMAP = 1 << 21, PKE = 1 << 22,
              CET = 1 << 23, PKS = 1 << 24;
}  // namespace cr4

namespace efer {
constexpr u64 SCE = 1 << 0, LME = 1 << 8, LMA = 1 << 10, NXE = 1 << 11, SVME = 1 << 12,
              FFXSR = 1 << 14;
}  // namespace efer

// Segment access rights in the layout of the VMCS. SDM 3C 25.4.1, table 25-2 "Format of Access
// Rights".
namespace seg_rights {
constexpr u32 TypeMask = 0xf, Accessed = 1, Writable = 2 /* data */, Readable = 2 /* code */,
              ExpandDown = 4 /* data */, Conforming = 4 /* code */, Code = 8, S = 1 << 4,
              DplShift = 5, DplMask = 3 << 5, P = 1 << 7, AVL = 1 << 12, L = 1 << 13, DB = 1 << 14,
              G = 1 << 15, Unusable = 1 << 16;
}  // namespace seg_rights

}  // namespace softvt
