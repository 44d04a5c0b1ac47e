#include "loader/identity_map.h"

#include "loader/blob_writer.h"

namespace softvt {
namespace {

// SDM 3A 4.5.4 "Linear-Address Translation with 4-Level Paging and 5-Level Paging".
constexpr u64 kPresent = 1;
constexpr u64 kWritable = 2;
constexpr u64 kLargePage = 0x80;
constexpr u64 kLargePageSize = u64{2} << 20;
constexpr unsigned kEntries = 512;
constexpr unsigned kDirectories = 4;

}  // namespace

std::vector<u8> build_identity_map(u64 address) {
  loader::BlobWriter tables;
  const u64 pointers = address + kPageSize;
  const u64 directories = pointers + kPageSize;
  tables.put64(pointers | kPresent | kWritable);
  tables.align(kPageSize);
  for (unsigned i = 0; i < kDirectories; ++i) {
    tables.put64((directories + i * kPageSize) | kPresent | kWritable);
  }
  tables.align(kPageSize);
  for (u64 i = 0; i < kDirectories * kEntries; ++i) {
    tables.put64(i * kLargePageSize | kPresent | kWritable | kLargePage);
  }
  const auto bytes = tables.bytes();
  return {bytes.begin(), bytes.end()};
}

}  // namespace softvt
