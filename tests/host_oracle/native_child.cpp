#include "tests/host_oracle/native_child.h"

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>
#include <x86intrin.h>

#include <cstring>

namespace softvt::oracle {
namespace {

// Flags of a case that must not reach the handler's own code.
constexpr u64 kHandlerClears = rflags::AC | rflags::NT | rflags::ID | rflags::TF | rflags::DF;

// Registers in the order of their numbers.
constexpr int kGregs[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                            REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
constexpr unsigned kFxMxcsrMask = 28;
constexpr u8 kPageFault = 14;
constexpr std::size_t kSignalStack = 1 << 18;

struct Child {
  NativeRunner::Shared* shared = nullptr;
  Views views{};
  bool running = false;
  gregset_t home_registers{};  // of the loop that waits for batches
  FxImage home_fx{};
};
Child g_child;

void put_fx(mcontext_t& m, const FxImage& fx) {
  auto* image = reinterpret_cast<u8*>(m.fpregs);
  std::memcpy(image, fx.data(), kFxMxcsrMask);
  std::memcpy(image + kFxSt, fx.data() + kFxSt, kFxSize - kFxSt);
}

void write_code(const Case& c, bool remove) {
  u8* const at = g_child.views.code + (c.rip - kCode);
  const std::size_t size = std::min<std::size_t>(c.code_size, kCode + kCodeSize - c.rip);
  if (remove) {
    std::memset(at, kInt3, size);
  } else {
    std::memcpy(at, c.code.data(), size);
  }
}

void begin_case(mcontext_t& m) {
  const Case& c = g_child.shared->cases[g_child.shared->next];
  write_code(c, false);
  fill_memory(c, g_child.views.memory);
  for (unsigned i = 0; i < 16; ++i) m.gregs[kGregs[i]] = static_cast<greg_t>(c.gpr[i]);
  m.gregs[REG_RIP] = static_cast<greg_t>(c.rip);
  constexpr greg_t kCsMask = 0xffff;
  m.gregs[REG_CSGSFS] = (m.gregs[REG_CSGSFS] & ~kCsMask) | (c.compat ? kUserCs32 : kUserCs);
  m.gregs[REG_EFL] = static_cast<greg_t>(c.flags);
  put_fx(m, c.fx);
}

void end_case(const mcontext_t& m) {
  const u32 index = g_child.shared->next;
  Outcome& o = g_child.shared->outcomes[index];
  o.vector = static_cast<u8>(m.gregs[REG_TRAPNO]);
  o.error = static_cast<u32>(m.gregs[REG_ERR]);
  o.cr2 = o.vector == kPageFault ? static_cast<u64>(m.gregs[REG_CR2]) : 0;
  o.rip = static_cast<u64>(m.gregs[REG_RIP]);
  o.flags = static_cast<u64>(m.gregs[REG_EFL]);
  for (unsigned i = 0; i < 16; ++i) o.gpr[i] = static_cast<u64>(m.gregs[kGregs[i]]);
  std::memcpy(o.fx.data(), m.fpregs, kFxSize);
  std::memcpy(o.memory.data(), g_child.views.memory, kMemorySize);
  write_code(g_child.shared->cases[index], true);
  g_child.shared->next = index + 1;
}

void on_signal(int, siginfo_t*, void* context) {
  __writeeflags(__readeflags() & ~kHandlerClears);
  mcontext_t& m = static_cast<ucontext_t*>(context)->uc_mcontext;
  if (g_child.running) {
    end_case(m);
  } else {
    std::memcpy(g_child.home_registers, m.gregs, sizeof(gregset_t));
    std::memcpy(g_child.home_fx.data(), m.fpregs, kFxSize);
    g_child.running = true;
  }
  if (g_child.shared->next < g_child.shared->count) {
    begin_case(m);
  } else {
    std::memcpy(m.gregs, g_child.home_registers, sizeof(gregset_t));
    put_fx(m, g_child.home_fx);
    g_child.running = false;
  }
}

bool install_handlers() {
  void* stack =
      mmap(nullptr, kSignalStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (stack == MAP_FAILED) return false;
  const stack_t alternate{stack, 0, kSignalStack};
  if (sigaltstack(&alternate, nullptr) != 0) return false;
  struct sigaction action {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (const int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP}) {
    if (sigaction(signal, &action, nullptr) != 0) return false;
  }
  return true;
}

}  // namespace

void child_main(NativeRunner::Shared& shared, Views views, int channel) {
  g_child.shared = &shared;
  g_child.views = views;
  if (!install_handlers()) return;
  // For 32-bit code; 64-bit code does not look at them.
  asm volatile("mov %0, %%ds\n\tmov %0, %%es" : : "r"(u32{kUserData}));
  u8 byte = 1;
  for (;;) {
    if (write(channel, &byte, 1) != 1 || read(channel, &byte, 1) != 1) return;
    raise(SIGTRAP);
  }
}

}  // namespace softvt::oracle
