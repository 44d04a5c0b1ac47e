// `softvt path` on the sample guests: every station of every hypercall, in order, with the numbers
// that the guests' sources ask for, as text and as JSON.
#include <array>
#include <cstdio>

#include "tests/support/json_check.h"
#include "tests/system/guests.h"
#include "tests/system/path_text.h"

namespace softvt::test {
namespace {

using u64 = std::uint64_t;

struct Vendor {
  const char *accel, *cpu;
  const char *bytes, *mnemonic;
  const char *other_bytes, *other_mnemonic;
  const char *exit, *exit_number;     // of the hypercall instruction
  const char *reason, *reason_value;  // field of the exit reason, what it shows
  const char *qualification, *rip;    // names of fields
  const char *exception, *entry, *table;
};

// SDM 3C appendix C: reason 18 is VMCALL, 0 an exception.
constexpr Vendor kVmx{
    .accel = "vmx",
    .cpu = "max-intel",
    .bytes = "0f 01 c1",
    .mnemonic = "vmcall",
    .other_bytes = "0f 01 d9",
    .other_mnemonic = "vmmcall",
    .exit = "VMCALL",
    .exit_number = "0x12",
    .reason = "Exit reason",
    .reason_value = "0x00000012  VMCALL",
    .qualification = "Exit qualification",
    .rip = "Guest RIP",
    .exception = "0x0 Exception or non-maskable interrupt (NMI)",
    .entry = "VMRESUME",
    .table = "kVmxExitHandlers",
};
// APM 2 appendix C: exit code 81H is VMMCALL, 46H exception 6.
constexpr Vendor kSvm{
    .accel = "svm",
    .cpu = "max-amd",
    .bytes = "0f 01 d9",
    .mnemonic = "vmmcall",
    .other_bytes = "0f 01 c1",
    .other_mnemonic = "vmcall",
    .exit = "VMEXIT_VMMCALL",
    .exit_number = "0x81",
    .reason = "EXITCODE",
    .reason_value = "0x0000000000000081  VMEXIT_VMMCALL",
    .qualification = "EXITINFO1",
    .rip = "RIP",
    .exception = "0x46 ",
    .entry = "VMRUN",
    .table = "kSvmExitHandlers",
};

void PrintTo(const Vendor* v, std::ostream* out) { *out << v->accel; }

struct Call {
  u64 number;
  const char* name;
  std::array<u64, 4> arguments;
  long long result;
  const char* error;  // name of the result
  const char* symbol = "hypercall";
  int cpl = 0;
  int code_bits = 64;
  u64 rax = 0;  // before the call, where it is not the number
};

// guests/hypercall/kvm.c. The address of its structure is known from the guest's RBX alone.
constexpr u64 kAnyAddress = ~u64{0};
constexpr u64 kImageStart = 0x100000;
const std::vector<Call> kKvmCalls{
    {1, "KVM_HC_VAPIC_POLL_IRQ", {}, 0, ""},     {11, "KVM_HC_SCHED_YIELD", {}, 0, ""},
    {5, "KVM_HC_KICK_CPU", {}, 0, ""},           {9, "KVM_HC_CLOCK_PAIRING", {kAnyAddress}, 0, ""},
    {1000, "", {1, 2, 3}, -1000, "-KVM_ENOSYS"}, {1001, "", {1, 2, 3, 4}, -1000, "-KVM_ENOSYS"},
};
// guests/hypercall/errors.c
constexpr u64 kUpperHalf = 0xffffffff00000001;
const std::vector<Call> kErrorCalls{
    {0x7fffffff, "", {}, -1000, "-KVM_ENOSYS"},
    {1, "KVM_HC_VAPIC_POLL_IRQ", {}, -1, "-KVM_EPERM", "in_user", 3},
    {1, "KVM_HC_VAPIC_POLL_IRQ", {}, 0, "", "in_32bit", 0, 32, kUpperHalf},
    {kUpperHalf, "", {}, -1000, "-KVM_ENOSYS"},
    {1, "KVM_HC_VAPIC_POLL_IRQ", {}, 0, "", "guest_main"},
};

std::string hex(u64 v) {
  char text[32];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(v));
  return text;
}

std::string path_of(std::vector<std::string> machine, const char* image, const char* format) {
  std::vector<std::string> arguments{"path", "--format", format};
  arguments.insert(arguments.end(), machine.begin(), machine.end());
  arguments.insert(arguments.end(), kVirtualLimit.begin(), kVirtualLimit.end());
  arguments.push_back(guest_image(image));
  const ProcessResult r = run_softvt(arguments);
  EXPECT_EQ(r.status, 0) << r.err;
  EXPECT_EQ(r.err, "");
  return r.out;
}

bool is_hypercall(const TextWay& way) {
  return way.title.starts_with("hypercall ") && way.title[10] >= '0' && way.title[10] <= '9';
}

// ---- text --------------------------------------------------------------------------------------

void expect_guest(const TextStation& guest, const Vendor& vendor, const Call& call) {
  ASSERT_FALSE(guest.lines.empty());
  const std::string start = std::string(vendor.bytes) + "  " + vendor.mnemonic + "  at " +
                            hex(guest.reg("RIP")) + " <" + call.symbol + "+0x";
  EXPECT_TRUE(guest.lines[0].starts_with(start)) << guest.lines[0];
  const std::string end =
      ">, CPL " + std::to_string(call.cpl) + ", " + std::to_string(call.code_bits) + "-bit code";
  EXPECT_TRUE(guest.lines[0].ends_with(end)) << guest.lines[0];
  EXPECT_EQ(guest.reg("RAX"), call.rax != 0 ? call.rax : call.number);
}

void expect_exit(const TextStation& exit, const Vendor& vendor, u64 rip) {
  EXPECT_EQ(exit.lines.at(0), std::string(vendor.exit_number) + " " + vendor.exit);
  EXPECT_EQ(exit.field(vendor.reason), vendor.reason_value);
  EXPECT_EQ(exit.field(vendor.qualification), "0x0000000000000000");
  EXPECT_EQ(exit.number(vendor.rip), rip);
  if (&vendor == &kVmx) {
    EXPECT_EQ(exit.field("VM-exit instruction length"), "0x00000003");
    EXPECT_EQ(exit.field("VM-exit interruption information"), "0x00000000");
  } else {
    EXPECT_EQ(exit.field("EXITINFO2"), "0x0000000000000000");
    EXPECT_EQ(exit.number("NRIP"), rip + 3);
  }
}

std::array<u64, 4> arguments_of(const TextStation& guest, const Call& call) {
  // KVM's convention: RBX, RCX, RDX, RSI.
  const u64 mask = call.code_bits == 64 ? ~u64{0} : 0xffffffff;
  return {guest.reg("RBX") & mask, guest.reg("RCX") & mask, guest.reg("RDX") & mask,
          guest.reg("RSI") & mask};
}

void expect_hypercall(const TextStation& station, const TextStation& guest, const Call& call) {
  const std::string name = *call.name == '\0' ? "(unknown)" : call.name;
  EXPECT_EQ(station.lines.at(0), "number " + hex(call.number) + " " + name + ", convention kvm");
  const std::array<u64, 4> a = arguments_of(guest, call);
  for (size_t i = 0; i < a.size(); ++i) {
    const bool known = call.arguments[i] != kAnyAddress;
    EXPECT_TRUE(known ? a[i] == call.arguments[i] : a[i] >= kImageStart)
        << "argument " << i << ": " << a[i];
  }
  const char* width =
      call.code_bits == 64 ? "(64-bit mode: whole)" : "(cut to 32 bits: not in 64-bit mode)";
  EXPECT_EQ(station.lines.at(1), "a0 " + hex(a[0]) + "  a1 " + hex(a[1]) + "  a2 " + hex(a[2]) +
                                     "  a3 " + hex(a[3]) + "  " + width);
  EXPECT_EQ(station.lines.at(2),
            call.cpl == 0 ? "CPL 0: allowed" : "CPL 3: refused, only CPL 0 may");
  EXPECT_EQ(station.lines.at(3), "result " + std::to_string(call.result) +
                                     (*call.error == '\0' ? "" : " ") + call.error);
}

void expect_call(const TextWay& way, const Vendor& vendor, const Call& call) {
  SCOPED_TRACE(way.title);
  ASSERT_EQ(way.names(), "guest, VM exit, dispatch, hypercall, write back, VM entry");
  const TextStation& guest = way.station("guest");
  const u64 rip = guest.reg("RIP");
  expect_guest(guest, vendor, call);
  expect_exit(way.station("VM exit"), vendor, rip);
  EXPECT_TRUE(way.station("dispatch").has(std::string(vendor.table) + " -> handle_hypercall()"));
  expect_hypercall(way.station("hypercall"), guest, call);

  const TextStation& back = way.station("write back");
  const u64 result = static_cast<u64>(call.result);
  EXPECT_EQ(back.lines.at(0), "RAX " + hex(guest.reg("RAX")) + " -> " + hex(result));
  EXPECT_TRUE(back.lines.at(1).starts_with("RIP " + hex(rip) + " -> " + hex(rip + 3) + " <" +
                                           call.symbol + "+0x"))
      << back.lines[1];

  const TextStation& entry = way.station("VM entry");
  EXPECT_EQ(entry.lines.at(0), vendor.entry);
  EXPECT_EQ(entry.number(vendor.rip), rip + 3);
}

// ---- JSON against text -------------------------------------------------------------------------

void expect_same_fields(const Json& json, const TextStation& text) {
  ASSERT_EQ(json["fields"].kind(), Json::Kind::Array);
  EXPECT_EQ(json["fields"].list().size(), text.lines.size() - 1);
  for (const Json& field : json["fields"].list()) {
    EXPECT_EQ(field["value"].number(), text.number(field["name"].text())) << field["name"].text();
  }
}

void expect_same_registers(const Json& guest, const TextStation& text) {
  for (const char* name : {"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9",
                           "r10", "r11", "r12", "r13", "r14", "r15", "rip", "rflags"}) {
    std::string upper = name;
    for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    EXPECT_EQ(guest["registers"][name].number(), text.reg(upper)) << name;
  }
}

void expect_same_call(const Json& way, const TextWay& text, const Vendor& vendor,
                      const Call& call) {
  SCOPED_TRACE(text.title);
  const std::vector<Json>& s = way["stations"].list();
  ASSERT_EQ(s.size(), 6u);
  const char* const names[] = {"guest",     "vm_exit",    "dispatch",
                               "hypercall", "write_back", "vm_entry"};
  for (size_t i = 0; i < s.size(); ++i) EXPECT_EQ(s[i]["station"].text(), names[i]);

  EXPECT_EQ(s[0]["bytes"].text(), vendor.bytes);
  EXPECT_EQ(s[0]["disassembly"].text(), vendor.mnemonic);
  EXPECT_TRUE(s[0]["symbol"].text().starts_with(std::string(call.symbol) + "+0x"));
  EXPECT_EQ(s[0]["cpl"].number(), static_cast<u64>(call.cpl));
  EXPECT_EQ(s[0]["mode_bits"].number(), static_cast<u64>(call.code_bits));
  const TextStation& guest = text.station("guest");
  expect_same_registers(s[0], guest);

  EXPECT_EQ(s[1]["reason"].text(), vendor.exit);
  EXPECT_EQ(s[1]["number"].text(), vendor.exit_number);
  expect_same_fields(s[1], text.station("VM exit"));

  EXPECT_EQ(s[2]["table"].text(), vendor.table);
  EXPECT_EQ(s[2]["handler"].text(), "handle_hypercall");

  EXPECT_EQ(s[3]["number"].number(), call.number);
  EXPECT_EQ(s[3]["name"].text(), call.name);
  const std::array<u64, 4> arguments = arguments_of(guest, call);
  ASSERT_EQ(s[3]["arguments"].list().size(), arguments.size());
  for (size_t i = 0; i < arguments.size(); ++i) {
    EXPECT_EQ(s[3]["arguments"][i].number(), arguments[i]);
  }
  EXPECT_EQ(s[3]["masked_to_32_bits"].is_true(), call.code_bits != 64);
  EXPECT_EQ(s[3]["allowed"].is_true(), call.cpl == 0);
  EXPECT_EQ(s[3]["result"].text(), std::to_string(call.result));
  EXPECT_EQ(s[3]["result_name"].text(), call.error);

  EXPECT_EQ(s[4]["rax_before"].number(), guest.reg("RAX"));
  EXPECT_EQ(s[4]["rax"].number(), static_cast<u64>(call.result));
  EXPECT_EQ(s[4]["rip_before"].number(), guest.reg("RIP"));
  EXPECT_EQ(s[4]["rip"].number(), guest.reg("RIP") + 3);

  EXPECT_EQ(s[5]["instruction"].text(), vendor.entry);
  expect_same_fields(s[5], text.station("VM entry"));
}

// ---- under the layer ---------------------------------------------------------------------------

class HypercallPath : public testing::TestWithParam<const Vendor*> {
 protected:
  void SetUp() override {
    if (!has_guests()) GTEST_SKIP() << "built without SOFTVT_GUESTS";
  }
  const Vendor& vendor() const { return *GetParam(); }
  std::string path(const char* image, const char* format) const {
    return path_of({"--accel", vendor().accel}, image, format);
  }
  std::string console(const char* image) const {
    return run_softvt({"run", "--accel", vendor().accel, guest_image(image)}).out;
  }

