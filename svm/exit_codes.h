// The exit codes of #VMEXIT: numbers, names, and what EXITINFO1 and EXITINFO2 hold.
// APM 2 appendix C "SVM Intercept Exit Codes".
#pragma once
#include <span>
#include <string_view>

#include "cpu/types.h"

namespace softvt::svm {

enum class ExitCode : u64 {
  ReadCr0 = 0x00,   // + n
  WriteCr0 = 0x10,  // + n
  ReadDr0 = 0x20,
  WriteDr0 = 0x30,
  Exception0 = 0x40,  // + vector
  Intr = 0x60,
  Nmi,
  Smi,
  Init,
  Vintr,
  Cr0SelWrite,
  IdtrRead,
  GdtrRead,
  LdtrRead,
  TrRead,
  IdtrWrite,
  GdtrWrite,
  LdtrWrite,
  TrWrite,
  Rdtsc,
  Rdpmc,
  Pushf,
  Popf,
  Cpuid,
  Rsm,
  Iret,
  SwInt,
  Invd,
  Pause,
  Hlt,
  Invlpg,
  Invlpga,
  Ioio,
  Msr,
  TaskSwitch,
  FerrFreeze,
  Shutdown,
  Vmrun = 0x80,
  Vmmcall,
  Vmload,
  Vmsave,
  Stgi,
  Clgi,
  Skinit,
  Rdtscp,
  Icebp,
  Wbinvd,
  Monitor,
  Mwait,
  MwaitConditional,
  Xsetbv,
  Rdpru,
  EferWriteTrap,
  WriteCr0Trap = 0x90,
  Invlpgb = 0xa0,
  InvlpgbIllegal,
  Invpcid,
  Mcommit,
  Tlbsync,
  BusLock,
  IdleHlt,
  Npf = 0x400,
  AvicIncompleteIpi,
  AvicNoAccel,
  Vmgexit,
  Invalid = ~u64{0},
  Busy = ~u64{0} - 1,
  IdleRequired = ~u64{0} - 2,
};

constexpr ExitCode plus(ExitCode base, unsigned n) {
  return static_cast<ExitCode>(static_cast<u64>(base) + n);
}

// Layouts of EXITINFO1 and EXITINFO2.
enum class InfoLayout : u8 {
  None,
  CrAccess,      // bit 63: MOV CRn, bits 3:0: GPR number. APM 2 15.8.1
  DrAccess,      // bits 3:0: GPR number
  ErrorCode,     // of the exception
  PageFault,     // the #PF error code; with the address in EXITINFO2
  Address,       // linear or guest-physical address
  Vector,        // bits 7:0
  Ioio,          // port << 16, segment 12:10, address size 9:7, size 6:4, REP 3, STR 2, IN 0
  NextRip,       // RIP of the following instruction
  MsrAccess,     // 0 read, 1 write
  TaskSelector,  // selector of the incoming TSS
  TaskFlags,     // error code 31:0, IRET 36, JMP 38, has error code 44, RF 48
  Armed,         // MWAIT: 1 if the monitor is armed
  NestedFault,   // #PF-like error code 31:0, final 32, table walk 33. APM 2 15.25.6
  Avic,
  Opaque,
};

struct ExitRow {
  u64 code;
  std::string_view name;      // as in APM 2 appendix C: VMEXIT_CPUID
  std::string_view kvm_name;  // in Linux's kvm_exit trace events; empty if it has none
  InfoLayout info1 = InfoLayout::None;
  InfoLayout info2 = InfoLayout::None;
};

std::span<const ExitRow> exit_rows();
const ExitRow* find_exit(u64 code);
std::string_view exit_name(u64 code);  // "VMEXIT_?" for unknown ones

}  // namespace softvt::svm
