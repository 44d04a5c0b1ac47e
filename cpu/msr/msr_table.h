// MSRs as a table: one row each. What has no row, or whose feature the model lacks, gets #GP.
#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "cpu/features.h"
#include "cpu/types.h"

namespace softvt {

class Cpu;

struct MsrRow {
  u32 first, last;  // a range shares its functions
  std::string_view name;
  Feature feature;
  bool (*read)(Cpu&, u32 index, u64& value);  // false: #GP
  bool (*write)(Cpu&, u32 index, u64 value);  // null: read-only (#GP)
  enum class Vendor : u8 { Any, Intel, Amd } vendor = Vendor::Any;
};

class MsrTable {
 public:
  void add(std::span<const MsrRow> rows);
  const MsrRow* find(const Cpu& cpu, u32 index) const;
  // What RDMSR and WRMSR, VM entry and exit MSR areas do, interception aside. False: #GP.
  bool read(Cpu& cpu, u32 index, u64& value) const;
  bool write(Cpu& cpu, u32 index, u64 value) const;

 private:
  std::vector<const MsrRow*> sorted_;  // by first
};

std::span<const MsrRow> core_msr_rows();  // cpu/msr/*.cpp

}  // namespace softvt
