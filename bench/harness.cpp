#include "bench/harness.h"

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "cpu/bits.h"
#include "cpu/cpuid/model.h"
#include "machine/bare_vcpu.h"

namespace softvt::bench {
namespace {

constexpr u64 kPresentWritable = 3, kLarge = 0x80, kEntries = 512;
constexpr i64 kSlice = 10'000'000;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "softvt_bench: %s\n", what.c_str());
  std::abort();
}

BootState start_state() {
  BootState state = long64_state(at::kPml4);
  state.cr0 |= cr0::MP | cr0::NE;
  state.cr4 |= cr4::OSFXSR | cr4::OSXMMEXCPT;
  state.tr = {0x20, at::kTss, 0x67, 0x008b};
  state.ldtr = {0, 0, 0, seg_rights::Unusable};
  state.gdt = {at::kGdt, 0x2f};
  state.idt = {at::kIdt, 32 * 16 - 1};
  return state;
}

}  // namespace

Harness::Harness(std::string_view model, Accel accel) : accel_(accel), state_(start_state()) {
  std::string error;
  const CpuModel* found = find_model(model);
  if (found == nullptr) fail("no such model");
  if (!memory_.add_ram(0, at::kRam)) fail("no memory");
  backend_ = open_backend(accel, memory_, error);
  if (backend_ == nullptr) fail(error);
  vcpu_ = backend_->create_vcpu({memory_, timeline_, bus_, interconnect_, *found, 0, 1}, error);
  if (vcpu_ == nullptr) fail(error);
  make_tables();
  make_gates();
  put(at::kLoops, bench_loops_begin, static_cast<u64>(bench_loops_end - bench_loops_begin));
  constexpr u8 kHlt[] = {0xf4, 0xeb, 0xfd};  // HLT, and again
  put(at::kHalt, kHlt, sizeof kHlt);
  vcpu_->power_on_reset();
}

bool Harness::available(Accel accel) {
  PhysMemory memory;
  std::string error;
  return open_backend(accel, memory, error) != nullptr;
}

Cpu& Harness::cpu() {
  if (accel_ != Accel::Bare) fail("this benchmark needs the processor itself");
  return static_cast<BareVcpu&>(*vcpu_).cpu();
}

void Harness::put(u64 address, const void* data, u64 size) {
  if (!memory_.write(address, data, size)) fail("write outside of memory");
}

void Harness::clear_buffer() {
  const std::vector<u8> zeros(kLoopBufferSize);
  put(at::kBuffer, zeros.data(), zeros.size());
}

// 2 MiB pages for all of the memory; the GDT that long64_state() presumes.
void Harness::make_tables() {
  put64(at::kPml4, at::kPdpt | kPresentWritable);
  put64(at::kPdpt, at::kDirectory | kPresentWritable);
  for (u64 page = 0; page < at::kRam >> 21; ++page) {
    put64(at::kDirectory + page * 8, page << 21 | kPresentWritable | kLarge);
  }
  put64(at::kGdt + state_.cs.selector, segment_descriptor(state_.cs));
  put64(at::kGdt + state_.ds.selector, segment_descriptor(state_.ds));
  put64(at::kGdt + state_.tr.selector, segment_descriptor(state_.tr));
}

void Harness::make_gates() {
  struct Gate {
    unsigned vector;
    const u8* handler;
  };
  for (const Gate& gate :
       {Gate{3, bench_int3_handler}, Gate{6, bench_ud_handler}, Gate{14, bench_pf_handler}}) {
    const u64 offset = address_of(gate.handler);
    constexpr u64 kInterruptGate = u64{0x8e} << 40;
    put64(at::kIdt + gate.vector * 16, (offset & 0xffff) | u64{state_.cs.selector} << 16 |
                                           kInterruptGate | (offset & 0xffff0000) << 32);
    put64(at::kIdt + gate.vector * 16 + 8, offset >> 32);
  }
}

void Harness::map_window() {
  const u64 directory = at::kWindowTables + kPageSize;
  const u64 tables = directory + kPageSize;
  put64(at::kPml4 + 8, at::kWindowTables | kPresentWritable);
  put64(at::kWindowTables, directory | kPresentWritable);
  for (u64 page = 0; page < kTlbPages; ++page) {
    if (page % kEntries == 0) {
      put64(directory + page / kEntries * 8, (tables + page * 8) | kPresentWritable);
    }
    put64(tables + page * 8, (at::kWindowMemory + page * kPageSize) | kPresentWritable);
  }
}

u64 Harness::address_of(const void* symbol) {
  return at::kLoops + static_cast<u64>(static_cast<const u8*>(symbol) - bench_loops_begin);
}

u64 Harness::call(const void* function, u64 a, u64 b, u64 c) {
  return call_at(address_of(function), a, b, c);
}

u64 Harness::call_at(u64 rip, u64 a, u64 b, u64 c) {
  BootState start = state_;
  start.rip = rip;
  start.rsp = at::kStackTop - 8;
  start.rdi = a;
  start.rsi = b;
  start.rdx = c;
  put64(start.rsp, at::kHalt);
  if (accel_ == Accel::Bare)
    cpu().activity = Activity::Active;
  else
    vcpu_->power_on_reset();
  vcpu_->set_boot_state(start);
  for (;;) {
    const VcpuExit exit = vcpu_->run(kSlice);
    switch (exit.reason) {
      case ExitReason::Budget:
        break;
      case ExitReason::Halt:
        return vcpu_->registers().general[RAX];
      default:
        fail("the guest did not come to its end (reason " +
             std::to_string(static_cast<int>(exit.reason)) + ") " + exit.detail);
    }
  }
}

u64 map_one_to_one(PhysMemory& memory, u64 tables, u64 size, u64 branch, u64 leaf) {
  const u64 pointers = tables + kPageSize, directories = pointers + kPageSize;
  const u64 pages = size / kPageSize;
  const u64 directory_count = (pages + kEntries * kEntries - 1) / (kEntries * kEntries);
  const u64 leaves = directories + directory_count * kPageSize;
  const auto put = [&memory](u64 address, u64 value) {
    if (!memory.write(address, &value, sizeof value)) fail("write outside of memory");
  };
  put(tables, pointers | branch);
  for (u64 d = 0; d < directory_count; ++d)
    put(pointers + d * 8, (directories + d * kPageSize) | branch);
  for (u64 page = 0; page < pages; ++page) {
    if (page % kEntries == 0) put(directories + page / kEntries * 8, (leaves + page * 8) | branch);
    put(leaves + page * 8, page * kPageSize | leaf);
  }
  return leaves + pages * 8;
}

}  // namespace softvt::bench
