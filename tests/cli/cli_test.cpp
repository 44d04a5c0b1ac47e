// The program as its users meet it: options, errors, exit status.
#include <gtest/gtest.h>

#include <string>

#include "tests/support/subprocess.h"

namespace {

using softvt::test::slurp;
using Result = softvt::test::ProcessResult;

class Cli : public testing::Test {
 protected:
  Result run(const std::string& arguments, const std::string& input = "/dev/null") {
    return softvt::test::run_shell("exec '" SOFTVT_BINARY "' " + arguments, {input, {}});
  }
  std::string path(const std::string& name) const { return folder_.path(name); }
  std::string write(const std::string& name, const std::string& bytes) {
    return folder_.write(name, bytes);
  }
  // A boot sector with this code.
  std::string sector(std::string code) {
    code.resize(510, '\x90');
    return write("image", code + "\x55\xaa");
  }

 private:
  softvt::test::ScratchFolder folder_;
};

using namespace std::string_literals;

std::string print(const std::string& text) {
  std::string code = "\xba\xf8\x03"s;  // mov dx, 0x3f8
  for (const char c : text) code += "\xb0"s + c + "\xee"s;
  return code;
}
const std::string kPowerOff = "\xba\x04\x06\xb8\x00\x20\xef\xeb\xfe"s;
const std::string kSpin = "\xeb\xfe"s;

bool is_one_line(const std::string& text) {
  return text.starts_with("softvt: ") && text.find('\n') == text.size() - 1;
}

TEST_F(Cli, PrintsTheConsoleAndEndsWithZero) {
  const Result r = run("run " + sector(print("hi") + kPowerOff));
  EXPECT_EQ(r.status, 0) << r.err;
  EXPECT_EQ(r.out, "hi");
  EXPECT_EQ(r.err, "");
}

TEST_F(Cli, DebugExitStatus) {
  const std::string image = sector("\xb0\x03\xe6\xf4"s + kSpin);
  EXPECT_EQ(run("run " + image).status, 7);
  EXPECT_EQ(run("run --exit-port none --max-insns 1000 " + image).status, 6);
}

TEST_F(Cli, Limits) {
  const std::string image = sector(kSpin);
  const Result r = run("run --timeout 1ms " + image);
  EXPECT_EQ(r.status, 6);
  EXPECT_NE(r.err.find("limit of virtual time"), std::string::npos) << r.err;
  EXPECT_EQ(run("run --max-insns 10k " + image).status, 6);
}

TEST_F(Cli, HaltedForEverIs14) { EXPECT_EQ(run("run " + sector("\xfa\xf4")).status, 14); }

TEST_F(Cli, ResetUnderNoRebootIsNotSuccess) {
  const std::string image = sector("\xb0\x06\xba\xf9\x0c\xee"s + kSpin);
  const Result r = run("run --no-reboot " + image);
  EXPECT_EQ(r.status, 18);
  EXPECT_TRUE(is_one_line(r.err)) << r.err;
}

TEST_F(Cli, SerialGoesToAFileOrNowhere) {
  const std::string image = sector(print("x") + kPowerOff);
  EXPECT_EQ(run("run --serial file:" + path("serial") + " " + image).out, "");
  EXPECT_EQ(slurp(path("serial")), "x");
  EXPECT_EQ(run("run --serial none " + image).out, "");
}

TEST_F(Cli, InputFromAFile) {
  // Echo one byte, then off.
  const std::string echo = "\xba\xfd\x03\xec\xa8\x01\x74\xfb\xba\xf8\x03\xec\xee"s;
  const std::string image = sector(echo + kPowerOff);
  const std::string input = write("input", "q");
  EXPECT_EQ(run("run " + image, input).out, "q");
  EXPECT_EQ(run("run --serial-input " + input + " " + image).out, "q");
  EXPECT_EQ(run("run --serial-input - " + image, input).out, "q");
}

TEST_F(Cli, BadCommandLinesAreOneLineAndStatus2) {
  const std::string image = sector(kSpin);
  for (const std::string& arguments :
       {std::string("run"), "run --nonsense"s, "run -m 12x "s + image, "run --smp 0 "s + image,
        "run --cpu nonesuch "s + image, "run --accel fast "s + image,
        "run --accel kvm --accel kvm "s + image, "run --format odd "s + image,
        "run --timeout soon "s + image, "run --exit-port 0x10000 "s + image,
        "run --serial tape "s + image, "run --drive x "s + image, "run --kernel a --bios b"s,
        "run --serial-input /nonexistent "s + image, "run /nonexistent"s,
        "run "s + write("text", "no image"), "walk"s}) {
    const Result r = run(arguments);
    EXPECT_EQ(r.status, 2) << arguments;
    EXPECT_TRUE(is_one_line(r.err)) << arguments << ": " << r.err;
    EXPECT_EQ(r.out, "") << arguments;
  }
}

TEST_F(Cli, Help) {
  EXPECT_NE(run("--help").out.find("run"), std::string::npos);
  const Result r = run("run --help");
  EXPECT_EQ(r.status, 0);
  for (const char* word : {"--kernel", "--serial-input", "exit status", "triple fault"}) {
    EXPECT_NE(r.out.find(word), std::string::npos) << word;
  }
  EXPECT_NE(run("run --cpu help").out.find("max-amd"), std::string::npos);
  EXPECT_TRUE(run("--version").out.starts_with("softvt "));
}

TEST_F(Cli, AnInterruptEndsTheRun) {
  const Result r = softvt::test::run_program({"timeout", "--preserve-status", "-s", "INT", "2",
                                              SOFTVT_BINARY, "run", sector(print("up\n") + kSpin)});
  EXPECT_EQ(r.status, 130);
  EXPECT_EQ(r.out, "up\n");
}

}  // namespace
