// A processor in 64-bit mode with VMX on and a VMCS that passes every check: the guest is a 64-bit
// one with EPT, VPID and unrestricted guest, memory mapped one to one.
#pragma once
#include <gtest/gtest.h>

#include <cstring>
#include <initializer_list>
#include <memory>

#include "cpu/core/code_cache.h"
#include "cpu/core/tlb.h"
#include "cpu/cpu.h"
#include "cpu/cpuid/model.h"
#include "cpu/phys_memory.h"
#include "cpu/timeline.h"
#include "vmx/extension.h"

namespace softvt::vmx::test {

constexpr u64 kVmxon = 0x10000, kVmcs = 0x11000, kMsrBitmap = 0x12000, kIoBitmapA = 0x13000,
              kIoBitmapB = 0x14000, kEpt = 0x20000, kGuestTables = 0x30000, kGuestCode = 0x40000,
              kGuestStack = 0x48000, kGuestIdt = 0x50000, kGuestGdt = 0x52000, kMsrArea = 0x54000,
              kHostRip = 0x60000, kRam = 0x400000;

constexpr u64 kCode64Rights = 0xa09b, kDataRights = 0xc093, kTssRights = 0x8b, kUnusable = 0x10000;

struct VmxMachine {
  VmxMachine() : tlbs(std::make_unique<TlbPool>()) {
    mem.add_ram(0, kRam);
    apply_model(cpu, *find_model("max-intel"));
    cpu.mem = &mem;
    cpu.tlbs = tlbs.get();
    cpu.timeline = &timeline;
    vmx = std::make_unique<VmxExtension>(cpu);
    cpu.vmx = vmx.get();
    host_mode();
    put(kVmxon, u64{kRevisionId});
    put(kVmcs, u64{kRevisionId});
    build_ept();
    build_guest_tables();
    EXPECT_TRUE(vmx->vmxon(cpu, kVmxon).ok());
    EXPECT_TRUE(vmx->vmclear(cpu, kVmcs).ok());
    EXPECT_TRUE(vmx->vmptrld(cpu, kVmcs).ok());
    fill_vmcs();
  }

  void put(u64 pa, u64 value) { ASSERT_TRUE(mem.write(pa, &value, 8)); }
  void code(std::initializer_list<int> bytes) {
    u64 at = kGuestCode;
    for (const int b : bytes) {
      const u8 byte = static_cast<u8>(b);
      ASSERT_TRUE(mem.write(at++, &byte, 1));
    }
  }
  void write(Field f, u64 value) { ASSERT_TRUE(vmx->vmwrite(cpu, f, value).ok()); }
  u64 read(Field f) {
    u64 value = 0;
    EXPECT_TRUE(vmx->vmread(cpu, f, value).ok()) << kFieldRows[row_of(f)].id;
    return value;
  }
  void control(Control c, bool on) {
    constexpr Field kFields[] = {Field::PIN_BASED_VM_EXEC_CONTROL, Field::CPU_BASED_VM_EXEC_CONTROL,
                                 Field::SECONDARY_VM_EXEC_CONTROL, Field::VM_EXIT_CONTROLS,
                                 Field::VM_ENTRY_CONTROLS};
    const Field f = kFields[static_cast<unsigned>(group_of(c))];
    write(f, on ? read(f) | bit_of(c) : read(f) & ~u64{bit_of(c)});
  }
  ExitReason reason() { return static_cast<ExitReason>(read(Field::VM_EXIT_REASON)); }
  CheckContext context() { return {vmx->current(), vmx->capabilities(), true, kVmcs, &mem}; }

  void host_mode() {
    cpu.cr0 = 0x80050033;
    cpu.cr4 = cr4::PAE | cr4::VMXE | cr4::OSFXSR;
    cpu.efer = efer::LME | efer::LMA | efer::SCE | efer::NXE;
    cpu.cr3 = kGuestTables;
    cpu.set_segment(Seg::CS, {.selector = 8, .limit = ~0u, .base = 0, .rights = 0xa09b});
    cpu.set_segment(Seg::SS, {.selector = 16, .limit = ~0u, .base = 0, .rights = 0xc093});
    cpu.update_mode();
  }

