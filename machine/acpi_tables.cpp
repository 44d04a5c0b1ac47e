#include "machine/acpi_tables.h"

#include <string_view>
#include <utility>

#include "machine/acpi_dsdt.h"

namespace softvt {
namespace {

constexpr u64 kFourGib = u64{1} << 32;
constexpr u32 kMaxVcpus = 4096;  // the names of processors in the DSDT have three digits
constexpr std::string_view kOemId = "SOFTVT";
constexpr std::string_view kOemTableId = "SOFTVTBD";
constexpr std::string_view kCreatorId = "SVT ";
constexpr u32 kOemRevision = 1;
constexpr size_t kChecksumOffset = 9;
constexpr size_t kLengthOffset = 4;
constexpr size_t kRsdpChecksumOffset = 8;
constexpr size_t kRsdpExtendedChecksumOffset = 32;
constexpr size_t kRsdpFirstPart = 20;
constexpr size_t kRsdpSize = 36;
constexpr size_t kFacsSize = 64;
constexpr u64 kTableAlignment = 64;  // the FACS needs 64 (5.2.10); the others share it

// A growing table, little-endian.
class TableWriter {
 public:
  void number(u64 value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i) bytes_.push_back(static_cast<u8>(value >> (8 * i)));
  }
  void text(std::string_view text) { bytes_.insert(bytes_.end(), text.begin(), text.end()); }
  void raw(const std::vector<u8>& more) { bytes_.insert(bytes_.end(), more.begin(), more.end()); }
  void zeros(size_t count) { bytes_.insert(bytes_.end(), count, 0); }

  // The header that all tables but RSDP and FACS start with (5.2.6).
  void header(std::string_view signature, u8 revision) {
    text(signature);
    number(0, 4);  // length, set by finish()
    number(revision, 1);
    number(0, 1);  // checksum, set by finish()
    text(kOemId);
    text(kOemTableId);
    number(kOemRevision, 4);
    text(kCreatorId);
    number(1, 4);
  }

  // The 12 bytes of a generic address structure (5.2.3.2); an empty register is all zeros.
  enum class Space : u8 { kMemory = 0, kIo = 1 };
  void register_address(Space space, u64 address, unsigned bits, u8 access) {
    number(static_cast<u8>(space), 1);
    number(bits, 1);
    number(0, 1);  // bit offset
    number(access, 1);
    number(address, 8);
  }
  void no_register() { zeros(12); }

  void checksum(size_t offset, size_t count) {
    u8 sum = 0;
    bytes_[offset] = 0;
    for (size_t i = 0; i < count; ++i) sum = static_cast<u8>(sum + bytes_[i]);
    bytes_[offset] = static_cast<u8>(-sum);
  }

  std::vector<u8> finish() {
    for (unsigned i = 0; i < 4; ++i) {
      bytes_[kLengthOffset + i] = static_cast<u8>(bytes_.size() >> (8 * i));
    }
    checksum(kChecksumOffset, bytes_.size());
    return std::move(bytes_);
  }
  std::vector<u8> take() { return std::move(bytes_); }

