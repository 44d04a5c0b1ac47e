#include "devices/fw_cfg.h"

#include <algorithm>
#include <array>
#include <utility>

#include "machine/platform.h"

namespace softvt {
namespace {

enum Key : u16 {
  kKeySignature = 0x00,
  kKeyId = 0x01,
  kKeyUuid = 0x02,
  kKeyRamSize = 0x03,
  kKeyVcpus = 0x05,
  kKeyMaxVcpus = 0x0f,
  kKeyDirectory = 0x19,
  kKeyFirstFile = 0x20
};

enum DmaControl : u32 { kDmaError = 1, kDmaRead = 2, kDmaSkip = 4, kDmaSelect = 8, kDmaWrite = 16 };

constexpr u8 kIdTraditionalAndDma = 3;
constexpr size_t kMaxFiles = 256;
constexpr size_t kNameSize = 56;  // with its terminating zero
constexpr size_t kUuidSize = 16;
constexpr size_t kDmaDescriptorSize = 16;
constexpr u64 kDmaSignature = 0x51454d5520434647;  // "QEMU CFG", big-endian
constexpr u64 kDmaChunk = 4096;
constexpr unsigned kDmaRegisterSize = 8;

void put_little(std::vector<u8>& to, u64 value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) to.push_back(static_cast<u8>(value >> (8 * i)));
}

void put_big(std::vector<u8>& to, u64 value, unsigned bytes) {
  for (unsigned i = bytes; i-- > 0;) to.push_back(static_cast<u8>(value >> (8 * i)));
}

u64 get_big(const u8* from, unsigned bytes) {
  u64 value = 0;
  for (unsigned i = 0; i < bytes; ++i) value = value << 8 | from[i];
  return value;
}

std::vector<u8> little(u64 value, unsigned bytes) {
  std::vector<u8> item;
  put_little(item, value, bytes);
  return item;
}

std::vector<u8> e820_file(const std::vector<E820Entry>& entries) {
  std::vector<u8> file;
  for (const E820Entry& entry : entries) {
    put_little(file, entry.address, 8);
    put_little(file, entry.size, 8);
    put_little(file, static_cast<u32>(entry.type), 4);
  }
  return file;
}

}  // namespace

FwCfg::FwCfg(const FwCfgConfig& config, GuestMemoryAccess memory) : memory_(std::move(memory)) {
  items_[kKeySignature] = {'Q', 'E', 'M', 'U'};
  items_[kKeyId] = little(kIdTraditionalAndDma, 4);
  items_[kKeyUuid] = std::vector<u8>(kUuidSize);
  items_[kKeyRamSize] = little(config.ram_size, 8);
  items_[kKeyVcpus] = little(config.vcpus, 2);
  items_[kKeyMaxVcpus] = little(config.max_vcpus, 2);
  rebuild_directory();
  add_file("etc/e820", e820_file(config.e820));
}

void FwCfg::reset() {
  select(kKeySignature);
  dma_address_ = 0;
}

bool FwCfg::add_file(std::string_view name, std::vector<u8> contents) {
  const bool taken = std::any_of(files_.begin(), files_.end(),
                                 [name](const File& file) { return file.name == name; });
  if (name.empty() || name.size() >= kNameSize || taken || files_.size() >= kMaxFiles ||
      contents.size() > ~u32{0}) {
    return false;
  }
  const u16 key = static_cast<u16>(kKeyFirstFile + files_.size());
  files_.push_back({std::string(name), key, static_cast<u32>(contents.size())});
  items_[key] = std::move(contents);
  rebuild_directory();
  return true;
}

void FwCfg::rebuild_directory() {
  std::vector<u8> directory;
  put_big(directory, files_.size(), 4);
  for (const File& file : files_) {
    put_big(directory, file.size, 4);
    put_big(directory, file.key, 2);
    put_big(directory, 0, 2);
    std::array<u8, kNameSize> name{};
    std::copy(file.name.begin(), file.name.end(), name.begin());
    directory.insert(directory.end(), name.begin(), name.end());
  }
  items_[kKeyDirectory] = std::move(directory);
}

