// The run loop and the block cache: code that changes, pages that change, exact counting.
#include <gtest/gtest.h>

#include "tests/cpu/core_machine.h"

namespace softvt {
namespace {

constexpr u64 kCode = CoreMachine::kCode;

TEST(Core, CountsInstructionsExactly) {
  CoreBoard board;
  CoreMachine m(board);
  // mov ecx, 1000; L: dec ecx; jnz L; hlt
  m.emit(kCode, {0xb9, 0xe8, 0x03, 0, 0, 0xff, 0xc9, 0x75, 0xfc, 0xf4});
  ASSERT_TRUE(m.run_to_halt());
  EXPECT_EQ(m.cpu.retired, 1u + 2 * 1000 + 1);
  EXPECT_EQ(board.timeline.now(), m.cpu.retired * kNanosPerInsn);
  EXPECT_EQ(m.cpu.rip, kCode + 10);
}

// A slice boundary anywhere gives the same end as one long slice.
TEST(Core, SlicesDoNotShow) {
  u64 retired = 0;
  for (const i64 slice : {i64{1'000'000}, i64{0}, i64{7}, i64{100}}) {
    CoreBoard board;
    CoreMachine m(board);
    // mov ecx, 500; L: add rax, rcx; push rax; pop rbx; xor rdx, rbx; dec ecx; jnz L; hlt
    m.emit(kCode, {0xb9, 0xf4, 0x01, 0, 0, 0x48, 0x01, 0xc8, 0x50, 0x5b, 0x48, 0x31, 0xda, 0xff,
                   0xc9, 0x75, 0xf4, 0xf4});
    while (m.cpu.run(slice) == RunStop::Budget) {
    }
    EXPECT_EQ(m.cpu.r[RAX], 500u * 501 / 2);
    if (retired == 0) retired = m.cpu.retired;
    EXPECT_EQ(m.cpu.retired, retired);
  }
}

TEST(SelfModifyingCode, PatchedImmediateIsSeenEachTime) {
  CoreBoard board;
  CoreMachine m(board);
  // mov ecx, 1000
  // L: mov dword [P], ecx; P-1: mov eax, imm32; add rbx, rax; dec ecx; jnz L; hlt
  const u32 patched = kCode + 5 + 7 + 1;
  m.emit(kCode, {0xb9,
                 0xe8,
                 0x03,
                 0,
                 0,  //
                 0x89,
                 0x0c,
                 0x25,
                 u8(patched),
                 u8(patched >> 8),
                 u8(patched >> 16),
                 0,  //
                 0xb8,
                 0,
                 0,
                 0,
                 0,  //
                 0x48,
                 0x01,
                 0xc3,
                 0xff,
                 0xc9,
                 0x75,
                 0xed,
                 0xf4});
  ASSERT_TRUE(m.run_to_halt());
  EXPECT_EQ(m.cpu.r[RBX], 1000u * 1001 / 2);
}

TEST(SelfModifyingCode, StoreToTheVeryNextInstruction) {
  CoreBoard board;
  CoreMachine m(board);
  // mov byte [next], 0xf4 (over a jump to itself)
  const u32 next = kCode + 8;
  m.emit(kCode, {0xc6, 0x04, 0x25, u8(next), u8(next >> 8), u8(next >> 16), 0, 0xf4, 0xeb, 0xfe});
  ASSERT_TRUE(m.run_to_halt(1000));
  EXPECT_EQ(m.cpu.rip, next + 1);
}

TEST(SelfModifyingCode, RepStosOverCodeIsSeen) {
  CoreBoard board;
  CoreMachine m(board);
  const u64 victim = kCode + 0x100;
  m.emit(victim, {0xff, 0xc3, 0xc3});  // inc ebx; ret
  // call victim; mov edi, victim; mov al, 0x90; mov ecx, 2; rep stosb; call victim; hlt
  m.emit(kCode, {0xe8, 0xfb, 0, 0, 0,    0xbf, 0x00, 0x01, 0x10, 0, 0xb0, 0x90, 0xb9,
                 2,    0,    0, 0, 0xf3, 0xaa, 0xe8, 0xe8, 0,    0, 0,    0xf4});
  ASSERT_TRUE(m.run_to_halt());
  EXPECT_EQ(m.cpu.r[RBX], 1u);
}

// Data beside code in one page: stores work and do not disturb the loop.
TEST(SelfModifyingCode, DataInTheSamePageIsNotCode) {
  CoreBoard board;
  CoreMachine m(board);
  const u32 data = kCode + 0x800;
  // mov ecx, 1000; L: inc dword [data]; dec ecx; jnz L; hlt
  m.emit(kCode, {0xb9, 0xe8, 0x03, 0, 0, 0xff, 0x04, 0x25, u8(data), u8(data >> 8), u8(data >> 16),
                 0, 0xff, 0xc9, 0x75, 0xf5, 0xf4});
  ASSERT_TRUE(m.run_to_halt());
  EXPECT_EQ(board.get(data) & 0xffffffff, 1000u);
  EXPECT_EQ(board.code.invalidations(), 0u);
}

TEST(CrossModifyingCode, AnotherProcessorsStoreIsSeen) {
  CoreBoard board;
  CoreMachine a(board), b(board);
  a.emit(kCode, {0xb8, 1, 0, 0, 0, 0xf4});  // mov eax, 1; hlt
  ASSERT_TRUE(a.run_to_halt());
  EXPECT_EQ(a.cpu.r[RAX], 1u);
  const u64 writer = 0x180000;
  const u32 target = kCode + 1;
  // mov byte [target], 2; hlt
  b.emit(writer, {0xc6, 0x04, 0x25, u8(target), u8(target >> 8), u8(target >> 16), 0, 2, 0xf4});
  b.cpu.rip = writer;
  ASSERT_TRUE(b.run_to_halt());
  a.cpu.rip = kCode;
  ASSERT_TRUE(a.run_to_halt());
  EXPECT_EQ(a.cpu.r[RAX], 2u);
}

// The second half of an instruction lies in a page that is mapped elsewhere later.
TEST(PageCrossing, FollowsTheSecondPage) {
  CoreBoard board;
  CoreMachine m(board);
  const u64 at = 0x101ffe;   // mov eax, imm32 with 1 byte of imm in the first page
  m.emit(at, {0xb8, 0x11});  // b8 11 | 22 33 44, hlt
  m.emit(0x102000, {0x22, 0x33, 0x44, 0xf4});
  m.emit(0x150000, {0x66, 0x77, 0x08, 0xf4});
  m.cpu.rip = at;
  ASSERT_TRUE(m.run_to_halt());
  EXPECT_EQ(m.cpu.r[RAX], 0x44332211u);
  board.put(CoreBoard::kPt + 0x102 * 8, 0x150000 | 7);
  m.cpu.tlb_flush_page(0x102000);
  m.cpu.rip = at;
  ASSERT_TRUE(m.run_to_halt());
  EXPECT_EQ(m.cpu.r[RAX], 0x08776611u);
}

// The second page is no RAM: unclaimed memory reads as ones, nothing of it may be kept, and the run
// ends.
TEST(PageCrossing, IntoUnclaimedMemory) {
  CoreBoard board;
  CoreMachine m(board);
  board.put(CoreBoard::kPt + 0x102 * 8, 0x40000000 | 7);
  const u64 at = 0x101ffe;
  m.emit(at, {0xb8, 0x11});  // mov eax, 0xffffff11; then ff ff, which is no instruction
  m.cpu.rip = at;
  EXPECT_EQ(m.cpu.run(100), RunStop::Shutdown);  // #UD without an IDT
  EXPECT_EQ(m.cpu.r[RAX], 0xffffff11u);
}

// SDM 3A 4.10.4.1: INVLPG drops every entry that came from the large page.
TEST(Tlb, InvlpgDropsAllOfALargePage) {
  CoreBoard board;
  CoreMachine m(board);
  u64 value = 0x1111;
  board.mem.write(0x400000, &value, 8);
  value = 0x2222;
  board.mem.write(0x600000, &value, 8);
  // mov rax, [0x405000 - 0x5000 + rbx]; hlt: two pages of the large page are entered
  m.emit(kCode, {0x48, 0x8b, 0x03, 0x48, 0x8b, 0x0a, 0xf4});  // mov rax,[rbx]; mov rcx,[rdx]; hlt
  m.cpu.r[RBX] = 0x400000;
  m.cpu.r[RDX] = 0x405000;
  ASSERT_TRUE(m.run_to_halt());
  EXPECT_EQ(m.cpu.r[RAX], 0x1111u);
  board.put(CoreBoard::kPd + 2 * 8, 0x600000 | 0x87);  // 0x400000 -> 0x600000
  m.cpu.tlb_flush_page(0x405000);                      // another address of the page
  m.cpu.rip = kCode;
  ASSERT_TRUE(m.run_to_halt());
  EXPECT_EQ(m.cpu.r[RAX], 0x2222u);
}

// Flags are right at a fault although nobody read them before. SDM 3A 6.5 "faults".
TEST(LazyFlags, AreRightAtAFault) {
  CoreBoard board;
  CoreMachine m(board);
  // mov eax, -1; add eax, 1; mov rbx, [not mapped]; the IDT is empty, so a triple fault ends it
  m.emit(kCode,
         {0xb8, 0xff, 0xff, 0xff, 0xff, 0x83, 0xc0, 0x01, 0x48, 0x8b, 0x1c, 0x25, 0, 0, 0, 0x40});
  m.cpu.activity = Activity::Active;
  EXPECT_EQ(m.cpu.run(1000), RunStop::Shutdown);
  EXPECT_EQ(m.cpu.flags() & rflags::Arithmetic, rflags::CF | rflags::PF | rflags::AF | rflags::ZF);
  EXPECT_EQ(m.cpu.cr2, 0x40000000u);
  EXPECT_EQ(m.cpu.rip, kCode + 8);
}

// Everything that was decoded is dropped when the arena is full; execution goes on.
TEST(CodeCache, FlushWhenFull) {
  CoreBoard board(512);
  CoreMachine m(board);
  u64 at = 0x180000;
  for (int i = 0; i < 400; ++i) at = m.emit(at, {0xff, 0xc0, 0xeb, 0x00});  // inc eax; jmp +0
  m.emit(at, {0xf4});
  m.cpu.rip = 0x180000;
  ASSERT_TRUE(m.run_to_halt());
  EXPECT_EQ(m.cpu.r[RAX], 400u);
  EXPECT_GT(board.code.flushes(), 0u);
}

}  // namespace
}  // namespace softvt