 private:
  std::vector<u8> bytes_;
};

// Access sizes of a generic address structure.
enum GasAccess : u8 { kAnyAccess = 0, kByteAccess = 1, kWordAccess = 2, kDwordAccess = 3 };
using Space = TableWriter::Space;

enum FadtFlags : u32 {
  kFadtWbinvd = 1 << 0,
  kFadtProcC1 = 1 << 2,
  kFadtNoSleepButton = 1 << 5,
  kFadtNoFixedRtcWake = 1 << 6,
  kFadtTimer32Bit = 1 << 8,
  kFadtResetRegister = 1 << 10
};
enum BootArch : u16 { kBootLegacyDevices = 1, kBoot8042 = 2, kBootNoVga = 4 };
enum MadtType : u8 {
  kMadtLocalApic = 0,
  kMadtIoApic = 1,
  kMadtOverride = 2,
  kMadtLocalApicNmi = 4,
  kMadtX2Apic = 9,
  kMadtX2ApicNmi = 10
};
constexpr u16 kActiveHighLevel = 0x0d;
constexpr u16 kConforming = 0;
constexpr u32 kApicEnabled = 1;
constexpr u32 kPcatCompatible = 1;
constexpr u32 kLastApicId = 254;  // 255 is the broadcast address of a local APIC in xAPIC mode

std::vector<u8> build_facs() {
  TableWriter facs;
  facs.text("FACS");
  facs.number(kFacsSize, 4);
  facs.zeros(24);  // signature of the hardware, wake vectors, global lock, flags
  facs.number(2, 1);
  facs.zeros(kFacsSize - 33);
  return facs.take();
}

std::vector<u8> build_dsdt(const AcpiConfig& config) {
  TableWriter dsdt;
  dsdt.header("DSDT", 2);  // revision 2: 64-bit integers
  dsdt.raw(build_dsdt_body(config));
  return dsdt.finish();
}

// The registers as port numbers: the part of the FADT that dates from ACPI 1.0 (table 5.9).
void fadt_ports(TableWriter& fadt) {
  fadt.number(platform::kPm1Event, 4);
  fadt.number(0, 4);  // no PM1b
  fadt.number(platform::kPm1Control, 4);
  fadt.number(0, 4);  // no PM1b
  fadt.number(0, 4);  // no PM2
  fadt.number(platform::kPmTimer, 4);
  fadt.number(platform::kGpe0, 4);
  fadt.number(0, 4);  // no GPE1
  fadt.number(platform::kPm1EventPorts, 1);
  fadt.number(platform::kPm1ControlPorts, 1);
  fadt.number(0, 1);
  fadt.number(platform::kPmTimerPorts, 1);
  fadt.number(platform::kGpe0Ports, 1);
  fadt.number(0, 1);
  fadt.number(0, 1);
  fadt.number(0, 1);
}

// The same registers as generic addresses.
void fadt_registers(TableWriter& fadt) {
  const auto io = [&fadt](u16 port, unsigned ports, u8 access) {
    fadt.register_address(Space::kIo, port, ports * 8, access);
  };
  io(platform::kPm1Event, platform::kPm1EventPorts, kWordAccess);
  fadt.no_register();
  io(platform::kPm1Control, platform::kPm1ControlPorts, kWordAccess);
  fadt.no_register();
  fadt.no_register();
  io(platform::kPmTimer, platform::kPmTimerPorts, kDwordAccess);
  io(platform::kGpe0, platform::kGpe0Ports, kByteAccess);
  fadt.no_register();
  fadt.no_register();  // sleep control and status: hardware-reduced ACPI only
  fadt.no_register();
}

std::vector<u8> build_fadt(u64 facs, u64 dsdt) {
  constexpr u16 kNoC2 = 101;   // a latency above 100 us means: not supported
  constexpr u16 kNoC3 = 1001;  // above 1000 us likewise
  TableWriter fadt;
  fadt.header("FACP", 6);
  fadt.number(facs, 4);
  fadt.number(dsdt, 4);
  fadt.number(0, 1);
  fadt.number(0, 1);  // preferred profile: unspecified
  fadt.number(platform::kIrqSci, 2);
  fadt.number(platform::kSmiCommand, 4);
  fadt.number(platform::kSmiAcpiEnable, 1);
  fadt.number(platform::kSmiAcpiDisable, 1);
  fadt.zeros(2);  // S4BIOS, P-state control
  fadt_ports(fadt);
  fadt.number(kNoC2, 2);
  fadt.number(kNoC3, 2);
  fadt.zeros(4);  // cache flushing by reads: WBINVD works
  fadt.zeros(4);  // duty cycle, alarms for day and month
  fadt.number(platform::kCmosCentury, 1);
  fadt.number(kBootLegacyDevices | kBoot8042 | kBootNoVga, 2);
  fadt.zeros(1);
  fadt.number(kFadtWbinvd | kFadtProcC1 | kFadtNoSleepButton | kFadtNoFixedRtcWake |
                  kFadtResetRegister | (platform::kPmTimer32Bit ? u32{kFadtTimer32Bit} : 0u),
              4);
  fadt.register_address(Space::kIo, platform::kResetControl, 8, kByteAccess);
  fadt.number(platform::kResetValue, 1);
  fadt.zeros(2);      // Arm boot flags
  fadt.number(4, 1);  // minor version: ACPI 6.4
  fadt.number(0, 8);  // X_FIRMWARE_CTRL: the 32-bit field holds the address
  fadt.number(dsdt, 8);
  fadt_registers(fadt);
  fadt.zeros(8);  // hypervisor vendor identity
  return fadt.finish();
}

void madt_processor(TableWriter& madt, u32 id) {
  if (id <= kLastApicId) {
    madt.number(kMadtLocalApic, 1);
    madt.number(8, 1);
    madt.number(id, 1);  // _UID
    madt.number(id, 1);
    madt.number(kApicEnabled, 4);
  } else {
    madt.number(kMadtX2Apic, 1);
    madt.number(16, 1);
    madt.zeros(2);
    madt.number(id, 4);
    madt.number(kApicEnabled, 4);
    madt.number(id, 4);  // _UID
  }
}

void madt_override(TableWriter& madt, unsigned isa_irq, unsigned gsi, u16 flags) {
  madt.number(kMadtOverride, 1);
  madt.number(10, 1);
  madt.number(0, 1);  // ISA
  madt.number(isa_irq, 1);
  madt.number(gsi, 4);
  madt.number(flags, 2);
}

// NMI at LINT1 of every processor.
void madt_nmi(TableWriter& madt, bool x2apic) {
  madt.number(kMadtLocalApicNmi, 1);
  madt.number(6, 1);
  madt.number(0xff, 1);
  madt.number(kConforming, 2);
  madt.number(1, 1);
  if (!x2apic) return;
  madt.number(kMadtX2ApicNmi, 1);
  madt.number(12, 1);
  madt.number(kConforming, 2);
  madt.number(0xffffffff, 4);
  madt.number(1, 1);
  madt.zeros(3);
}

std::vector<u8> build_madt(const AcpiConfig& config) {
  TableWriter madt;
  madt.header("APIC", 5);
  madt.number(platform::kLocalApicBase, 4);
  madt.number(kPcatCompatible, 4);
  for (u32 id = 0; id < config.vcpus; ++id) madt_processor(madt, id);
  madt.number(kMadtIoApic, 1);
  madt.number(12, 1);
  madt.number(platform::kIoApicId, 1);
  madt.zeros(1);
  madt.number(platform::kIoApicBase, 4);
  madt.number(0, 4);  // first GSI
  madt_override(madt, platform::kIrqPit, platform::kGsiPit, kConforming);
  madt_override(madt, platform::kIrqSci, platform::kIrqSci, kActiveHighLevel);
  madt_nmi(madt, config.vcpus > kLastApicId + 1);
  return madt.finish();
}

std::vector<u8> build_hpet() {
  constexpr u16 kMinimumTick = 128;
  TableWriter hpet;
  hpet.header("HPET", 1);
  hpet.number(platform::kHpetBlockId, 4);
  hpet.register_address(Space::kMemory, platform::kHpetBase, 64, kAnyAccess);
  hpet.number(0, 1);  // sequence number
  hpet.number(kMinimumTick, 2);
  hpet.number(0, 1);  // no page protection
  return hpet.finish();
}

std::vector<u8> build_mcfg() {
  TableWriter mcfg;
  mcfg.header("MCFG", 1);
  mcfg.zeros(8);
  mcfg.number(platform::kEcamBase, 8);
  mcfg.number(0, 2);  // segment
  mcfg.number(0, 1);
  mcfg.number(platform::kEcamBuses - 1, 1);
  mcfg.zeros(4);
  return mcfg.finish();
}

std::vector<u8> build_root(std::string_view signature, const std::vector<u64>& tables,
                           unsigned pointer_bytes) {
  TableWriter root;
  root.header(signature, 1);
  for (const u64 table : tables) root.number(table, pointer_bytes);
  return root.finish();
}

std::vector<u8> build_rsdp(u64 rsdt, u64 xsdt) {
  TableWriter rsdp;
  rsdp.text("RSD PTR ");
  rsdp.number(0, 1);
  rsdp.text(kOemId);
  rsdp.number(2, 1);
  rsdp.number(rsdt, 4);
  rsdp.number(kRsdpSize, 4);
  rsdp.number(xsdt, 8);
  rsdp.zeros(4);  // extended checksum, reserved
  rsdp.checksum(kRsdpChecksumOffset, kRsdpFirstPart);
  rsdp.checksum(kRsdpExtendedChecksumOffset, kRsdpSize);
  return rsdp.take();
}

// Gives out addresses in the block of the tables, one behind the other.
class Placer {
 public:
  explicit Placer(u64 base) : next_(base) {}
  u64 place(std::vector<u8> bytes) {
    const u64 address = (next_ + kTableAlignment - 1) & ~(kTableAlignment - 1);
    next_ = address + bytes.size();
    blobs_.push_back({address, std::move(bytes)});
    return address;
  }
  u64 end() const { return next_; }
  std::vector<AcpiBlob> take() { return std::move(blobs_); }

