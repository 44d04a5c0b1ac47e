#include "tests/host_oracle/softvt_runner.h"

#include <cpuid.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "cpu/core/code_cache.h"
#include "cpu/core/tlb.h"
#include "cpu/cpuid/feature_table.h"
#include "cpu/cpuid/model.h"
#include "cpu/fpu/legacy_image.h"
#include "cpu/fpu/rows.h"
#include "cpu/insn/rows.h"
#include "cpu/msr/msr_table.h"
#include "cpu/phys_memory.h"
#include "cpu/seg/deliver.h"
#include "cpu/seg/rows.h"
#include "cpu/simd/rows.h"
#include "cpu/sys/rows.h"
#include "cpu/timeline.h"

namespace softvt::oracle {
namespace {

constexpr u64 kRam = 4 << 20;
constexpr u64 kPml4 = 0x1000, kPdpt = 0x2000, kDirectory = 0x3000, kTable = 0x4000;
constexpr u64 kTss = 0x10080000, kTssPa = 0x5000;  // for supervisor accesses only
constexpr u32 kTssLimit = 103;                     // no I/O permission bitmap
constexpr u64 kCodePa = 0x100000, kDataPa = 0x110000;
constexpr u64 kPresent = 1, kWritable = 2, kUser = 4, kAccessed = 0x20, kDirty = 0x40;
constexpr u64 kNoExecute = u64{1} << 63;
constexpr i64 kMostInstructions = 200'000;
constexpr u8 kPageFault = 14;

constexpr Segment kCode64Segment{kUserCs, ~u32{0}, 0, 0xa0fb};
constexpr Segment kCode32Segment{kUserCs32, ~u32{0}, 0, 0xc0fb};

class NoPorts : public Bus {
 public:
  u32 port_in(u16, unsigned) override { return ~u32{0}; }
  void port_out(u16, u32, unsigned) override {}
  bool extint_pending() override { return false; }
  u8 extint_acknowledge() override { return 0; }
};

// Sits where a hypervisor would and takes every exception before it is delivered, so that no
// handlers, stacks or tables are needed.
class ExceptionCatcher : public VirtExtension {
 public:
  bool caught = false;
  Event event;
  u64 rip = 0;

  bool exception(Cpu& cpu, Event& e, const Event*) override {
    caught = true;
    event = e;
    rip = return_rip_of(cpu, e);
    cpu.request_stop();
    return true;
  }
  bool intercept(Cpu&, const Insn&, Intercept, u64, u64) override { return false; }
  bool triple_fault(Cpu&) override { return false; }
  bool boundary(Cpu&) override { return false; }
  bool external(Cpu&, External, u8) override { return false; }
  bool interrupts_allowed(const Cpu&) const override { return false; }
  bool wakes(const Cpu&) const override { return false; }
  bool translate(Cpu&, u64, const GpaAccess&, SecondStage&) override { return false; }
  void take_second_stage_exit(Cpu&, const Event*) override {}
  bool second_stage_active(const Cpu&) const override { return false; }
};

bool host_has(const FeatureRow& row) {
  unsigned regs[4] = {};
  if (__get_cpuid_count(row.leaf, row.subleaf, &regs[0], &regs[1], &regs[2], &regs[3]) == 0) {
    return false;
  }
  return (regs[static_cast<unsigned>(row.reg)] >> row.bit & 1) != 0;
}

bool host_is_intel() {
  unsigned a, b, c, d;
  return __get_cpuid(0, &a, &b, &c, &d) != 0 && b == signature_INTEL_ebx;
}

}  // namespace

FeatureSet host_features() {
  FeatureSet features;
  for (const FeatureRow& row : feature_rows()) {
    if (host_has(row)) features.set(row.feature);
  }
  return features;
}

struct SoftvtRunner::Board {
  Board();
  void map(u64 linear, u64 pa, u64 size, u64 rights);
  void put(u64 pa, u64 value) { memory.write(pa, &value, sizeof(value)); }
  void enter_user_mode();