void FwCfg::select(u16 key) {
  key_ = key;
  offset_ = 0;
}

u8 FwCfg::next_byte() {
  const auto item = items_.find(key_);
  if (item == items_.end() || offset_ >= item->second.size()) return 0;
  return item->second[offset_++];
}

u32 FwCfg::port_read(u16 port, unsigned size) {
  const u32 dma_offset = static_cast<u16>(port - platform::kFwCfgDma);
  u32 value = 0;
  for (unsigned i = 0; i < size && i < 4; ++i) {
    u8 byte = 0;
    if (dma_offset + i < kDmaRegisterSize) {
      byte = static_cast<u8>(kDmaSignature >> (8 * (kDmaRegisterSize - 1 - dma_offset - i)));
    } else if (port == platform::kFwCfgData && i == 0) {
      byte = next_byte();
    }
    value |= u32{byte} << (8 * i);
  }
  return value;
}

void FwCfg::port_write(u16 port, u32 value, unsigned size) {
  if (port == platform::kFwCfgSelector && size == 2) select(static_cast<u16>(value));
  if (port >= platform::kFwCfgDma) write_dma_address(port, value, size);
}

// The register is big-endian; a write that reaches its last byte starts the transfer.
void FwCfg::write_dma_address(u16 port, u32 value, unsigned size) {
  const u32 offset = static_cast<u16>(port - platform::kFwCfgDma);
  if (offset + size > kDmaRegisterSize) return;
  for (unsigned i = 0; i < size; ++i) {
    const unsigned shift = 8 * (kDmaRegisterSize - 1 - offset - i);
    dma_address_ &= ~(u64{0xff} << shift);
    dma_address_ |= (u64{value} >> (8 * i) & 0xff) << shift;
  }
  if (offset + size == kDmaRegisterSize) run_dma();
}

void FwCfg::run_dma() {
  const u64 descriptor = std::exchange(dma_address_, u64{0});
  std::array<u8, kDmaDescriptorSize> raw{};
  if (!memory_.read || !memory_.write || !memory_.read(descriptor, raw.data(), raw.size())) return;
  const u32 control = static_cast<u32>(get_big(raw.data(), 4));
  const u32 length = static_cast<u32>(get_big(raw.data() + 4, 4));
  const u64 address = get_big(raw.data() + 8, 8);

  if ((control & kDmaSelect) != 0) select(static_cast<u16>(control >> 16));
  bool good = true;
  if ((control & kDmaRead) != 0) {
    good = dma_read(address, length);
  } else if ((control & kDmaWrite) != 0) {
    good = false;  // no item can be written
  } else if ((control & kDmaSkip) != 0) {
    offset_ += length;
  }
  std::vector<u8> result;
  put_big(result, good ? 0u : u32{kDmaError}, 4);
  memory_.write(descriptor, result.data(), result.size());
}

// Bytes behind the end of the item are zeros. Stops where the guest's memory ends.
bool FwCfg::dma_read(u64 address, u32 length) {
  const auto item = items_.find(key_);
  const u64 item_size = item == items_.end() ? 0 : item->second.size();
  std::array<u8, kDmaChunk> chunk;
  for (u64 done = 0; done < length;) {
    const u64 count = std::min<u64>(kDmaChunk, length - done);
    const u64 from_item = offset_ < item_size ? std::min(count, item_size - offset_) : 0;
    chunk.fill(0);
    if (from_item != 0) std::copy_n(item->second.begin() + offset_, from_item, chunk.begin());
    if (address + done + count < count || !memory_.write(address + done, chunk.data(), count)) {
      return false;
    }
    offset_ += count;
    done += count;
  }
  return true;
}

}  // namespace softvt
