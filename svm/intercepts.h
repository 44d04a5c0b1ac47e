// Intercept bits of the VMCB: one row a bit that softvt's processor honours.
// APM 2 table B-1, offsets 000h to 014h; 15.9 "Instruction Intercepts".
#pragma once
#include <span>
#include <string_view>

#include "cpu/virt.h"
#include "svm/exit_codes.h"
#include "svm/vmcb_fields.h"

namespace softvt::svm {

struct InterceptRow {
  u8 vector;  // 3, 4 or 5; vectors 0 to 2 are one bit a register or exception
  u8 bit;
  std::string_view name;
  ExitCode exit;
  Intercept what;  // the instruction that it stops; None for events and for those with operands
};

std::span<const InterceptRow> intercept_rows();
const InterceptRow* find_intercept(std::string_view name);

// Masks within their vectors.
namespace vector3 {
constexpr u32 Intr = 1 << 0, Nmi = 1 << 1, Smi = 1 << 2, Init = 1 << 3, Vintr = 1 << 4,
              Cr0SelWrite = 1 << 5, SwInt = 1 << 21, Pause = 1 << 23, IoioProt = 1 << 27,
              MsrProt = 1 << 28, TaskSwitch = 1 << 29, Shutdown = u32{1} << 31;
}  // namespace vector3
namespace vector4 {
constexpr u32 Vmrun = 1 << 0, Icebp = 1 << 8, Mwait = 1 << 11, MwaitArmed = 1 << 12;
}  // namespace vector4

// Row of an instruction without operands that matter, by Intercept; null if SVM cannot stop it.
const InterceptRow* plain_intercept(Intercept what);

}  // namespace softvt::svm
