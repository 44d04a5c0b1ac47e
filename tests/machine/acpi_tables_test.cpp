#include "machine/acpi_tables.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "machine/aml.h"

namespace softvt {
namespace {

// Reads the tables as an operating system does: from the memory into which they were copied.
class Tables {
 public:
  explicit Tables(const AcpiConfig& config) {
    auto blobs = build_acpi_tables(config);
    if (!blobs) return;
    built = true;
    for (const AcpiBlob& blob : *blobs) {
      for (size_t i = 0; i < blob.bytes.size(); ++i) {
        overlap |= !memory_.emplace(blob.address + i, blob.bytes[i]).second;
      }
    }
    rsdp = find_rsdp();
    for (u64 at = number(rsdp + 24, 8) + 36; at < end_of(number(rsdp + 24, 8)); at += 8) {
      tables[signature(number(at, 8))] = number(at, 8);
    }
  }

  u64 number(u64 address, unsigned bytes) const {
    u64 value = 0;
    for (unsigned i = 0; i < bytes; ++i) value |= u64{memory_.at(address + i)} << (8 * i);
    return value;
  }
  std::string signature(u64 address) const { return text(address, 4); }
  std::string text(u64 address, size_t size) const {
    std::string out;
    for (size_t i = 0; i < size; ++i) out.push_back(static_cast<char>(memory_.at(address + i)));
    return out;
  }
  u64 end_of(u64 table) const { return table + number(table + 4, 4); }
  u8 sum(u64 address, u64 size) const {
    u8 total = 0;
    for (u64 i = 0; i < size; ++i) total = static_cast<u8>(total + memory_.at(address + i));
    return total;
  }
  bool good_sum(u64 table) const { return sum(table, number(table + 4, 4)) == 0; }

  bool built = false;
  bool overlap = false;
  u64 rsdp = 0;
  std::map<std::string, u64> tables;

 private:
  u64 find_rsdp() const {
    for (u64 at = 0xe0000; at < 0x100000; at += 16) {
      if (memory_.count(at) != 0 && memory_.count(at + 7) != 0 && text(at, 8) == "RSD PTR ") {
        return at;
      }
    }
    return 0;
  }

