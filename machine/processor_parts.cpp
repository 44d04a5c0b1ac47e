#include "machine/processor_parts.h"

#include "cpu/fpu/rows.h"
#include "cpu/insn/rows.h"
#include "cpu/seg/rows.h"
#include "cpu/simd/rows.h"
#include "cpu/sys/rows.h"
#include "svm/instructions.h"
#include "vmx/capabilities.h"
#include "vmx/instructions.h"

namespace softvt {
namespace {

ProcessorParts build() {
  ProcessorParts parts;
  for (const auto rows : {integer_rows(), segment_rows(), system_rows(), fpu_rows(), simd_rows(),
                          vmx::vmx_rows(), svm::svm_rows()}) {
    parts.instructions.add(rows);
  }
  for (const auto rows : {core_msr_rows(), vmx::vmx_msr_rows()}) parts.msrs.add(rows);
  return parts;
}

}  // namespace

const ProcessorParts& processor_parts() {
  static const ProcessorParts parts = build();
  return parts;
}

}  // namespace softvt
