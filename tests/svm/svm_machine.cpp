#include "tests/svm/svm_machine.h"

#include "cpu/fpu/rows.h"
#include "cpu/insn/rows.h"
#include "cpu/seg/rows.h"
#include "cpu/simd/rows.h"
#include "cpu/sys/rows.h"

namespace softvt::svm::test {
namespace {

constexpr u64 kTable = 0x7, kLarge = 0xe7;  // present, writable, user; large, accessed, dirty
constexpr u64 kEfer = efer::LME | efer::LMA | efer::NXE | efer::SVME | efer::SCE;
constexpr u64 kCr0 = cr0::PE | cr0::PG | cr0::ET | cr0::NE | cr0::WP;
constexpr u64 kCr4 = cr4::PAE | cr4::OSFXSR | cr4::PSE;
constexpr u16 kCode64 = 0x29b, kData = 0xc93;

Segment flat(u16 selector, u32 rights) { return {selector, 0xffffffff, 0, rights}; }

}  // namespace

void build_instruction_set(InstructionSet& isa) {
  for (const auto rows :
       {integer_rows(), segment_rows(), system_rows(), fpu_rows(), simd_rows(), svm_rows()})
    isa.add(rows);
}

SvmMachine::SvmMachine() : jumps(kJumpEntries) {
  mem.add_ram(0, kRam);
  build_instruction_set(isa);
  msrs.add(core_msr_rows());
  apply_model(cpu, *find_model("max-amd"));
  cpu.mem = &mem;
  cpu.timeline = &timeline;
  cpu.tlbs = &tlbs;
  cpu.isa = &isa;
  cpu.msrs = &msrs;
  cpu.jumps = jumps.data();
  cpu.code = &code_cache;
  code_cache.attach({&tlbs, &cpu});
  cpu.svm = &svm;
  cpu.stop_on_vm_exit = true;
  build_tables();
  build_host();
  build_vmcb();
}

void SvmMachine::build_tables() {
  poke(kHostTables, (kHostTables + 0x1000) | kTable);
  poke(kHostTables + 0x1000, (kHostTables + 0x2000) | kTable);
  poke(kHostTables + 0x2000, kLarge);
  poke(kHostTables + 0x2008, 0x200000 | kLarge);
  poke(kNestedTables, (kNestedTables + 0x1000) | kTable);
  poke(kNestedTables + 0x1000, (kNestedTables + 0x2000) | kTable);
  poke(kNestedTables + 0x2000, (kNestedTables + 0x3000) | kTable);
  poke(kNestedTables + 0x2008, 0x200000 | kLarge);
  for (u64 page = 0; page < 512; ++page) poke(nested_entry(page << 12), page << 12 | kTable);
  poke(kGdt + 0x08, 0x00af9b000000ffff);
  poke(kGdt + 0x10, 0x00cf93000000ffff);
  for (u64 v = 0; v < 256; ++v) {
    const u64 handler = kHandlers + v * 16;
    poke(kIdt + v * 16,
         (handler & 0xffff) | u64{0x08} << 16 | u64{0x8e00} << 32 | (handler >> 16 & 0xffff) << 48);
    mem.write(handler, kVmmcallBytes, 3);
  }
}

void SvmMachine::build_host() {
  cpu.cr0 = kCr0;
  cpu.cr3 = kHostTables;
  cpu.cr4 = kCr4;
  cpu.efer = kEfer;
  for (unsigned i = 0; i < 6; ++i) cpu.set_segment(static_cast<Seg>(i), flat(0x10, 0xc093));
  cpu.set_segment(Seg::CS, flat(0x08, 0xa09b));
  cpu.set_segment(Seg::TR, {0, 0x67, 0, 0x8b});
  cpu.gdtr = {kGdt, 0x1f};
  cpu.idtr = {kIdt, 0xfff};
  cpu.rip = kHostCode;
  cpu.r[RSP] = 0x90000;
  cpu.msr.vm_hsave_pa = kHostSave;
  cpu.gif = false;  // as behind CLGI
  cpu.update_mode();
}

void SvmMachine::build_vmcb() {
  const Vmcb v = vmcb();
  v.put<Field::Vector4>(3);  // VMRUN, VMMCALL
  v.put<Field::Vector3>(vector3::Shutdown);
  v.put<Field::IopmBase>(kIopm);
  v.put<Field::MsrpmBase>(kMsrpm);
  v.put<Field::GuestAsid>(1);
  v.put<Field::GPat>(0x0007040600070406);
  const VmcbSegment data{0x10, kData, 0xffffffff, 0};
  v.put_segment<Field::EsSelector>(data);
  v.put_segment<Field::CsSelector>({0x08, kCode64, 0xffffffff, 0});
  v.put_segment<Field::SsSelector>(data);
  v.put_segment<Field::DsSelector>(data);
  v.put<Field::GdtrBase>(kGdt);
  v.put<Field::GdtrLimit>(0x1f);
  v.put<Field::IdtrBase>(kIdt);
  v.put<Field::IdtrLimit>(0xfff);
  v.put<Field::Efer>(kEfer);
  v.put<Field::Cr0>(kCr0);
  v.put<Field::Cr3>(kHostTables);
  v.put<Field::Cr4>(kCr4);
  v.put<Field::Dr6>(0xffff0ff0);
  v.put<Field::Dr7>(0x400);
  v.put<Field::Rflags>(2);
  v.put<Field::Rip>(kGuestCode);
  v.put<Field::Rsp>(kGuestStack);
}

void SvmMachine::intercept(std::string_view name) {
  const InterceptRow* row = find_intercept(name);
  if (row == nullptr) return;
  const Field field = row->vector == 3   ? Field::Vector3
                      : row->vector == 4 ? Field::Vector4
                                         : Field::Vector5;
  vmcb().write(field, vmcb().read(field) | u64{1} << row->bit);
}

void SvmMachine::nested_paging() {
  vmcb().put<Field::NpEnable>(1);
  vmcb().put<Field::NCr3>(kNestedTables);
}

ExitCode SvmMachine::run(i64 budget) {
  if (vmrun(cpu, kVmcb) == VmrunResult::Entered) cpu.run(budget);
  return static_cast<ExitCode>(exit_code());
}

}  // namespace softvt::svm::test
