// The definition block of the board: the devices that an operating system cannot find by itself.
#pragma once
#include "machine/acpi_tables.h"
#include "machine/aml.h"

namespace softvt {

// The AML behind the header of the DSDT.
aml::Bytes build_dsdt_body(const AcpiConfig& config);

}  // namespace softvt
