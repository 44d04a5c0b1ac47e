#include "cpu/msr/msr_table.h"

#include <algorithm>

#include "cpu/cpu.h"
#include "cpu/msr/rows.h"

namespace softvt {
namespace {

bool exists_on(const MsrRow& row, const Cpu& cpu) {
  if (row.vendor == MsrRow::Vendor::Intel && !cpu.intel) return false;
  if (row.vendor == MsrRow::Vendor::Amd && cpu.intel) return false;
  return cpu.has(row.feature);
}

}  // namespace

void MsrTable::add(std::span<const MsrRow> rows) {
  for (const MsrRow& row : rows) sorted_.push_back(&row);
  std::sort(sorted_.begin(), sorted_.end(),
            [](const MsrRow* a, const MsrRow* b) { return a->first < b->first; });
}

const MsrRow* MsrTable::find(const Cpu& cpu, u32 index) const {
  // Ranges may not overlap for one vendor, but both vendors may use a number differently: look at
  // every row that starts at or below, nearest first.
  auto it = std::upper_bound(sorted_.begin(), sorted_.end(), index,
                             [](u32 value, const MsrRow* row) { return value < row->first; });
  while (it != sorted_.begin()) {
    const MsrRow& row = **--it;
    if (index <= row.last && exists_on(row, cpu)) return &row;
  }
  return nullptr;
}

bool MsrTable::read(Cpu& cpu, u32 index, u64& value) const {
  const MsrRow* row = find(cpu, index);
  return row != nullptr && row->read != nullptr && row->read(cpu, index, value);
}

bool MsrTable::write(Cpu& cpu, u32 index, u64 value) const {
  const MsrRow* row = find(cpu, index);
  return row != nullptr && row->write != nullptr && row->write(cpu, index, value);
}

std::span<const MsrRow> core_msr_rows() {
  static const std::vector<MsrRow> rows = [] {
    std::vector<MsrRow> all;
    for (const auto part : {msr_rows::time(), msr_rows::syscall(), msr_rows::memory(),
                            msr_rows::platform(), msr_rows::machine_check(), msr_rows::amd()})
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return rows;
}

}  // namespace softvt
