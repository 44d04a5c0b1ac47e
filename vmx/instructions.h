// The VMX instructions as rows of the instruction table. What they do is in VmxExtension, which
// native hypervisor code calls directly.
#pragma once
#include <span>

#include "cpu/rows.h"

namespace softvt::vmx {

std::span<const InsnRow> vmx_rows();

}  // namespace softvt::vmx
