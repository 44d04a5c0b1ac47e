// A view of a VMCS region in memory. The processor keeps no copy: VMREAD, VMWRITE, entries and
// exits all work on the region itself.
#pragma once
#include "vmx/vmcs_fields.h"

namespace softvt::vmx {

// Identifies the layout of vmcs_fields.h; reported by IA32_VMX_BASIC. To be changed whenever rows
// are added or moved. SDM 3C 25.2 "Format of the VMCS Region".
constexpr u32 kRevisionId = 0x5f7a0001;
constexpr u32 kShadowIndicator = u32{1} << 31;

enum class LaunchState : u32 { Clear = 0, Launched = 1 };

class Vmcs {
 public:
  Vmcs() = default;
  explicit Vmcs(u8* region) : region_(region) {}
  explicit operator bool() const { return region_ != nullptr; }
  u8* region() const { return region_; }

  [[gnu::always_inline]] u64 get(Field f) const { return load<u64>(offset_of(f)) & mask_of(f); }
  [[gnu::always_inline]] void set(Field f, u64 value) const {
    store<u64>(offset_of(f), value & mask_of(f));
  }
  [[gnu::always_inline]] u32 get32(Field f) const { return static_cast<u32>(get(f)); }

  u32 revision() const { return load<u32>(0); }
  void set_revision(u32 value) const { store<u32>(0, value); }
  void set_abort(u32 reason) const { store<u32>(4, reason); }
  u32 abort() const { return load<u32>(4); }
  LaunchState launch_state() const { return static_cast<LaunchState>(load<u32>(8)); }
  void set_launch_state(LaunchState s) const { store<u32>(8, static_cast<u32>(s)); }

  bool test(Control c) const {
    switch (group_of(c)) {
      case ControlGroup::Pin:
        return get(Field::PIN_BASED_VM_EXEC_CONTROL) & bit_of(c);
      case ControlGroup::Primary:
        return get(Field::CPU_BASED_VM_EXEC_CONTROL) & bit_of(c);
      case ControlGroup::Secondary:
        return secondary() & bit_of(c);
      case ControlGroup::Exit:
        return get(Field::VM_EXIT_CONTROLS) & bit_of(c);
      case ControlGroup::Entry:
        return get(Field::VM_ENTRY_CONTROLS) & bit_of(c);
    }
    return false;
  }
  // All 0 unless "activate secondary controls" is 1. SDM 3C 25.6.2.
  u32 secondary() const {
    const bool active = get(Field::CPU_BASED_VM_EXEC_CONTROL) & bit_of(Control::SecondaryControls);
    return active ? get32(Field::SECONDARY_VM_EXEC_CONTROL) : 0;
  }

 private:
  template <class T>
  T load(unsigned offset) const {
    T value;
    __builtin_memcpy(&value, region_ + offset, sizeof(T));
    return value;
  }
  template <class T>
  void store(unsigned offset, T value) const {
    __builtin_memcpy(region_ + offset, &value, sizeof(T));
  }
  u8* region_ = nullptr;
};

}  // namespace softvt::vmx
