// Page tables that map the first 4 GiB to themselves with 2 MiB pages.
#pragma once
#include <vector>

#include "cpu/types.h"

namespace softvt {

// PML4, page-directory-pointer table and four page directories, in this order.
constexpr u64 kIdentityMapSize = 6 * kPageSize;

// The bytes of the tables for being placed at `address` (page aligned), which is also the CR3
// value.
std::vector<u8> build_identity_map(u64 address);

}  // namespace softvt