  PhysMemory memory;
  CodeCache code{memory};
  TlbPool tlbs;
  Timeline timeline;
  NoPorts ports;
  ExceptionCatcher catcher;
  InstructionSet isa;
  MsrTable msrs;
  std::vector<JumpEntry> jumps{kJumpEntries};
  Cpu cpu;
};

SoftvtRunner::Board::Board() {
  memory.add_ram(0, kRam);
  for (const auto rows : {integer_rows(), segment_rows(), system_rows(), simd_rows(), fpu_rows()}) {
    isa.add(rows);
  }
  msrs.add(core_msr_rows());
  cpu.mem = &memory;
  cpu.code = &code;
  cpu.tlbs = &tlbs;
  cpu.timeline = &timeline;
  cpu.bus = &ports;
  cpu.isa = &isa;
  cpu.msrs = &msrs;
  cpu.jumps = jumps.data();
  cpu.virt = &catcher;
  code.attach({&tlbs, &cpu});
  apply_model(cpu, *find_model(host_is_intel() ? "max-intel" : "max-amd"));
  cpu.power_on_reset();
  cpu.features = host_features();

  put(kPml4, kPdpt | kPresent | kWritable | kUser | kAccessed);
  put(kPdpt, kDirectory | kPresent | kWritable | kUser | kAccessed);
  put(kDirectory + (kCode >> 21) * 8, kTable | kPresent | kWritable | kUser | kAccessed);
  map(kCode, kCodePa, kCodeSize, 0);
  map(kData, kDataPa, kDataSize, kWritable | kNoExecute);
  map(kReadOnly, kDataPa + kDataSize, kReadOnlySize, kNoExecute);
  put(kTable + (kTss >> 12 & 511) * 8, kTssPa | kPresent | kAccessed);
  put(kTssPa + 96, u64{kTssLimit + 1} << 48);  // bytes 102 and 103: where the bitmap would be
  const std::vector<u8> filler(kCodeSize, kInt3);
  memory.write(kCodePa, filler.data(), filler.size());
  enter_user_mode();
}

void SoftvtRunner::Board::map(u64 linear, u64 pa, u64 size, u64 rights) {
  for (u64 at = 0; at < size; at += kPageSize) {
    put(kTable + ((linear + at) >> 12 & 511) * 8,
        (pa + at) | rights | kPresent | kUser | kAccessed | kDirty);
  }
}

// As user programs find the processor under 64-bit Linux.
void SoftvtRunner::Board::enter_user_mode() {
  cpu.cr3 = kPml4;
  cpu.cr4 = cr4::PAE | cr4::DE | cr4::PGE | cr4::MCE | cr4::OSFXSR | cr4::OSXMMEXCPT | cr4::OSXSAVE;
  cpu.cr4 |= cpu.has(Feature::FsGsBase) ? cr4::FSGSBASE : 0;
  cpu.cr4 |= cpu.has(Feature::Umip) ? cr4::UMIP : 0;
  cpu.efer = efer::SCE | efer::LME | efer::LMA | efer::NXE;
  cpu.cr0 = cr0::PE | cr0::MP | cr0::ET | cr0::NE | cr0::WP | cr0::AM | cr0::PG;
  cpu.xcr0 = 3;
  const Segment null{0, 0, 0, seg_rights::Unusable};
  for (const Seg s : {Seg::FS, Seg::GS}) cpu.set_segment(s, null);
  cpu.set_segment_base(Seg::GS, kGsBase);
  for (const Seg s : {Seg::DS, Seg::ES, Seg::SS}) {
    cpu.set_segment(s, {kUserData, ~u32{0}, 0, 0xc0f3});
  }
  cpu.set_segment(Seg::CS, kCode64Segment);
  cpu.set_segment(Seg::TR, {8, kTssLimit, kTss, 0x8b});
  cpu.guest_mode = true;
  cpu.update_mode();
}

SoftvtRunner::SoftvtRunner() : board_(std::make_unique<Board>()) {}
SoftvtRunner::~SoftvtRunner() = default;

const InstructionSet& SoftvtRunner::instructions() const { return board_->isa; }
const Cpu& SoftvtRunner::cpu() const { return board_->cpu; }

void SoftvtRunner::run(const Case& c, Outcome& out) {
  Board& b = *board_;
  Cpu& cpu = b.cpu;
  const u64 code_pa = kCodePa + (c.rip - kCode);
  const u64 code_size = std::min<u64>(c.code_size, kCode + kCodeSize - c.rip);
  b.memory.write(code_pa, c.code.data(), code_size);
  std::array<u8, kMemorySize> image;
  fill_memory(c, image.data());
  b.memory.write(kDataPa, image.data(), kMemorySize);

  if (cpu.code64() == c.compat) {
    cpu.set_segment(Seg::CS, c.compat ? kCode32Segment : kCode64Segment);
  }
  std::copy(c.gpr.begin(), c.gpr.end(), cpu.r);
  cpu.set_flags(c.flags);
  cpu.rip = c.rip;
  cpu.shadow = Shadow::None;
  cpu.pending_dr6 = 0;
  cpu.fault_pending = cpu.second_stage_pending = cpu.stop_requested = false;
  cpu.activity = Activity::Active;
  fpu::decode_x87(cpu, fpu::PointerFormat::Offset64, c.fx.data());
  fpu::decode_xmm(cpu, c.fx.data());
  cpu.mxcsr = fx_get<u32>(c.fx, kFxMxcsr);
  b.catcher.caught = false;
  cpu.run(kMostInstructions);

  out = Outcome{};
  if (b.catcher.caught) {
    const Event& e = b.catcher.event;
    out.vector = e.vector;
    out.error = e.has_error ? e.error : 0;
    out.cr2 = e.vector == kPageFault ? e.cr2 : 0;
    out.rip = b.catcher.rip;
  }
  out.flags = cpu.flags();
  std::copy_n(cpu.r, 16, out.gpr.begin());
  u8 legacy[fpu::kLegacySize] = {};
  fpu::encode_x87(cpu, fpu::PointerFormat::Offset64, legacy);
  fpu::encode_xmm(cpu, legacy);
  std::memcpy(out.fx.data(), legacy, kFxSize);
  fx_put<u32>(out.fx, kFxMxcsr, cpu.mxcsr);
  b.memory.read(kDataPa, out.memory.data(), kMemorySize);

  const std::array<u8, kMostCodeBytes> filler = [] {
    std::array<u8, kMostCodeBytes> f;
    f.fill(kInt3);
    return f;
  }();
  b.memory.write(code_pa, filler.data(), code_size);
}

}  // namespace softvt::oracle
