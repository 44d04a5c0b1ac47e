// What code costs that runs for the first time, and what finding a decoded block costs.
#include <vector>

#include "bench/report.h"

namespace softvt::bench {
namespace {

class CodeWriter {
 public:
  template <size_t N>
  void add(const u8 (&bytes)[N]) {
    code_.insert(code_.end(), bytes, bytes + N);
  }
  void jump_to(u64 from, u64 to) {
    const auto distance = static_cast<u32>(to - (from + 5));
    code_.push_back(0xe9);
    for (unsigned shift = 0; shift < 32; shift += 8)
      code_.push_back(static_cast<u8>(distance >> shift));
  }
  const std::vector<u8>& code() const { return code_; }

 private:
  std::vector<u8> code_;
};

constexpr u8 kRet[] = {0xc3};

enum class Branches : u8 { NotTaken = 0x74, Taken = 0x75 };  // JZ, JNZ

// Groups of 8 usual instructions. The last one is a branch to the next group, taken or not: blocks
// go on behind branches that are not taken, and begin anew where one leads.
std::vector<u8> usual_code(u64 groups, Branches branches) {
  const u8 group[] = {
      0x48,
      0x8b,
      0x06,  // mov (%rsi), %rax
      0x48,
      0x01,
      0xf8,  // add %rdi, %rax
      0x48,
      0x8d,
      0x4c,
      0x07,
      0x10,  // lea 16(%rdi,%rax), %rcx
      0x89,
      0xca,  // mov %ecx, %edx
      0x83,
      0xe2,
      0x3f,  // and $63, %edx
      0x48,
      0x89,
      0x46,
      0x08,  // mov %rax, 8(%rsi)
      0x48,
      0x85,
      0xc0,  // test %rax, %rax: not 0
      static_cast<u8>(branches),
      0x00,
  };
  CodeWriter writer;
  for (u64 i = 0; i < groups; ++i) writer.add(group);
  writer.add(kRet);
  return writer.code();
}

constexpr u64 kGroups = 1024;

void decode(benchmark::State& state, Branches branches) {
  Harness harness;
  const std::vector<u8> code = usual_code(kGroups, branches);
  harness.put(at::kScratch, code.data(), code.size());
  Report report(state, harness);
  for (auto _ : state) {
    state.PauseTiming();
    harness.put(at::kScratch, code.data(), code.size());  // the blocks of before are stale
    state.ResumeTiming();
    benchmark::DoNotOptimize(harness.call_at(at::kScratch, 1, at::kBuffer));
  }
}
BENCHMARK_CAPTURE(decode, straight, Branches::NotTaken)->Name("decode/straight");
BENCHMARK_CAPTURE(decode, branches, Branches::Taken)->Name("decode/branches");

void decoded(benchmark::State& state, Branches branches) {
  Harness harness;
  const std::vector<u8> code = usual_code(kGroups, branches);
  harness.put(at::kScratch, code.data(), code.size());
  harness.call_at(at::kScratch, 1, at::kBuffer);
  Report report(state, harness);
  for (auto _ : state) benchmark::DoNotOptimize(harness.call_at(at::kScratch, 1, at::kBuffer));
}
BENCHMARK_CAPTURE(decoded, straight, Branches::NotTaken)->Name("decoded/straight");
BENCHMARK_CAPTURE(decoded, branches, Branches::Taken)->Name("decoded/branches");

// Blocks of two instructions, each jumping to one in the next page: more of them than the jump
// cache holds, in fewer pages than the TLB has entries.
void block_miss(benchmark::State& state) {
  constexpr u64 kPages = 480, kBlocksInPage = 24, kSpace = 160;
  Harness harness;
  for (u64 block = 0; block < kBlocksInPage; ++block) {
    for (u64 page = 0; page < kPages; ++page) {
      const u64 address = at::kScratch + page * kPageSize + block * kSpace;
      const bool row_ends = page + 1 == kPages;
      const u64 next = row_ends ? at::kScratch + (block + 1) * kSpace : address + kPageSize;
      CodeWriter writer;
      writer.add({0x48, 0xff, 0xc0});  // inc %rax
      if (row_ends && block + 1 == kBlocksInPage)
        writer.add(kRet);
      else
        writer.jump_to(address + 3, next);
      harness.put(address, writer.code().data(), writer.code().size());
    }
  }
  harness.call_at(at::kScratch);
  Report report(state, harness);
  for (auto _ : state) benchmark::DoNotOptimize(harness.call_at(at::kScratch));
  report.each("time_per_block", state.iterations() * kPages * kBlocksInPage);
}
BENCHMARK(block_miss)->Name("block/jump-cache-miss");

}  // namespace
}  // namespace softvt::bench