 private:
  u64 next_;
  std::vector<AcpiBlob> blobs_;
};

bool possible(const AcpiConfig& config) {
  return config.vcpus >= 1 && config.vcpus <= kMaxVcpus && config.rsdp_address % 16 == 0 &&
         config.rsdp_address >= platform::kBiosAreaBase &&
         config.rsdp_address + kRsdpSize <= platform::kBiosAreaEnd &&
         config.ram_below_4g <= platform::kRamBelow4GLimit && config.tables_base < kFourGib &&
         config.tables_end <= kFourGib && config.ram_above_4g < kFourGib << 20 &&
         config.pci_mmio64_size < kFourGib << 20;
}

}  // namespace

std::optional<std::vector<AcpiBlob>> build_acpi_tables(const AcpiConfig& config) {
  if (!possible(config)) return std::nullopt;
  Placer placer(config.tables_base);
  const u64 facs = placer.place(build_facs());
  const u64 dsdt = placer.place(build_dsdt(config));
  const std::vector<u64> tables = {placer.place(build_fadt(facs, dsdt)),
                                   placer.place(build_madt(config)), placer.place(build_hpet()),
                                   placer.place(build_mcfg())};
  const u64 rsdt = placer.place(build_root("RSDT", tables, 4));
  const u64 xsdt = placer.place(build_root("XSDT", tables, 8));
  const u64 rsdp_end = config.rsdp_address + kRsdpSize;
  const bool overlap = config.rsdp_address < placer.end() && config.tables_base < rsdp_end;
  if (placer.end() > config.tables_end || overlap) return std::nullopt;

  std::vector<AcpiBlob> blobs = placer.take();
  blobs.insert(blobs.begin(), AcpiBlob{config.rsdp_address, build_rsdp(rsdt, xsdt)});
  return blobs;
}

}  // namespace softvt
