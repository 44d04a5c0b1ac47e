// The optimised core goes from handler to handler by jumps (cpu/core/shell.h). A handler that calls
// the next one instead takes host stack with every instruction of the guest; nothing but the code
// that the compiler made shows it.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/subprocess.h"

namespace softvt::test {
namespace {

struct Handler {
  std::string name;
  bool calls = false;  // has an indirect call
  bool jumps = false;  // has an indirect jump
};

// Takes "objdump -d -C" line by line and keeps the functions shell<…>.
class HandlerReader {
 public:
  void line(std::string_view text) {
    if (text.ends_with(">:")) return start(text);
    if (!inside_) return;
    text = text.substr(0, text.find('<'));  // names of targets hold stars too
    if (text.find('*') == text.npos) return;
    Handler& handler = handlers_.back();
    handler.calls |= text.find("call") != text.npos;
    handler.jumps |= text.find("jmp") != text.npos;
  }
  const std::vector<Handler>& handlers() const { return handlers_; }

 private:
  void start(std::string_view text) {
    inside_ = text.find("softvt::shell<") != text.npos;
    if (inside_) handlers_.push_back({std::string(text)});
  }

  std::vector<Handler> handlers_;
  bool inside_ = false;
};

constexpr std::string_view kBodies = "softvt::shell<softvt::handlers::(anonymous namespace)::";

bool is_body(const Handler& handler, std::string_view body) {
  return handler.name.find(std::string(kBodies) + std::string(body) + ",") != std::string::npos;
}

// Runs what has no handler of its own: it calls the function of the instruction.
bool may_call(const Handler& handler) { return is_body(handler, "Cold"); }

// Always back to the run loop. A compiler may also move the unlikely part of a handler away.
bool may_only_return(const Handler& handler) {
  return is_body(handler, "LinkStub") || is_body(handler, "Stale") ||
         handler.name.find("[clone") != std::string::npos;
}

std::vector<Handler> disassemble(const std::string& library) {
  HandlerReader reader;
  const std::string command = "objdump -d -C --no-show-raw-insn '" + library + "'";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string line;
  std::array<char, 4096> part;
  while (pipe != nullptr && std::fgets(part.data(), part.size(), pipe.get()) != nullptr) {
    line += part.data();
    if (!line.ends_with('\n')) continue;
    line.pop_back();
    reader.line(line);
    line.clear();
  }
  return reader.handlers();
}

TEST(ReleaseHandlers, JumpAndNeverCall) {
#if defined(SOFTVT_RETURNING_SHELL)
  GTEST_SKIP() << "this build has the returning shell";
#endif
  if (run_shell("command -v objdump").status != 0) GTEST_SKIP() << "no objdump (package binutils)";
  constexpr size_t kAtLeast = 1000;  // so that a disassembly that went wrong does not pass
  const std::vector<Handler> handlers = disassemble(SOFTVT_CPU_LIBRARY);
  EXPECT_GT(handlers.size(), kAtLeast);
  for (const Handler& handler : handlers) {
    EXPECT_TRUE(!handler.calls || may_call(handler)) << "indirect call in " << handler.name;
    EXPECT_TRUE(handler.jumps || may_only_return(handler)) << "no tail jump in " << handler.name;
  }
}

TEST(ReleaseHandlers, TheReaderSeesCallsAndJumps) {
  HandlerReader reader;
  for (const char* line :
       {"0000 <void softvt::shell<softvt::hot::Good, softvt::hot::Slow>(softvt::Cpu*, long)>:",
        "  10:	call   4d <softvt::read(softvt::Cpu*)>", "  a3:	jmp    *%rax", "",
        "0000 <void softvt::shell<softvt::hot::Bad, softvt::hot::Slow>(softvt::Cpu*, long)>:",
        "  68:	call   *0x10(%rsi)", "  6c:	ret", "",
        "0000 <softvt::other()>:", "  1:	call   *%rax"}) {
    reader.line(line);
  }
  ASSERT_EQ(reader.handlers().size(), 2u);
  EXPECT_FALSE(reader.handlers()[0].calls);
  EXPECT_TRUE(reader.handlers()[0].jumps);
  EXPECT_TRUE(reader.handlers()[1].calls);
  EXPECT_FALSE(reader.handlers()[1].jumps);
}

}  // namespace
}  // namespace softvt::test
