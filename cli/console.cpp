#include "cli/console.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

namespace softvt::cli {
namespace {

constexpr size_t kBufferSize = 4096;
constexpr unsigned kPollsPerLook = 16;  // slices between two looks at the terminal
constexpr int kWaitMs = 200;            // longest sleep before signals are looked at
constexpr u64 kNanosPerMs = 1'000'000;
constexpr u64 kIdleStepMs = 10;
constexpr u8 kEscapeKey = 1;  // Ctrl-A

volatile std::sig_atomic_t g_signalled = 0;

void on_signal(int) { g_signalled = 1; }

void write_all(int fd, const char* data, size_t size) {
  while (size != 0) {
    const ssize_t done = ::write(fd, data, size);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return;  // nobody reads: the guest goes on all the same
    data += done;
    size -= static_cast<size_t>(done);
  }
}

bool read_all(int fd, std::string& to) {
  char buffer[kBufferSize];
  for (;;) {
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR && g_signalled == 0) continue;
    if (got < 0) return false;
    if (got == 0) return true;
    to.append(buffer, static_cast<size_t>(got));
  }
}

bool is_regular_file(int fd) {
  struct stat info;
  return ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

}  // namespace

void catch_signals() {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

struct RawTerminal::Saved {
  termios settings;
};

RawTerminal::RawTerminal() : saved_(std::make_unique<Saved>()) {
  if (tcgetattr(STDIN_FILENO, &saved_->settings) != 0) {
    saved_.reset();
    return;
  }
  // Output processing stays on: small guests send line feeds alone.
  termios raw = saved_->settings;
  raw.c_iflag &= ~static_cast<tcflag_t>(BRKINT | ICRNL | INLCR | IGNCR | INPCK | ISTRIP | IXON);
  raw.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | ICANON | IEXTEN | ISIG);
  raw.c_cc[VMIN] = 0;
  raw.c_cc[VTIME] = 0;
  tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

RawTerminal::~RawTerminal() {
  if (saved_) tcsetattr(STDIN_FILENO, TCSANOW, &saved_->settings);
}

Console::~Console() { close(); }

bool Console::open(const RunOptions& options, std::string& script, std::string& error) {
  to_ = options.serial;
  if (to_ == SerialTo::Stdio) fd_ = STDOUT_FILENO;
  if (to_ == SerialTo::File) {
    fd_ = ::open(options.serial_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd_ < 0) {
      error = options.serial_file + ": cannot be written: " + std::strerror(errno);
      return false;
    }
  }
  output_is_terminal_ = fd_ >= 0 && ::isatty(fd_) != 0;
  return read_script(options, script, error);
}

bool Console::read_script(const RunOptions& options, std::string& script,
                          std::string& error) const {
  const std::string& path = options.serial_input;
  if (path.empty()) {
    const bool from_stdin = to_ == SerialTo::Stdio && is_regular_file(STDIN_FILENO);
    return !from_stdin || read_all(STDIN_FILENO, script);
  }
  const bool is_stdin = path == "-";
  const int fd = is_stdin ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool done = fd >= 0 && read_all(fd, script);
  if (!done) error = path + ": cannot be read: " + std::strerror(errno);
  if (fd >= 0 && !is_stdin) ::close(fd);
  return done;
}

void Console::attach(Machine& machine) {
  machine_ = &machine;
  const bool console_shares_terminal = to_ == SerialTo::Stdio && output_is_terminal_;
  if (to_ == SerialTo::Stdio && ::isatty(STDIN_FILENO) != 0) open_terminal();
  // Where the guest writes on the same terminal a status line would be in its way.
  if (::isatty(STDERR_FILENO) != 0 && !console_shares_terminal) {
    status_ = std::make_unique<StatusLine>();
  }
}

void Console::open_terminal() {
  std::fprintf(stderr, "softvt: Ctrl-A x quits\n");
  terminal_ = std::make_unique<RawTerminal>();
}

void Console::close() {
  flush();
  terminal_.reset();
  status_.reset();
  if (to_ == SerialTo::File && fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void Console::put(u8 byte) {
  if (fd_ < 0) return;
  pending_.push_back(static_cast<char>(byte));
  if (byte == '\n') line_ended_ = true;
  if (pending_.size() >= kBufferSize) flush();
}

void Console::flush() {
  if (fd_ >= 0 && !pending_.empty()) write_all(fd_, pending_.data(), pending_.size());
  pending_.clear();
  line_ended_ = false;
}

bool Console::poll() {
  if (g_signalled != 0) return true;
  if (++polls_ % kPollsPerLook != 0) return quit_;
  // A terminal shows prompts without a line feed too; a file or a pipe gets whole lines.
  if (output_is_terminal_ || line_ended_) flush();
  if (terminal_) read_terminal(0);
  if (status_) status_->update(*machine_);
  return quit_ || g_signalled != 0;
}

bool Console::wait_for_input() {
  if (!terminal_ || input_ended_) return false;
  flush();
  read_terminal(kWaitMs);
  return true;
}

void Console::pass_idle_time(u64 nanos) {
  if (!terminal_) return;
  idle_nanos_ += std::min(nanos, kWaitMs * kNanosPerMs);
  if (idle_nanos_ < kIdleStepMs * kNanosPerMs) return;
  flush();
  read_terminal(static_cast<int>(std::min<u64>(idle_nanos_ / kNanosPerMs, kWaitMs)));
  idle_nanos_ = 0;
}

void Console::read_terminal(int wait_ms) {
  if (input_ended_) return;
  pollfd ready{STDIN_FILENO, POLLIN, 0};
  if (::poll(&ready, 1, wait_ms) <= 0) return;
  u8 keys[64];
  const ssize_t got = ::read(STDIN_FILENO, keys, sizeof keys);
  if (got == 0 && (ready.revents & POLLHUP) != 0) input_ended_ = true;
  if (got < 0 && errno != EINTR && errno != EAGAIN) input_ended_ = true;
  for (ssize_t i = 0; i < got; ++i) take_key(keys[i]);
}

void Console::take_key(u8 key) {
  if (!escape_ && key == kEscapeKey) {
    escape_ = true;
    return;
  }
  const bool command = std::exchange(escape_, false);
  if (command && (key == 'x' || key == 'X')) {
    quit_ = true;
  } else if (!command || key == kEscapeKey) {
    machine_->board().type(key);
  }
}

}  // namespace softvt::cli
