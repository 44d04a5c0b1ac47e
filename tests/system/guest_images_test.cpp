// Every sample guest on every machine that it is for: the exact lines of its console, exit status,
// and the same bytes a second time.
#include "tests/system/guests.h"

namespace softvt::test {
namespace {

struct ImageCase {
  const char* name;
  const char* image;
  std::vector<std::string> machine;
  std::string console;
};

constexpr const char* kKvmConsole =
    "softvt guest: hypercalls in KVM's convention\n"
    "kvm_hypercall0(KVM_HC_VAPIC_POLL_IRQ) = 0\n"
    "kvm_hypercall1(KVM_HC_SCHED_YIELD, 0) = 0\n"
    "kvm_hypercall2(KVM_HC_KICK_CPU, 0, 0) = 0\n"
    "kvm_hypercall2(KVM_HC_CLOCK_PAIRING, gpa, 0) = 0\n"
    "kvm_hypercall3(1000, 1, 2, 3) = -1000\n"
    "kvm_hypercall4(1001, 1, 2, 3, 4) = -1000\n";
constexpr const char* kPalaciosConsole =
    "softvt guest: a hypercall in Palacios' convention\n"
    "palacios_demo(1, 10, 100, 1000) = 21\n"
    "palacios_demo(7) = 7\n"
    "not registered = -1000\n";

std::string errors_console(const std::string& other_vendors_instruction) {
  return "softvt guest: hypercalls that go wrong\n"
         "unknown number (-KVM_ENOSYS is -1000) = -1000\n"
         "at CPL 3 (-KVM_EPERM is -1) = -1\n"
         "32-bit code, upper half of RAX set = 0\n"
         "64-bit code, upper half of RAX set = -1000\n" +
         other_vendors_instruction + " = 0\n";
}

const std::vector<ImageCase> kCases{
    {"kvm_vmx", "hypercall-kvm", {"--accel", "vmx"}, kKvmConsole},
    {"kvm_svm", "hypercall-kvm", {"--accel", "svm"}, kKvmConsole},
    {"palacios_vmx", "hypercall-palacios", {"--accel", "vmx"}, kPalaciosConsole},
    {"palacios_svm", "hypercall-palacios", {"--accel", "svm"}, kPalaciosConsole},
    {"errors_vmx", "hypercall-errors", {"--accel", "vmx"}, errors_console("VMMCALL on Intel")},
    {"errors_svm", "hypercall-errors", {"--accel", "svm"}, errors_console("VMCALL on AMD")},
    {"mini_hypervisor_vmx",
     "mini-hypervisor-vmx",
     {"--cpu", "max-intel"},
     "VMXON done, VMCS filled\nhello from the guest\nsum is 55\nVM exits = 13\n"},
    {"mini_hypervisor_svm",
     "mini-hypervisor-svm",
     {"--cpu", "max-amd"},
     "EFER.SVME set, VMCB filled\nhello from the guest\nsum is 55\n#VMEXITs = 13\n"},
    {"mini_hypervisor_vmx_on_amd",
     "mini-hypervisor-vmx",
     {"--cpu", "max-amd"},
     "this processor has no VMX\n"},
    {"mini_hypervisor_svm_on_intel",
     "mini-hypervisor-svm",
     {"--cpu", "max-intel"},
     "this processor has no SVM\n"},
};

void PrintTo(const ImageCase& c, std::ostream* out) { *out << c.name; }

class GuestImages : public testing::TestWithParam<ImageCase> {
 protected:
  void SetUp() override {
    if (!has_guests()) GTEST_SKIP() << "built without SOFTVT_GUESTS";
  }
  static ProcessResult run() {
    std::vector<std::string> arguments{"run"};
    for (const auto* more : {&GetParam().machine, &kVirtualLimit}) {
      arguments.insert(arguments.end(), more->begin(), more->end());
    }
    arguments.push_back(guest_image(GetParam().image));
    return run_softvt(arguments);
  }
};

TEST_P(GuestImages, PrintTheirLinesAndPowerOff) {
  const ProcessResult r = run();
  EXPECT_EQ(r.status, 0);
  EXPECT_EQ(r.out, GetParam().console);
  EXPECT_EQ(r.err, "");
}

TEST_P(GuestImages, AreTheSameTwice) {
  const ProcessResult first = run(), second = run();
  EXPECT_EQ(first.status, second.status);
  EXPECT_EQ(first.out, second.out);
  EXPECT_EQ(first.err, second.err);
}

INSTANTIATE_TEST_SUITE_P(Sample, GuestImages, testing::ValuesIn(kCases),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(GuestImage, WithoutAHypervisorAHypercallIsATripleFault) {
  if (!has_guests()) GTEST_SKIP() << "built without SOFTVT_GUESTS";
  EXPECT_EQ(run_softvt({"run", guest_image("hypercall-kvm")}).status, 4);
}

}  // namespace
}  // namespace softvt::test
