// Runs programs for tests: what they print, how they end, how much memory they take.
#pragma once
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

extern char** environ;

namespace softvt::test {

inline std::string slurp(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A folder of the running test, removed at its end.
class ScratchFolder {
 public:
  ScratchFolder() {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    std::string name = "softvt_" + std::string(info->test_suite_name()) + "_" + info->name() + "_" +
                       std::to_string(getpid()) + "_" + std::to_string(count_++);
    for (char& c : name) c = c == '/' ? '_' : c;
    folder_ = std::filesystem::path(testing::TempDir()) / name;
    std::filesystem::create_directories(folder_);
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }

 private:
  static inline int count_ = 0;  // a test may have several
  std::filesystem::path folder_;
};

struct ProcessResult {
  int status = -1;  // exit status; -1 if it did not start or a signal ended it
  std::string out, err;
};

struct ProcessOptions {
  std::string input = "/dev/null";
  // Called every few milliseconds while the process runs.
  std::function<void(pid_t)> watch;
};

namespace detail {

inline int wait_for(pid_t pid, const std::function<void(pid_t)>& watch) {
  int code = 0;
  pid_t ended = 0;
  while (ended == 0) {
    ended = waitpid(pid, &code, watch ? WNOHANG : 0);
    if (ended < 0 && errno == EINTR) ended = 0;
    if (ended != 0 || !watch) continue;
    watch(pid);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return ended == pid && WIFEXITED(code) ? WEXITSTATUS(code) : -1;
}

}  // namespace detail

// Runs words[0], looked up in PATH, with the rest as its arguments.
inline ProcessResult run_program(const std::vector<std::string>& words,
                                 const ProcessOptions& options = {}) {
  const ScratchFolder folder;
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);

  constexpr int kToFile = O_WRONLY | O_CREAT | O_TRUNC;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, options.input.c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, folder.path("out").c_str(), kToFile, 0600);
  posix_spawn_file_actions_addopen(&actions, 2, folder.path("err").c_str(), kToFile, 0600);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return {-1, "", std::generic_category().message(error)};

  const int status = detail::wait_for(pid, options.watch);
  return {status, slurp(folder.path("out")), slurp(folder.path("err"))};
}

// A line of the shell, in which the caller quotes what needs it.
inline ProcessResult run_shell(const std::string& line, const ProcessOptions& options = {}) {
  return run_program({"sh", "-c", line}, options);
}

}  // namespace softvt::test
