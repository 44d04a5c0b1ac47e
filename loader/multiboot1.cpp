// Multiboot Specification version 0.6.96 ("multiboot 1").
#include "loader/blob_writer.h"
#include "loader/formats.h"
#include "loader/image_reader.h"
#include "loader/multiboot_image.h"
#include "loader/text.h"

namespace softvt::loader {
namespace {

constexpr HeaderSearch kSearch{8192, 4, 0x1badb002, 3};
constexpr u32 kBootMagic = 0x2badb002;

// 3.1.2 "The magic fields of Multiboot header". Alignment, memory information and a video mode are
// understood: modules are always aligned, memory is always told, and a loader without a video
// device leaves the video information out.
enum HeaderFlags : u32 {
  kAddressFieldsValid = 1u << 16,
  kMustUnderstand = 0xffff,
  kUnderstood = 0x7,
};

// 3.3 "Boot information format".
enum InfoFlags : u32 {
  kInfoMemory = 1u << 0,
  kInfoCmdline = 1u << 2,
  kInfoModules = 1u << 3,
  kInfoElfSections = 1u << 5,
  kInfoMemoryMap = 1u << 6,
  kInfoLoaderName = 1u << 9,
};
enum InfoOffset : std::size_t {
  kMemLower = 4,
  kMemUpper = 8,
  kCmdline = 16,
  kModuleCount = 20,
  kModuleList = 24,
  kSectionCount = 28,
  kSectionSize = 32,
  kSectionTable = 36,
  kSectionNames = 40,
  kMapLength = 44,
  kMapAddress = 48,
  kLoaderNameAddress = 64,
  kInfoSize = 120,
};

struct Header {
  std::optional<AddressFields> fields;
  u64 entry = 0;
  u64 entry_offset = 0;
};

LoadResult<Header> read_header(const ImageFile& file) {
  constexpr const char* kWhat = "the multiboot header";
  const HeaderFound found = find_header(file, kSearch);
  if (!found.offset) return missing_header(file, kSearch, found, "multiboot");
  const u64 at = *found.offset;
  ImageReader reader(file);
  const u32 flags = reader.get32(at + 4, kWhat);
  const u32 unknown = flags & kMustUnderstand & ~u32{kUnderstood};
  if (unknown != 0) {
    return reader.make_error(at + 4, "no required flags but bits 0 to 2", hex(unknown));
  }
  Header header;
  if ((flags & kAddressFieldsValid) == 0) return header;
  AddressFields fields;
  fields.header_offset = at;
  fields.fields_offset = at + 12;
  fields.header_address = reader.get32(at + 12, kWhat);
  fields.load_address = reader.get32(at + 16, kWhat);
  fields.load_end = reader.get32(at + 20, kWhat);
  fields.bss_end = reader.get32(at + 24, kWhat);
  header.entry = reader.get32(at + 28, kWhat);
  header.entry_offset = at + 28;
  header.fields = fields;
  if (reader.error()) return *reader.error();
  return header;
}

// Builds the information structure; keeps the first error.
class InfoBuilder {
 public:
  explicit InfoBuilder(LoadContext& context) : context_(context) {
    while (info_.size() < kInfoSize) info_.put8(0);
  }

  void add_memory() {
    const auto& map = context_.placement.map();
    const MemorySummary summary = summarize_memory(map);
    set(kMemLower, summary.lower_kib);
    set(kMemUpper, summary.upper_kib);
    BlobWriter table;
    for (const E820Range& range : map) {
      table.put32(20);  // size of the rest of the entry
      table.put64(range.start);
      table.put64(range.size);
      table.put32(static_cast<u32>(range.type));
    }
    set(kMapLength, table.size());
    place(kMapAddress, table, 4, "multiboot memory map");
    flags_ |= kInfoMemory | kInfoMemoryMap;
  }

  void add_modules(const std::vector<PlacedModule>& modules) {
    if (modules.empty()) return;
    BlobWriter list;
    for (const PlacedModule& module : modules) {
      const u64 text = string(module.cmdline, "module command line");
      list.put32(module.start);
      list.put32(module.start + module.size);
      list.put32(text);
      list.put32(0);
    }
    set(kModuleCount, modules.size());
    place(kModuleList, list, 4, "multiboot module list");
    flags_ |= kInfoModules;
  }

  void add_sections(const MultibootImage& image) {
    if (image.section_headers.empty()) return;
    BlobWriter table;
    table.put_bytes(image.section_headers);
    set(kSectionCount, image.elf->sections.size());
    set(kSectionSize, image.elf->section_entry_size);
    set(kSectionNames, image.elf->section_names);
    place(kSectionTable, table, 8, "ELF section headers");
    flags_ |= kInfoElfSections;
  }

  void add_strings() {
    const std::string cmdline = named_cmdline(context_.kernel(), context_.request.cmdline);
    set(kCmdline, string(cmdline, "command line"));
    set(kLoaderNameAddress, string(std::string(kLoaderName), "boot loader name"));
    flags_ |= kInfoCmdline | kInfoLoaderName;
  }

  LoadResult<u64> finish() {
    set(0, flags_);
    if (error_) return *error_;
    return place_boot_data(context_, info_.bytes(), 8, "multiboot information");
  }

 private:
  void set(std::size_t offset, u64 value) { info_.patch(offset, value, 4); }

  u64 keep(const LoadResult<u64>& placed) {
    if (placed) return *placed;
    if (!error_) error_ = placed.error();
    return 0;
  }
  u64 string(const std::string& text, const char* name) {
    return error_ ? 0 : keep(place_boot_string(context_, text, name));
  }
  void place(std::size_t offset, const BlobWriter& blob, u64 alignment, const char* name) {
    if (error_) return;
    set(offset, keep(place_boot_data(context_, blob.bytes(), alignment, name)));
  }

  LoadContext& context_;
  BlobWriter info_;
  u32 flags_ = 0;
  MaybeLoadError error_;
};

}  // namespace

bool is_multiboot1(const ImageFile& file) { return find_header(file, kSearch).offset.has_value(); }

MaybeLoadError load_multiboot1(LoadContext& context) {
  const auto header = read_header(context.kernel());
  if (!header) return header.error();
  auto image = read_multiboot_image(context.kernel(), header->fields);
  if (!image) return image.error();
  if (header->fields) {
    image->layout.entry = header->entry;
    image->layout.entry_offset = header->entry_offset;
  }
  if (auto error = place_multiboot_image(context, *image)) return error;

  InfoBuilder builder(context);
  builder.add_memory();
  builder.add_modules(image->modules);
  builder.add_sections(*image);
  builder.add_strings();
  const auto info = builder.finish();
  if (!info) return info.error();
  const auto state = prepare_protected32(context);
  if (!state) return state.error();
  context.image.boot = *state;
  context.image.boot.rip = image->layout.entry;
  context.image.boot.rax = kBootMagic;
  context.image.boot.rbx = *info;
  return std::nullopt;
}

}  // namespace softvt::loader
