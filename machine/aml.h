// A small builder of ACPI Machine Language (ACPI 6.4, chapter 20) and of resource descriptors
// (chapter 6.4). Every function returns the encoded bytes of one term; terms nest by being passed
// as the contents of another.
#pragma once
#include <string_view>
#include <vector>

#include "cpu/types.h"

namespace softvt::aml {

using Bytes = std::vector<u8>;

// Joins terms in order.
Bytes join(const std::vector<Bytes>& terms);

// A path such as "\\_SB.PCI0"; segments shorter than four characters are padded with '_'.
Bytes name_path(std::string_view path);

Bytes integer(u64 value);
Bytes string(std::string_view text);
// A seven-character id such as "PNP0A08" in its compressed form.
Bytes eisa_id(std::string_view id);
// At most 255 elements.
Bytes package(const std::vector<Bytes>& elements);
Bytes buffer(const Bytes& contents);

Bytes named(std::string_view name, const Bytes& value);
Bytes scope(std::string_view path, const std::vector<Bytes>& terms);
Bytes device(std::string_view name, const std::vector<Bytes>& terms);

// A buffer of resource descriptors, closed with the end tag: the value of _CRS.
Bytes resource_template(const std::vector<Bytes>& descriptors);
Bytes io_ports(u16 first, u8 count);
Bytes irq(unsigned line);
Bytes fixed_memory(u32 base, u32 size);

// A window that a bridge passes on: address space descriptors of 16, 32 or 64 bits.
enum class WindowType : u8 { kMemory = 0, kIo = 1, kBusNumbers = 2 };
Bytes window16(WindowType type, u16 first, u16 last);
Bytes window32(WindowType type, u32 first, u32 last);
Bytes window64(WindowType type, u64 first, u64 last);

}  // namespace softvt::aml
