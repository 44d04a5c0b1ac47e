// Boots an unmodified Debian kernel and compares what the guest computes with what the host does.
// SOFTVT_DEBIAN_DIR holds vmlinuz, initramfs.gz and workload, as scripts/debian-image makes them.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <sstream>
#include <utility>

#include "tests/system/guests.h"

namespace softvt::test {
namespace {

using Lines = std::vector<std::pair<std::string, std::string>>;  // name, result

struct Configuration {
  const char* name;
  const char *accel, *cpu;
  const char* cpus;
  const char* memory;
  const char* vendor;
};

const std::vector<Configuration> kConfigurations{
    {"max_intel", "bare", "max-intel", "1", "512M", "GenuineIntel"},
    {"max_intel_smp4", "bare", "max-intel", "4", "512M", "GenuineIntel"},
    {"max_amd", "bare", "max-amd", "1", "512M", "AuthenticAMD"},
    {"max_amd_smp4_2G", "bare", "max-amd", "4", "2G", "AuthenticAMD"},
    {"skylake_server_8G", "bare", "skylake-server", "1", "8G", "GenuineIntel"},
    {"epyc_smp4_128M", "bare", "epyc", "4", "128M", "AuthenticAMD"},
    {"nehalem_128M", "bare", "nehalem", "1", "128M", "GenuineIntel"},
    {"under_vmx", "vmx", "max-intel", "1", "512M", "GenuineIntel"},
    {"under_svm", "svm", "max-amd", "1", "512M", "AuthenticAMD"},
};

void PrintTo(const Configuration& c, std::ostream* out) { *out << c.name; }

std::string debian_file(const char* name) {
  return std::string(std::getenv("SOFTVT_DEBIAN_DIR")) + "/" + name;
}

// The release that the kernel names itself by. "The Linux/x86 Boot Protocol": kernel_version at
// offset 20EH is the distance of a string from offset 200H.
std::string kernel_release() {
  const std::string image = slurp(debian_file("vmlinuz"));
  if (image.size() < 0x210) return "(no kernel)";
  const size_t at = 0x200 + static_cast<unsigned char>(image[0x20e]) +
                    256 * static_cast<unsigned char>(image[0x20f]);
  return at < image.size() ? image.substr(at, image.find(' ', at) - at) : "(no kernel)";
}

std::string host(const std::string& command) {
  const ProcessResult r = run_shell(command);
  EXPECT_EQ(r.status, 0) << command << ": " << r.err;
  return r.out.substr(0, r.out.find('\n'));
}

// The lines "softvt: NAME RESULT" of a console.
Lines results_of(const std::string& console) {
  constexpr std::string_view kStart = "softvt: ";
  Lines lines;
  std::istringstream in(console);
  for (std::string line; std::getline(in, line);) {
    std::erase(line, '\r');
    if (!line.starts_with(kStart)) continue;
    line.erase(0, kStart.size());
    const size_t space = std::min(line.find(' '), line.size());
    lines.emplace_back(line.substr(0, space), line.substr(std::min(space + 1, line.size())));
  }
  return lines;
}

// The same commands as guests/debian/init has, on the host.
Lines expected_results(const Configuration& c) {
  Lines lines{
      {"uname", "Linux " + kernel_release() + " x86_64"},
      {"cpus", c.cpus},
      {"vendor", c.vendor},
      {"memory", "present"},
      {"sha256sum", host("seq 1 20000 | sha256sum | cut -d' ' -f1")},
      {"gzip", host("seq 1 20000 | gzip -9 | gzip -d | md5sum | cut -d' ' -f1")},
      {"awk", host("seq 1 20000 | awk '{ s += $1 * $1 } END { printf \"%.0f\", s }'")},
  };
  const ProcessResult workload = run_program({debian_file("workload")});
  EXPECT_EQ(workload.status, 0) << "workload: " << workload.err;
  const Lines native = results_of(workload.out);
  EXPECT_GE(native.size(), 7u);
  lines.insert(lines.end(), native.begin(), native.end());
  lines.emplace_back("clocksource", "tsc");
  lines.emplace_back("done", "");
  return lines;
}

ProcessResult boot(const Configuration& c, const ProcessOptions& options = {}) {
  return run_softvt({"run", "--accel", c.accel, "--cpu", c.cpu, "--smp", c.cpus, "-m", c.memory,
                     "--kernel", debian_file("vmlinuz"), "--initrd", debian_file("initramfs.gz"),
                     "--append", "console=ttyS0 panic=-1", "--timeout", "300s"},
                    options);
}

class DebianBoot : public testing::TestWithParam<Configuration> {
 protected:
  void SetUp() override {
    if (std::getenv("SOFTVT_DEBIAN_DIR") == nullptr) {
      GTEST_SKIP() << "SOFTVT_DEBIAN_DIR is not set; scripts/debian-image makes its files";
    }
    for (const char* name : {"vmlinuz", "initramfs.gz", "workload"}) {
      ASSERT_TRUE(std::filesystem::exists(debian_file(name)))
          << debian_file(name) << " is missing; scripts/debian-image makes it";
    }
  }
};

TEST_P(DebianBoot, ComputesWhatTheHostDoes) {
  const ProcessResult r = boot(GetParam());
  EXPECT_EQ(r.status, 0);
  EXPECT_EQ(r.err, "");
  EXPECT_EQ(results_of(r.out), expected_results(GetParam()));
  for (const char* word : {"BUG:", "Oops", "WARNING: CPU:", "Call Trace", "Kernel panic"}) {
    EXPECT_EQ(r.out.find(word), std::string::npos) << word;
  }
}

INSTANTIATE_TEST_SUITE_P(Configurations, DebianBoot, testing::ValuesIn(kConfigurations),
                         [](const auto& info) { return std::string(info.param.name); });

// What is tested of one configuration only: 4 vcpus, 512 MiB.
class DebianBootOnce : public DebianBoot {};

TEST_P(DebianBootOnce, TwoRunsGiveTheSameBytes) {
  const ProcessResult first = boot(GetParam()), second = boot(GetParam());
  EXPECT_EQ(first.status, 0);
  EXPECT_EQ(second.status, 0);
  EXPECT_EQ(first.out, second.out);
}

// ---- memory ------------------------------------------------------------------------------------

struct Resident {
  std::uint64_t guest = 0, own = 0;  // KiB
};

// Guest RAM is the only mapping that is about as large as it: all of it but the first MiB.
Resident resident_of(pid_t pid, std::uint64_t guest_kib) {
  std::istringstream maps(slurp("/proc/" + std::to_string(pid) + "/smaps"));
  Resident sum;
  std::uint64_t size = 0;
  for (std::string line; std::getline(maps, line);) {
    std::istringstream words(line);
    std::string name;
    std::uint64_t kib = 0;
    words >> name >> kib;
    if (name == "Size:") size = kib;
    if (name == "Rss:") (size >= guest_kib - 1024 ? sum.guest : sum.own) += kib;
  }
  return sum;
}

// softvt takes what the guest touches of its RAM, and little more.
TEST_P(DebianBootOnce, TakesTheMemoryThatTheGuestTouches) {
  constexpr std::uint64_t kGuestKiB = 512 * 1024, kMostKiB = 64 * 1024;
  Resident most;
  const ProcessResult r = boot(GetParam(), {.watch = [&](pid_t pid) {
                                 const Resident now = resident_of(pid, kGuestKiB);
                                 most.guest = std::max(most.guest, now.guest);
                                 // Before the RAM is there it has no mapping to be told by.
                                 if (now.guest != 0) most.own = std::max(most.own, now.own);
                               }});
  EXPECT_EQ(r.status, 0);
  RecordProperty("guest_kib", static_cast<int>(most.guest));
  RecordProperty("own_kib", static_cast<int>(most.own));
  EXPECT_GT(most.guest, 0u) << "no mapping of guest RAM seen";
  EXPECT_LT(most.guest, kGuestKiB / 2) << "RAM that the guest never touched";
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "AddressSanitizer takes memory of its own";
#endif
  EXPECT_LE(most.own, kMostKiB);
}

INSTANTIATE_TEST_SUITE_P(Configurations, DebianBootOnce, testing::Values(kConfigurations[1]),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace softvt::test