  void build_ept() {  // 1 GiB identity with 2 MiB pages, write-back
    put(kEpt, (kEpt + 0x1000) | 7);
    put(kEpt + 0x1000, (kEpt + 0x2000) | 7);
    for (u64 i = 0; i < 512; ++i) put(kEpt + 0x2000 + 8 * i, i << 21 | 0xb7);
  }
  void build_guest_tables() {  // 1 GiB identity with 2 MiB pages
    put(kGuestTables, (kGuestTables + 0x1000) | 7);
    put(kGuestTables + 0x1000, (kGuestTables + 0x2000) | 7);
    for (u64 i = 0; i < 512; ++i) put(kGuestTables + 0x2000 + 8 * i, i << 21 | 0x87);
  }

  void fill_controls() {
    const Capabilities& c = vmx->capabilities();
    const auto base = [&](ControlGroup g) { return u64{c.limit(g).allowed0}; };
    write(Field::PIN_BASED_VM_EXEC_CONTROL, base(ControlGroup::Pin));
    write(Field::CPU_BASED_VM_EXEC_CONTROL, base(ControlGroup::Primary));
    write(Field::SECONDARY_VM_EXEC_CONTROL, 0);
    write(Field::VM_EXIT_CONTROLS, base(ControlGroup::Exit));
    write(Field::VM_ENTRY_CONTROLS, base(ControlGroup::Entry));
    for (const Control x :
         {Control::ExternalInterruptExiting, Control::NmiExiting, Control::SecondaryControls,
          Control::HltExiting, Control::MsrBitmaps, Control::EnableEpt, Control::EnableVpid,
          Control::UnrestrictedGuest, Control::HostAddressSpaceSize, Control::SaveGuestEfer,
          Control::LoadHostEfer, Control::LoadHostPat, Control::SaveGuestPat,
          Control::SaveDebugControls, Control::Ia32eModeGuest, Control::LoadGuestEfer,
          Control::LoadGuestPat, Control::LoadDebugControls})
      control(x, true);
    write(Field::VIRTUAL_PROCESSOR_ID, 1);
    write(Field::EPT_POINTER, kEpt | 3 << 3 | 6);
    write(Field::MSR_BITMAP, kMsrBitmap);
    write(Field::IO_BITMAP_A, kIoBitmapA);
    write(Field::IO_BITMAP_B, kIoBitmapB);
    write(Field::VMCS_LINK_POINTER, ~u64{0});
  }
  void fill_host() {
    write(Field::HOST_CR0, cpu.cr0);
    write(Field::HOST_CR3, cpu.cr3);
    write(Field::HOST_CR4, cpu.cr4);
    write(Field::HOST_IA32_EFER, cpu.efer);
    write(Field::HOST_IA32_PAT, 0x0007040600070406);
    write(Field::HOST_CS_SELECTOR, 8);
    write(Field::HOST_SS_SELECTOR, 16);
    write(Field::HOST_TR_SELECTOR, 24);
    write(Field::HOST_RIP, kHostRip);
  }
  void fill_guest() {
    write(Field::GUEST_CR0, cpu.cr0);
    write(Field::GUEST_CR3, kGuestTables);
    write(Field::GUEST_CR4, cpu.cr4);
    write(Field::GUEST_IA32_EFER, cpu.efer);
    write(Field::GUEST_IA32_PAT, 0x0007040600070406);
    write(Field::GUEST_DR7, 0x400);
    write(Field::GUEST_RFLAGS, 2);
    write(Field::GUEST_RIP, kGuestCode);
    write(Field::GUEST_RSP, kGuestStack);
    for (unsigned i = 0; i < 8; ++i) {
      const auto at = [i](Field es) { return static_cast<Field>(static_cast<u32>(es) + 2 * i); };
      write(at(Field::GUEST_ES_SELECTOR), i == 1 ? 8 : i < 6 ? 16 : 0);
      write(at(Field::GUEST_ES_LIMIT), i < 6 ? 0xffffffff : 0xffff);
      write(at(Field::GUEST_ES_AR_BYTES), i == 1   ? kCode64Rights
                                          : i < 6  ? kDataRights
                                          : i == 6 ? kUnusable
                                                   : kTssRights);
    }
    write(Field::GUEST_GDTR_BASE, kGuestGdt);
    write(Field::GUEST_GDTR_LIMIT, 0xff);
    write(Field::GUEST_IDTR_BASE, kGuestIdt);
    write(Field::GUEST_IDTR_LIMIT, 0xfff);
  }
  void fill_vmcs() {
    fill_controls();
    fill_host();
    fill_guest();
  }

  PhysMemory mem;
  Timeline timeline;
  std::unique_ptr<TlbPool> tlbs;
  std::unique_ptr<VmxExtension> vmx;
  Cpu cpu;
};

}  // namespace softvt::vmx::test