  std::map<u64, u8> memory_;
};

struct MadtEntry {
  unsigned type;
  u64 at;
};

std::vector<MadtEntry> madt_entries(const Tables& tables) {
  std::vector<MadtEntry> entries;
  const u64 madt = tables.tables.at("APIC");
  for (u64 at = madt + 44; at < tables.end_of(madt);) {
    const u64 length = tables.number(at + 1, 1);
    if (length < 2) break;
    entries.push_back({static_cast<unsigned>(tables.number(at, 1)), at});
    at += length;
  }
  return entries;
}

size_t count_type(const std::vector<MadtEntry>& entries, unsigned type) {
  return static_cast<size_t>(std::count_if(entries.begin(), entries.end(),
                                           [type](const MadtEntry& e) { return e.type == type; }));
}

TEST(AcpiTables, WalkAndChecksums) {
  const Tables t({.vcpus = 2, .ram_below_4g = 0x20000000});
  ASSERT_TRUE(t.built);
  EXPECT_FALSE(t.overlap);
  ASSERT_NE(t.rsdp, 0u);
  EXPECT_EQ(t.sum(t.rsdp, 20), 0);
  EXPECT_EQ(t.sum(t.rsdp, 36), 0);
  EXPECT_EQ(t.number(t.rsdp + 15, 1), 2u);
  const u64 xsdt = t.number(t.rsdp + 24, 8);
  const u64 rsdt = t.number(t.rsdp + 16, 4);
  EXPECT_EQ(t.signature(xsdt), "XSDT");
  EXPECT_EQ(t.signature(rsdt), "RSDT");
  EXPECT_TRUE(t.good_sum(xsdt));
  EXPECT_TRUE(t.good_sum(rsdt));
  EXPECT_EQ(t.tables.size(), 4u);
  for (const auto& [name, address] : t.tables) EXPECT_TRUE(t.good_sum(address)) << name;
  for (u64 i = 0; i < 4; ++i) {
    EXPECT_EQ(t.number(rsdt + 36 + 4 * i, 4), t.number(xsdt + 36 + 8 * i, 8));
  }
}

TEST(AcpiTables, FadtMatchesTheDevices) {
  const Tables t({.vcpus = 1});
  const u64 fadt = t.tables.at("FACP");
  EXPECT_EQ(t.number(fadt + 4, 4), 276u);
  EXPECT_EQ(t.number(fadt + 8, 1), 6u);
  const u64 facs = t.number(fadt + 36, 4);
  EXPECT_EQ(t.signature(facs), "FACS");
  EXPECT_EQ(t.number(facs + 4, 4), 64u);
  EXPECT_EQ(facs % 64, 0u);
  const u64 dsdt = t.number(fadt + 140, 8);
  EXPECT_EQ(t.number(fadt + 40, 4), dsdt);
  EXPECT_EQ(t.signature(dsdt), "DSDT");
  EXPECT_TRUE(t.good_sum(dsdt));
  EXPECT_EQ(t.number(fadt + 46, 2), platform::kIrqSci);
  EXPECT_EQ(t.number(fadt + 48, 4), platform::kSmiCommand);
  EXPECT_EQ(t.number(fadt + 52, 1), platform::kSmiAcpiEnable);
  EXPECT_EQ(t.number(fadt + 56, 4), platform::kPm1Event);
  EXPECT_EQ(t.number(fadt + 64, 4), platform::kPm1Control);
  EXPECT_EQ(t.number(fadt + 76, 4), platform::kPmTimer);
  EXPECT_EQ(t.number(fadt + 80, 4), platform::kGpe0);
  EXPECT_EQ(t.number(fadt + 88, 1), 4u);
  EXPECT_EQ(t.number(fadt + 91, 1), 4u);
  EXPECT_EQ(t.number(fadt + 108, 1), 0x32u);
  EXPECT_EQ(t.number(fadt + 109, 2) & 2, 2u) << "the 8042 is there";
  EXPECT_EQ(t.number(fadt + 112, 4) & (1 << 10), u64{1} << 10);
  EXPECT_EQ(t.number(fadt + 116, 1), 1u);
  EXPECT_EQ(t.number(fadt + 120, 8), 0xcf9u);
  EXPECT_EQ(t.number(fadt + 128, 1), platform::kResetValue);
  EXPECT_EQ(t.number(fadt + 152, 8), platform::kPm1Event);
  EXPECT_EQ(t.number(fadt + 176, 8), platform::kPm1Control);
  EXPECT_EQ(t.number(fadt + 212, 8), platform::kPmTimer);
  EXPECT_EQ(t.number(fadt + 224, 8), platform::kGpe0);
}

TEST(AcpiTables, MadtOfASmallMachine) {
  const Tables t({.vcpus = 3});
  const auto entries = madt_entries(t);
  EXPECT_EQ(count_type(entries, 0), 3u);
  EXPECT_EQ(count_type(entries, 9), 0u);
  for (u64 i = 0; i < 3; ++i) {
    EXPECT_EQ(t.number(entries[i].at + 2, 1), i);
    EXPECT_EQ(t.number(entries[i].at + 3, 1), i);
    EXPECT_EQ(t.number(entries[i].at + 4, 4), 1u);
  }
  ASSERT_EQ(entries.size(), 7u);
  EXPECT_EQ(t.number(entries[3].at + 4, 4), 0xfec00000u);
  EXPECT_EQ(t.number(entries[4].at + 3, 1), 0u);
  EXPECT_EQ(t.number(entries[4].at + 4, 4), 2u) << "the PIT comes in at pin 2";
  EXPECT_EQ(t.number(entries[5].at + 3, 1), 9u);
  EXPECT_EQ(t.number(entries[5].at + 8, 2), 0x0du) << "SCI: level";
  EXPECT_EQ(entries[6].type, 4u);
  EXPECT_EQ(t.number(entries[6].at + 5, 1), 1u) << "LINT1";
}

TEST(AcpiTables, MadtOfALargeMachine) {
  const Tables t({.vcpus = 300});
  ASSERT_TRUE(t.built);
  const auto entries = madt_entries(t);
  EXPECT_EQ(count_type(entries, 0), 255u);
  EXPECT_EQ(count_type(entries, 9), 45u);
  EXPECT_EQ(count_type(entries, 10), 1u);
  EXPECT_EQ(t.number(entries[255].at + 4, 4), 255u);
  EXPECT_EQ(t.number(entries[255].at + 12, 4), 255u);
}

TEST(AcpiTables, HpetAndMcfg) {
  const Tables t({.vcpus = 1});
  const u64 hpet = t.tables.at("HPET");
  EXPECT_EQ(t.number(hpet + 36, 4), platform::kHpetBlockId);
  EXPECT_EQ(t.number(hpet + 44, 8), 0xfed00000u);
  EXPECT_EQ(t.end_of(hpet) - hpet, 56u);
  const u64 mcfg = t.tables.at("MCFG");
  EXPECT_EQ(t.number(mcfg + 44, 8), 0xb0000000u);
  EXPECT_EQ(t.number(mcfg + 55, 1), 255u);
  EXPECT_EQ(t.end_of(mcfg) - mcfg, 60u);
}

TEST(AcpiTables, TablesMayLieInAReservedBlock) {
  const Tables t(
      {.vcpus = 1, .rsdp_address = 0xf5a50, .tables_base = 0x1ffe0000, .tables_end = 0x20000000});
  EXPECT_EQ(t.rsdp, 0xf5a50u);
  for (const auto& [name, address] : t.tables) {
    EXPECT_GE(address, 0x1ffe0000u) << name;
    EXPECT_TRUE(t.good_sum(address)) << name;
  }
}

TEST(AcpiTables, ImpossibleConfigurations) {
  EXPECT_FALSE(build_acpi_tables({.vcpus = 0}));
  EXPECT_FALSE(build_acpi_tables({.vcpus = 5000}));
  EXPECT_FALSE(build_acpi_tables({.rsdp_address = 0xe0008}));
  EXPECT_FALSE(build_acpi_tables({.rsdp_address = 0xfffe0}));
  EXPECT_FALSE(build_acpi_tables({.rsdp_address = 0xe0100})) << "inside the other tables";
  EXPECT_FALSE(build_acpi_tables({.tables_end = 0xe0100})) << "too small";
  EXPECT_FALSE(build_acpi_tables({.vcpus = 4096})) << "too small for that many";
  EXPECT_FALSE(build_acpi_tables({.tables_base = u64{1} << 32, .tables_end = ~u64{0}}));
  EXPECT_FALSE(build_acpi_tables({.ram_below_4g = 0xc0000000})) << "over the ECAM window";
}

using aml::Bytes;

TEST(Aml, Integers) {
  EXPECT_EQ(aml::integer(0), (Bytes{0x00}));
  EXPECT_EQ(aml::integer(1), (Bytes{0x01}));
  EXPECT_EQ(aml::integer(0xff), (Bytes{0x0a, 0xff}));
  EXPECT_EQ(aml::integer(0x100), (Bytes{0x0b, 0x00, 0x01}));
  EXPECT_EQ(aml::integer(0x12345678), (Bytes{0x0c, 0x78, 0x56, 0x34, 0x12}));
  EXPECT_EQ(aml::integer(u64{1} << 32), (Bytes{0x0e, 0, 0, 0, 0, 1, 0, 0, 0}));
}

TEST(Aml, Names) {
  EXPECT_EQ(aml::name_path("\\_S5"), (Bytes{'\\', '_', 'S', '5', '_'}));
  EXPECT_EQ(aml::name_path("_SB.PCI0"), (Bytes{0x2e, '_', 'S', 'B', '_', 'P', 'C', 'I', '0'}));
  EXPECT_EQ(aml::name_path("\\A.B.C").size(), 1u + 2u + 12u);
  EXPECT_EQ(aml::eisa_id("PNP0A08"), (Bytes{0x0c, 0x41, 0xd0, 0x0a, 0x08}));
}

// The encoded length counts itself: 1 byte up to 63, 2 up to 4095, 3 up to 2^20 - 1.
TEST(Aml, PackageLengths) {
  const auto head = [](size_t contents) {
    const Bytes term = aml::scope("ABCD", {Bytes(contents - 4, 0xa3)});
    return Bytes(term.begin() + 1, term.begin() + 4);
  };
  EXPECT_EQ(head(62)[0], 0x3f);
  EXPECT_EQ(head(63)[0], 0x41);
  EXPECT_EQ(head(63)[1], 0x04);
  EXPECT_EQ(head(4093)[0], 0x4f);
  EXPECT_EQ(head(4093)[1], 0xff);
  EXPECT_EQ(head(4094), (Bytes{0x81, 0x00, 0x01}));
}

TEST(Aml, ResourceTemplate) {
  const Bytes bytes = aml::resource_template({aml::io_ports(0x3f8, 8), aml::irq(4)});
  EXPECT_EQ(bytes, (Bytes{0x11, 0x10, 0x0a, 0x0d, 0x47, 0x01, 0xf8, 0x03, 0xf8, 0x03, 0x01, 0x08,
                          0x22, 0x10, 0x00, 0x79, 0x00}));
}

}  // namespace
}  // namespace softvt
