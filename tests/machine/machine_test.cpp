// Whole machines with tiny guests: each way a run can end, time, interrupts, several vcpus.
#include "machine/machine.h"

#include <gtest/gtest.h>

#include "tests/machine/machine_fixture.h"

namespace softvt {
namespace {

using namespace test;

TEST(Machine, PrintsAndPowersOff) {
  const Outcome run = run_code(print("hello\n") + power_off() + spin());
  EXPECT_EQ(run.output, "hello\n");
  EXPECT_EQ(run.exit.cause, ExitCause::PowerOff);
  EXPECT_EQ(run.exit.status(), 0);
  // Three instructions a byte, and the three that power off: it ends behind the last.
  EXPECT_EQ(run.instructions, 3u * 6 + 3);
}

TEST(Machine, PowersOffThroughTheShutdownPort) {
  Code code;
  for (const char c : std::string("Shutdown")) {
    code = code + out_byte(platform::kShutdown, static_cast<u8>(c));
  }
  EXPECT_EQ(run_code(code + spin()).exit.cause, ExitCause::PowerOff);
}

TEST(Machine, DebugExit) {
  const Outcome run = run_code(out_byte(platform::kDebugExit, 0x10) + spin());
  EXPECT_EQ(run.exit.cause, ExitCause::DebugExit);
  EXPECT_EQ(run.exit.status(), 0x21);
}

TEST(Machine, Panic) {
  const Outcome run = run_code(out_byte(platform::kPvPanic, 1) + spin());
  EXPECT_EQ(run.exit.cause, ExitCause::GuestPanic);
}

TEST(Machine, TripleFault) {
  // lidt [limit 0]; int3
  const Code code = {0x31, 0xc0, 0x8e, 0xd8, 0xa3, 0x00, 0x06, 0x0f, 0x01, 0x1e, 0x00, 0x06, 0xcc};
  const Outcome run = run_code(code);
  EXPECT_EQ(run.exit.cause, ExitCause::TripleFault);
  EXPECT_EQ(run.exit.status(), 4);
}

TEST(Machine, HaltedForEver) {
  const Outcome run = run_code(halt_with_interrupts_off(), {.limits = {}});
  EXPECT_EQ(run.exit.cause, ExitCause::HaltedForever);
}

TEST(Machine, Limits) {
  const Outcome instructions = run_code(spin(), {.limits = {.instructions = 1000}});
  EXPECT_EQ(instructions.exit.cause, ExitCause::InstructionLimit);
  EXPECT_EQ(instructions.instructions, 1000u);
  const Outcome time = run_code(spin(), {.limits = {.nanos = 100000}});
  EXPECT_EQ(time.exit.cause, ExitCause::TimeLimit);
  EXPECT_EQ(time.nanos, 100000u);
}

TEST(Machine, ResetLoadsTheImageAgain) {
  // Counts in CMOS, which a reset leaves alone: print a digit, off at the third.
  const Code code = out_byte(0x70, 0x50) + Code{0xe4, 0x71,                    // in al, 0x71
                                                0xfe, 0xc0,                    // inc al
                                                0xe6, 0x71,                    // out 0x71, al
                                                0x88, 0xc3,                    // mov bl, al
                                                0x04, 0x30,                    // add al, '0'
                                                0xba, 0xf8, 0x03, 0xee,        // out to COM1
                                                0x80, 0xfb, 0x03, 0x75, 0x08}  // cmp bl, 3; jne +8
                    + power_off() + Code{0x90} +                               // 8 bytes
                    out_byte(platform::kResetControl, 6) + spin();
  const Outcome run = run_code(code);
  EXPECT_EQ(run.exit.cause, ExitCause::PowerOff);
  EXPECT_EQ(run.output, "123");
  EXPECT_EQ(run.resets, 2u);
  const Outcome once = run_code(code, {.no_reboot = true});
  EXPECT_EQ(once.exit.cause, ExitCause::Reset);
  EXPECT_EQ(once.output, "1");
}

// Programs the 8259s to vector 0x20, the PIT to 1 kHz, and counts ten interrupts while it halts.
Code count_timer_interrupts() {
  return Code{0x31, 0xc0, 0x8e, 0xd8,                          // ds = 0
              0xc7, 0x06, 0x80, 0x00, 0x00, 0x7e,              // vector 0x20 -> 0000:7e00
              0xc7, 0x06, 0x82, 0x00, 0x00, 0x00,              //
              0xb0, 0x11, 0xe6, 0x20, 0xe6, 0xa0,              // ICW1
              0xb0, 0x20, 0xe6, 0x21, 0xb0, 0x28, 0xe6, 0xa1,  // ICW2
              0xb0, 0x04, 0xe6, 0x21, 0xb0, 0x02, 0xe6, 0xa1,  // ICW3
              0xb0, 0x01, 0xe6, 0x21, 0xe6, 0xa1,              // ICW4
              0xb0, 0xfe, 0xe6, 0x21, 0xb0, 0xff, 0xe6, 0xa1,  // masks
              0xb0, 0x34, 0xe6, 0x43,                          // counter 0, mode 2
              0xb0, 0xa9, 0xe6, 0x40, 0xb0, 0x04, 0xe6, 0x40,  // 1193
              0x31, 0xdb,                                      // bx = 0
              0xfb, 0xf4,                                      // sti; hlt
              0x83, 0xfb, 0x0a, 0x72, 0xf9};                   // cmp bx, 10; jb hlt
}

Code timer_guest() {
  Code code = count_timer_interrupts() + print("!") + power_off() + spin();
  code.resize(0x200, 0x90);
  return code + Code{0x43, 0x50, 0xb0, 0x20, 0xe6, 0x20, 0x58, 0xcf};  // inc bx; EOI; iret
}

TEST(Machine, TimerInterruptsThroughThe8259WakeTheHalt) {
  const Outcome run = run_code(timer_guest());
  EXPECT_EQ(run.exit.cause, ExitCause::PowerOff) << run.exit.text();
  EXPECT_EQ(run.output, "!");
  // The first interrupt is the rise of OUT when mode 2 is set, then there are nine periods.
  EXPECT_NEAR(static_cast<double>(run.nanos), 9e6, 0.1e6);
  EXPECT_LT(run.instructions, 200u);
}

TEST(Machine, RunsAreRepeatable) {
  const Outcome first = run_code(timer_guest());
  EXPECT_TRUE(first == run_code(timer_guest()));
}

// The bootstrap processor starts the others through the x2APIC; each prints a '+' and counts
// itself.
Code smp_guest(u8 others) {
  Code code = Code{0x31, 0xc0, 0x8e, 0xd8,                // ds = 0
                   0xa2, 0x00, 0x06,                      // [0x600] = 0
                   0x66, 0xb9, 0x1b, 0x00, 0x00,   0x00,  // IA32_APIC_BASE
                   0x0f, 0x32,                            //
                   0x66, 0x0d, 0x00, 0x0c, 0x00,   0x00,  // x2APIC mode
                   0x0f, 0x30,                            //
                   0x66, 0xb9, 0x30, 0x08, 0x00,   0x00,  // ICR
                   0x66, 0x31, 0xd2,                      //
                   0x66, 0xb8, 0x00, 0x45, 0x0c,   0x00,  // INIT to all others
                   0x0f, 0x30,                            //
                   0x66, 0xb8, 0x08, 0x46, 0x0c,   0x00,  // SIPI: start at 0x8000
                   0x0f, 0x30,                            //
                   0x80, 0x3e, 0x00, 0x06, others,        // until all have counted
                   0x75, 0xf9} +
              print(".") + power_off() + spin();
  code.resize(0x400, 0x90);
  return code + Code{0x31, 0xc0, 0x8e, 0xd8} + print("+") +
         Code{0xf0, 0xfe, 0x06, 0x00, 0x06} +  // lock inc byte [0x600]
         halt_with_interrupts_off();
}

TEST(Machine, StartsTheOtherVcpus) {
  const RunSetup setup{.vcpus = 4};
  const Outcome first = run_code(smp_guest(3), setup);
  EXPECT_EQ(first.exit.cause, ExitCause::PowerOff) << first.exit.text();
  EXPECT_EQ(first.output, "+++.");
  EXPECT_TRUE(first == run_code(smp_guest(3), setup));
}

// An ELF file with one segment at 2 MiB.
Code elf64(const Code& code) {
  constexpr u64 kBase = 0x200000, kHeaders = 0x78;
  Code file = {0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  const auto put = [&file](u64 value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i) file.push_back(static_cast<u8>(value >> (8 * i)));
  };
  put(2, 2), put(62, 2), put(1, 4);                 // executable, x86-64, version
  put(kBase + kHeaders, 8), put(64, 8), put(0, 8);  // entry, program headers, no sections
  put(0, 4), put(64, 2), put(56, 2), put(1, 2), put(64, 2), put(0, 2), put(0, 2);
  put(1, 4), put(7, 4), put(0, 8), put(kBase, 8), put(kBase, 8);  // PT_LOAD, all of the file
  put(kHeaders + code.size(), 8), put(kHeaders + code.size(), 8), put(kPageSize, 8);
  return file + code;
}

TEST(Machine, LongModeGuestPrintsAndPowersOff) {
  const Code code = {0x66, 0xba, 0xf8, 0x03,                                      // mov dx, 0x3f8
                     0x48, 0xb8, 'L',  'O',  'N',  'G',  '6',  '4',  '!',  '\n',  // mov rax
                     0xb9, 0x08, 0x00, 0x00, 0x00,                                // mov ecx, 8
                     0xee, 0x48, 0xc1, 0xe8, 0x08,                                // out; shr rax, 8
                     0xff, 0xc9, 0x75, 0xf7,                                      // dec; jnz
                     0x66, 0xba, 0x04, 0x06, 0x66, 0xb8, 0x00, 0x20, 0x66, 0xef,  // power off
                     0xeb, 0xfe};
  const Outcome run = run_code(elf64(code), {.format = ImageFormat::Elf});
  EXPECT_EQ(run.exit.cause, ExitCause::PowerOff) << run.exit.text();
  EXPECT_EQ(run.output, "LONG64!\n");
}

TEST(Machine, MemoryEndsWhereItShould) {
  for (const u64 ram : {u64{128} << 20, u64{3} << 30, u64{8} << 30}) {
    const Outcome run = run_code(print("m") + power_off() + spin(), {.ram = ram});
    EXPECT_EQ(run.output, "m");
  }
}

TEST(Machine, AmdModelRunsToo) {
  const Outcome run = run_code(print("a") + power_off() + spin(), {.model = "max-amd"});
  EXPECT_EQ(run.output, "a");
}

TEST(Machine, ScriptedInputIsGivenToAPollingGuest) {
  // Echoes until a '.'.
  const Code code = Code{0xba, 0xfd, 0x03, 0xec, 0xa8, 0x01, 0x74, 0xfb,  // wait for data
                         0xba, 0xf8, 0x03, 0xec, 0xee,                    // echo
                         0x3c, 0x2e, 0x75, 0xef} +                        // until '.'
                    power_off() +
                    spin();
  const Outcome run = run_code(code, {.input = "abc."});
  EXPECT_EQ(run.output, "abc.");
  EXPECT_EQ(run.exit.cause, ExitCause::PowerOff);
}

TEST(Machine, RefusesWhatItCannotBuild) {
  std::string error;
  MachineConfig config;
  EXPECT_EQ(Machine::create({}, error), nullptr);
  config.model = find_model("max-intel");
  config.vcpus = kMaxVcpus + 1;
  EXPECT_EQ(Machine::create(config, error), nullptr);
  config.vcpus = 1;
  config.ram_size = 12345;
  EXPECT_EQ(Machine::create(config, error), nullptr);
  config.ram_size = u64{128} << 20;
  config.image.kernel = {"empty", {}};
  EXPECT_EQ(Machine::create(config, error), nullptr);
  EXPECT_NE(error.find("empty"), std::string::npos);
}

}  // namespace
}  // namespace softvt
