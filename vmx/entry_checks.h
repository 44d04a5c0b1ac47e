// The checks of VM entry, one row each. SDM 3C chapter 27 "VM Entries": 27.2 for controls and host
// state, 27.3.1 for guest state. Entry, failure report, audits, docs and tests use these rows.
#pragma once
#include <array>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vmx/capabilities.h"
#include "vmx/vmcs.h"

namespace softvt {
class PhysMemory;
}

namespace softvt::vmx {

// What a check looks at. Made from a live VMCS, or from a region that a tool has filled.
struct CheckContext {
  Vmcs vmcs;
  const Capabilities& caps;
  bool host_ia32e = true;           // EFER.LMA of the processor at the VM entry
  u64 current_vmcs = 0;             // its physical address
  const PhysMemory* mem = nullptr;  // null: checks that read memory pass

  u64 operator[](Field f) const { return vmcs.get(f); }
  bool on(Control c) const { return vmcs.test(c); }
};

enum class CheckClass : u8 { Control, Host, Guest };

struct FieldList {
  static constexpr unsigned kMost = 7;
  std::array<Field, kMost> items{};
  u8 count = 0;
  constexpr FieldList(std::initializer_list<Field> fields) {
    for (const Field f : fields) items[count++] = f;
  }
  const Field* begin() const { return items.data(); }
  const Field* end() const { return items.data() + count; }
};

struct CheckRow {
  std::string_view id;       // stable: scripts and docs refer to it
  std::string_view section;  // "SDM 3C 27.3.1.1"
  FieldList fields;          // every field that `ok` reads; the first is the one at fault
  bool (*ok)(const CheckContext&);
  std::string_view rule;                                  // what is demanded
  std::string (*allowed)(const CheckContext&) = nullptr;  // allowed value, if it takes computing
  u8 qualification = 0;  // exit qualification of exit reason 33. SDM 3C 27.8
};

std::span<const CheckRow> check_rows(CheckClass cls);
const CheckRow* find_check(std::string_view id);

struct Failure {
  const CheckRow* row;
};
std::vector<Failure> run_checks(const CheckContext& ctx, CheckClass cls, bool stop_at_first);

// Groups of fields that VMWRITE makes dirty: a check need not run again until a group that it reads
// has changed.
namespace dirty {
// Of the guest's state, RIP and RSP change at almost every exit; blocking, activity and pending
// debug exceptions now and then.
constexpr u8 kControls = 1, kInjection = 2, kHost = 4, kGuest = 8, kNextInsn = 16, kRip = 32,
             kAll = 63;
}  // namespace dirty
u8 dirty_group(Field f);

// The first failing check among those that read a field of the groups `dirty`, or null.
const CheckRow* first_failure(const CheckContext& ctx, CheckClass cls, u8 dirty);

// The text for the user: instruction, check, section, fields with values, what is allowed, and all
// other failures of the class.
std::string failure_report(std::string_view instruction, const CheckContext& ctx, CheckClass cls);

// Parts of the table, one for each file.
namespace check_tables {
std::span<const CheckRow> controls();
std::span<const CheckRow> host();
std::span<const CheckRow> guest_registers();
std::span<const CheckRow> guest_segments();
std::span<const CheckRow> guest_state();
}  // namespace check_tables

// Predicates that several files use.
inline bool canonical(const CheckContext& c, Field f) {
  const unsigned shift = 64 - c.caps.linear_bits;
  const u64 value = c[f];
  return static_cast<u64>(static_cast<i64>(value << shift) >> shift) == value;
}
inline bool upper_half_clear(const CheckContext& c, Field f) { return (c[f] >> 32) == 0; }
inline bool physical(const CheckContext& c, u64 address) {
  return (address & c.caps.physical_limit()) == 0;
}
inline bool page_address(const CheckContext& c, Field f) {
  return (c[f] & kPageMask) == 0 && physical(c, c[f]);
}
inline bool fixed_bits(u64 value, u64 fixed0, u64 fixed1) {
  return (fixed0 & ~value) == 0 && (value & ~fixed1) == 0;
}
bool valid_pat(u64 value);
std::string hex(u64 value);
std::string must_bits(u64 one, u64 may_be_one);

// VM-entry interruption information. SDM 3C 25.8.3, table 25-17.
struct Injection {
  explicit Injection(const CheckContext& c) : info(c.vmcs.get32(Field::VM_ENTRY_INTR_INFO)) {}
  u32 info;
  bool valid() const { return info >> 31; }
  unsigned type() const { return (info >> 8) & 7; }
  unsigned vector() const { return info & 0xff; }
  bool error() const { return (info >> 11) & 1; }
  bool is(unsigned t) const { return valid() && type() == t; }
};
namespace injected {
constexpr unsigned kExternal = 0, kReserved = 1, kNmi = 2, kHardware = 3, kSoftwareInt = 4,
                   kPrivileged = 5, kSoftwareException = 6, kOther = 7;
}

}  // namespace softvt::vmx
