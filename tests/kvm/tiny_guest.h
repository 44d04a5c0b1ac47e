// A vcpu of the layer with a guest of a few bytes, for both vendors.
#pragma once
#include <gtest/gtest.h>

#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "cpu/cpuid/model.h"
#include "cpu/timeline.h"
#include "kvm/host_processor.h"
#include "kvm/vcpu.h"
#include "kvm/vm.h"
#include "machine/processor_parts.h"

namespace softvt::kvm {

constexpr u64 kRam = u64{4} << 20;
constexpr u64 kCodeAt = 0x10000;
constexpr u64 kTables = 0x20000;  // PML4, PDPT, PD
constexpr u64 kIdt = 0x30000;

struct Recorder : trace::PathSink {
  void station(const trace::PathEvent& event) override { events.push_back(event); }
  std::vector<trace::PathEvent> events;

  template <class T>
  std::vector<T> all() const {
    std::vector<T> found;
    for (const trace::PathEvent& event : events) {
      if (const T* s = std::get_if<T>(&event.station)) found.push_back(*s);
    }
    return found;
  }
};

class TinyGuest {
 public:
  explicit TinyGuest(Vendor vendor, VmOptions options = {}, InterruptSources sources = {},
                     Timeline* shared_timeline = nullptr)
      : vm(host, with_vendor(options, vendor)),
        processor(host, {processor_parts().instructions, processor_parts().msrs},
                  *find_model(vendor == Vendor::Vmx ? "max-intel" : "max-amd"),
                  shared_timeline != nullptr ? *shared_timeline : timeline, 0, 1) {
    EXPECT_TRUE(processor.boot());
    EXPECT_TRUE(host.add_guest_ram(kGuestRamBase, kRam));
    std::string error;
    EXPECT_TRUE(vm.add_slot({0, kRam, kGuestRamBase, false}, error)) << error;
    vcpu = std::make_unique<Vcpu>(
        vm, processor,
        vendor == Vendor::Vmx ? make_vmx_backend(processor) : make_svm_backend(processor), 0,
        sources);
    EXPECT_TRUE(vcpu->init(error)) << error;
    vm.sink = &path;
  }

  void write(u64 gpa, const std::vector<u8>& bytes) {
    ASSERT_TRUE(vm.write_guest(gpa, bytes.data(), bytes.size()));
  }
  void write64(u64 gpa, u64 value) { ASSERT_TRUE(vm.write_guest(gpa, &value, 8)); }

  // 64-bit mode, 2 MiB at 0 mapped to itself; `cpl` 0 or 3.
  void start_long(const std::vector<u8>& code, unsigned cpl = 0, bool writable = true) {
    write(kCodeAt, code);
    write64(kTables, (kTables + 0x1000) | 7);
    write64(kTables + 0x1000, (kTables + 0x2000) | 7);
    write64(kTables + 0x2000, 0x80 | (writable ? 7 : 5));
    SystemRegisters s = flat(0xa09b, cpl);
    s.cr0 = cr0::PE | cr0::PG | cr0::ET | cr0::WP;
    s.cr3 = kTables;
    s.cr4 = cr4::PAE | cr4::OSFXSR;
    s.efer = efer::LME | efer::LMA;
    start(s);
  }
  // 32-bit protected mode without paging.
  void start_protected(const std::vector<u8>& code) {
    write(kCodeAt, code);
    SystemRegisters s = flat(0xc09b, 0);
    s.cr0 = cr0::PE | cr0::ET;
    start(s);
  }
  void start_real(const std::vector<u8>& code) {
    write(kCodeAt, code);
    SystemRegisters s;
    for (Segment& segment : s.segments) segment = {0, 0xffff, 0, 0x93};
    s.segments[1] = {static_cast<u16>(kCodeAt >> 4), 0xffff, kCodeAt, 0x9b};
    s.segments[6] = {0, 0xffff, 0, 0x82};
    s.segments[7] = {0, 0xffff, 0, 0x8b};
    s.cr0 = cr0::ET;
    vcpu->set_system_registers(s);
    Registers r;
    r.gpr[RSP] = 0x8000;
    vcpu->set_registers(r);
  }

  // Runs to the next exit to user space that is not the end of a slice.
  const Run& run() {
    for (int i = 0; i < 1000; ++i) {
      const Run& area = vcpu->run(1000);
      if (area.exit_reason != RunExit::Intr) return area;
    }
    return vcpu->run_area();
  }
  const Run& run_to_halt() {
    const Run& area = run();
    EXPECT_EQ(area.exit_reason, RunExit::Hlt) << area.detail;
    return area;
  }

  Timeline timeline;
  HostMemory host;
  Vm vm;
  HostProcessor processor;
  std::unique_ptr<Vcpu> vcpu;
  Recorder path;

 private:
  static VmOptions with_vendor(VmOptions options, Vendor vendor) {
    options.vendor = vendor;
    return options;
  }
  static SystemRegisters flat(u32 code_rights, unsigned cpl) {
    SystemRegisters s;
    const u32 dpl = cpl << seg_rights::DplShift;
    for (Segment& segment : s.segments) {
      segment = {static_cast<u16>(0x10 | cpl), ~u32{0}, 0, 0xc093u | dpl};
    }
    s.segments[1] = {static_cast<u16>(0x08 | cpl), ~u32{0}, 0, code_rights | dpl};
    s.segments[6] = {0, 0, 0, seg_rights::Unusable};
    s.segments[7] = {0x18, 0x67, 0, 0x8b};
    s.idt = {kIdt, 0xfff};
    return s;
  }
  void start(const SystemRegisters& s) {
    vcpu->set_system_registers(s);
    Registers r;
    r.rip = kCodeAt;
    r.gpr[RSP] = 0x8000;
    vcpu->set_registers(r);
  }
};

class EachVendor : public ::testing::TestWithParam<Vendor> {
 protected:
  static std::vector<u8> own(Vendor vendor) {
    return vendor == Vendor::Vmx ? std::vector<u8>{0x0f, 0x01, 0xc1}
                                 : std::vector<u8>{0x0f, 0x01, 0xd9};
  }
  static std::vector<u8> foreign(Vendor vendor) {
    return own(vendor == Vendor::Vmx ? Vendor::Svm : Vendor::Vmx);
  }
  static std::vector<u8> join(std::initializer_list<std::vector<u8>> parts) {
    std::vector<u8> all;
    for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
  }
};

inline std::string vendor_name(const ::testing::TestParamInfo<Vendor>& info) {
  return info.param == Vendor::Vmx ? "vmx" : "svm";
}

}  // namespace softvt::kvm