  void expect_text(const char* image, const std::vector<Call>& calls) const {
    const PathText text = read_path_text(path(image, "text"));
    size_t n = 0;
    for (const TextWay& way : text.ways) {
      if (!is_hypercall(way)) continue;
      ASSERT_LT(n, calls.size());
      EXPECT_TRUE(way.title.starts_with("hypercall " + std::to_string(n + 1) + ": vcpu 0, at "));
      expect_call(way, vendor(), calls[n++]);
    }
    EXPECT_EQ(n, calls.size());
    EXPECT_EQ(text.console, console(image));
    EXPECT_TRUE(text.end.starts_with("end: the guest powered off; " + std::to_string(calls.size()) +
                                     " hypercalls, "))
        << text.end;
  }

  void expect_json(const char* image, const std::vector<Call>& calls) const {
    const PathText text = read_path_text(path(image, "text"));
    const auto json = JsonReader::read(path(image, "json"));
    ASSERT_TRUE(json) << "not JSON";
    EXPECT_EQ((*json)["format"].text(), "softvt-path");
    EXPECT_EQ((*json)["accel"].text(), vendor().accel);
    EXPECT_EQ((*json)["cpu"].text(), vendor().cpu);
    EXPECT_EQ((*json)["hypercalls"].number(), calls.size());
    EXPECT_EQ((*json)["status"].text(), "0");
    std::string lines;
    size_t n = 0, titled = 0;
    for (const Json& way : (*json)["ways"].list()) {
      const std::string& kind = way["kind"].text();
      if (kind == "console") lines += way["stations"][0]["line"].text() + "\n";
      if (kind == "console") continue;
      ASSERT_LT(titled, text.ways.size());
      const TextWay& same = text.ways[titled++];
      EXPECT_EQ(is_hypercall(same), kind == "hypercall") << same.title;
      if (kind != "hypercall") continue;
      ASSERT_LT(n, calls.size());
      expect_same_call(way, same, vendor(), calls[n++]);
    }
    EXPECT_EQ(n, calls.size());
    EXPECT_EQ(titled, text.ways.size());
    EXPECT_EQ(lines, text.console);
  }
};

TEST_P(HypercallPath, TellsEveryStationOfEveryCall) { expect_text("hypercall-kvm", kKvmCalls); }

TEST_P(HypercallPath, JsonHoldsTheSame) { expect_json("hypercall-kvm", kKvmCalls); }

TEST_P(HypercallPath, TellsErrors) { expect_text("hypercall-errors", kErrorCalls); }

TEST_P(HypercallPath, JsonHoldsTheSameErrors) { expect_json("hypercall-errors", kErrorCalls); }

TEST_P(HypercallPath, TellsThePalaciosHandler) {
  const PathText text = read_path_text(path("hypercall-palacios", "text"));
  ASSERT_EQ(text.ways.size(), 3u);
  const TextStation& first = text.ways[0].station("hypercall");
  EXPECT_EQ(first.lines.at(0), "number 0x2000 palacios_demo, convention palacios");
  EXPECT_TRUE(first.lines.at(1).starts_with("a0 0x1  a1 0xa  a2 0x64  a3 0x3e8  "));
  EXPECT_TRUE(first.has("result 21"));
}

// The other vendor's instruction is #UD; the layer writes the right one in its place, and the guest
// then executes that.
TEST_P(HypercallPath, TellsTheRewrite) {
  const PathText text = read_path_text(path("hypercall-errors", "text"));
  ASSERT_EQ(text.ways.size(), 6u);
  const TextWay& way = text.ways[4];
  EXPECT_TRUE(way.title.starts_with("hypercall instruction of the other vendor: vcpu 0"));
  ASSERT_EQ(way.names(), "guest, VM exit, dispatch, rewrite, VM entry");
  const TextStation& guest = way.stations[0];
  const u64 rip = guest.reg("RIP");
  EXPECT_TRUE(guest.lines.at(0).starts_with(std::string(vendor().other_bytes) + "  " +
                                            vendor().other_mnemonic + "  at " + hex(rip)))
      << guest.lines[0];
  EXPECT_TRUE(way.stations[1].lines.at(0).starts_with(vendor().exception))
      << way.stations[1].lines[0];
  EXPECT_EQ(way.stations[2].lines.at(0), std::string(vendor().table) + " -> handle_exception()");
  EXPECT_TRUE(way.stations[3].lines.at(0).starts_with(std::string(vendor().other_bytes) + " -> " +
                                                      vendor().bytes + "  at " + hex(rip)));
  EXPECT_TRUE(way.stations[3].lines.at(0).ends_with(": written"));
  // The guest goes on with the same instruction pointer, at which the call now succeeds.
  EXPECT_EQ(way.stations[4].number(vendor().rip), rip);
  EXPECT_EQ(text.ways[5].station("guest").reg("RIP"), rip);

  const auto json = JsonReader::read(path("hypercall-errors", "json"));
  ASSERT_TRUE(json);
  const Json* rewrite = nullptr;
  for (const Json& w : (*json)["ways"].list()) {
    if (w["kind"].text() == "rewrite") rewrite = &w["stations"][3];
  }
  ASSERT_NE(rewrite, nullptr);
  EXPECT_EQ((*rewrite)["rip"].number(), rip);
  EXPECT_EQ((*rewrite)["before"].text(), vendor().other_bytes);
  EXPECT_EQ((*rewrite)["after"].text(), vendor().bytes);
  EXPECT_EQ((*rewrite)["result"].text(), "written");
}

TEST_P(HypercallPath, IsTheSameTwice) {
  for (const char* format : {"text", "json"}) {
    EXPECT_EQ(path("hypercall-errors", format), path("hypercall-errors", format)) << format;
  }
}

// ---- a guest that is a hypervisor itself -------------------------------------------------------

// guests/hypervisor/mini.h: print, ten additions, print, stop.
TEST_P(HypercallPath, TellsTheStationsOfAGuestsHypervisor) {
  const std::string image = std::string("mini-hypervisor-") + vendor().accel;
  const std::vector<std::string> machine{"--accel", "bare", "--cpu", vendor().cpu};
  const PathText text = read_path_text(path_of(machine, image.c_str(), "text"));
  const auto json = JsonReader::read(path_of(machine, image.c_str(), "json"));
  ASSERT_TRUE(json);
  std::vector<const Json*> calls;
  for (const Json& way : (*json)["ways"].list()) {
    if (way["kind"].text() == "hypercall") calls.push_back(&way["stations"]);
  }
  ASSERT_EQ(text.ways.size(), 13u);
  ASSERT_EQ(calls.size(), text.ways.size());
  for (size_t n = 0; n < text.ways.size(); ++n) {
    const TextWay& way = text.ways[n];
    SCOPED_TRACE(way.title);
    const bool last = n == 12;  // the hypervisor does not enter again
    ASSERT_EQ(way.names(), last ? "guest, VM exit, host" : "guest, VM exit, host, VM entry");
    const u64 number = last ? 3 : n == 0 || n == 11 ? 1 : 2;
    const TextStation& guest = way.stations[0];
    expect_guest(guest, vendor(), {number, "", {}, 0, "", "guest_body"});
    const u64 rip = guest.reg("RIP");
    expect_exit(way.stations[1], vendor(), rip);
    EXPECT_TRUE(way.stations[2].lines.at(0).starts_with("RIP 0x")) << way.stations[2].lines[0];
    EXPECT_NE(way.stations[2].lines[0].find(&vendor() == &kVmx ? "<vmx_exit>" : "<do_vmrun+0x3>"),
              std::string::npos)
        << way.stations[2].lines[0];
    expect_same_registers((*calls[n])[0], guest);
    expect_same_fields((*calls[n])[1], way.stations[1]);
    if (last) continue;
    EXPECT_EQ(way.stations[3].lines.at(0), vendor().entry);
    EXPECT_EQ(way.stations[3].number(vendor().rip), rip + 3);
    expect_same_fields((*calls[n])[3], way.stations[3]);
  }
}

INSTANTIATE_TEST_SUITE_P(Vendors, HypercallPath, testing::Values(&kVmx, &kSvm),
                         [](const auto& info) { return std::string(info.param->accel); });

// ---- the readers of these tests ----------------------------------------------------------------

TEST(JsonReader, RefusesWhatIsNoJson) {
  for (const char* good :
       {"{}", "[1, -2.5e+3, \"a\\u0041\\n\", true, null]", " {\"a\": {\"b\": []}}\n"}) {
    EXPECT_TRUE(JsonReader::read(good)) << good;
  }
  for (const char* bad :
       {"", "{", "[1,]", "{\"a\" 1}", "{\"a\": 1, \"a\": 2}", "01", "-", "1.", "+1", "\"\n\"",
        "\"\\x\"", "\"\\u00g0\"", "tru", "{} {}", "{1: 2}", "[1 2]"}) {
    EXPECT_FALSE(JsonReader::read(bad)) << bad;
  }
}

}  // namespace
}  // namespace softvt::test
