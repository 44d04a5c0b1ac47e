#include "tests/host_oracle/native_runner.h"

#include <asm/prctl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "tests/host_oracle/native_child.h"

namespace softvt::oracle {
namespace {

constexpr int kPatienceMs = 5000;
constexpr u8 kGo = 1;

int memory_file(const char* name, u64 size) {
  const int fd = memfd_create(name, 0);
  if (fd >= 0 && ftruncate(fd, static_cast<off_t>(size)) != 0) {
    close(fd);
    return -1;
  }
  return fd;
}

u8* map_view(int fd, u64 size) {
  void* p = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
  return p == MAP_FAILED ? nullptr : static_cast<u8*>(p);
}

bool map_at(u64 address, u64 size, int protection, int fd, u64 offset) {
  void* const wanted = reinterpret_cast<void*>(address);
  return mmap(wanted, size, protection, MAP_SHARED | MAP_POPULATE | MAP_FIXED_NOREPLACE, fd,
              static_cast<off_t>(offset)) == wanted;
}

}  // namespace

NativeRunner::NativeRunner() {
  code_file_ = memory_file("oracle-code", kCodeSize);
  data_file_ = memory_file("oracle-data", kMemorySize);
  void* shared =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (code_file_ < 0 || data_file_ < 0 || shared == MAP_FAILED) {
    unavailable_ = "no shared memory";
    return;
  }
  shared_ = new (shared) Shared;
  code_ = map_view(code_file_, kCodeSize);
  data_ = map_view(data_file_, kMemorySize);
  if (code_ == nullptr || data_ == nullptr) {
    unavailable_ = "no shared memory";
    return;
  }
  std::memset(code_, kInt3, kCodeSize);
  if (!start_child()) unavailable_ = "cannot map the code and data pages at their addresses";
}

NativeRunner::~NativeRunner() {
  stop_child();
  if (shared_ != nullptr) munmap(shared_, sizeof(Shared));
  if (code_ != nullptr) munmap(code_, kCodeSize);
  if (data_ != nullptr) munmap(data_, kMemorySize);
  if (code_file_ >= 0) close(code_file_);
  if (data_file_ >= 0) close(data_file_);
}

bool NativeRunner::start_child() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return false;
  child_ = fork();
  if (child_ < 0) return false;
  if (child_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(ends[0]);
    const bool mapped = map_at(kCode, kCodeSize, PROT_READ | PROT_EXEC, code_file_, 0) &&
                        map_at(kData, kDataSize, PROT_READ | PROT_WRITE, data_file_, 0) &&
                        map_at(kReadOnly, kReadOnlySize, PROT_READ, data_file_, kDataSize) &&
                        syscall(SYS_arch_prctl, ARCH_SET_GS, kGsBase) == 0;
    if (mapped) child_main(*shared_, {code_, data_}, ends[1]);
    _exit(1);
  }
  close(ends[1]);
  channel_ = ends[0];
  return wait_for_child();
}

void NativeRunner::stop_child() {
  if (child_ <= 0) return;
  kill(child_, SIGKILL);
  waitpid(child_, nullptr, 0);
  close(channel_);
  child_ = -1;
  channel_ = -1;
}

// The child says one byte when it is ready for work. False: it died or hangs.
bool NativeRunner::wait_for_child() {
  pollfd p{channel_, POLLIN, 0};
  u8 byte;
  return poll(&p, 1, kPatienceMs) == 1 && read(channel_, &byte, 1) == 1;
}

void NativeRunner::run(std::span<const Case> cases, std::span<Outcome> outcomes) {
  const auto count = static_cast<u32>(std::min<std::size_t>(cases.size(), kBatch));
  std::copy_n(cases.begin(), count, shared_->cases.begin());
  for (u32 first = 0; first < count;) {
    shared_->next = first;
    shared_->count = count;
    if (write(channel_, &kGo, 1) == 1 && wait_for_child()) break;
    // The case that was running has no outcome; go on behind it.
    const u32 victim = shared_->next;
    shared_->outcomes[victim] = Outcome{};
    first = victim + 1;
    ++restarts_;
    stop_child();
    std::memset(code_, kInt3, kCodeSize);
    if (!start_child()) {
      unavailable_ = "the child process cannot be started again";
      return;
    }
  }
  std::copy_n(shared_->outcomes.begin(), count, outcomes.begin());
}

}  // namespace softvt::oracle
