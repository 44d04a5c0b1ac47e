#include "trace/path_json.h"

#include "trace/format.h"

namespace softvt::trace {
namespace {

constexpr const char* kRegisterNames[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                          "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};

std::string quoted_hex(u64 value) { return '"' + hex(value) + '"'; }
const char* boolean(bool value) { return value ? "true" : "false"; }

// Collects the members of one object.
class Object {
 public:
  Object& raw(std::string_view key, const std::string& value) {
    if (!text_.empty()) text_ += ", ";
    text_ += json_string(key) + ": " + value;
    return *this;
  }
  Object& text(std::string_view key, std::string_view value) {
    return raw(key, json_string(value));
  }
  Object& address(std::string_view key, u64 value) { return raw(key, quoted_hex(value)); }
  Object& number(std::string_view key, u64 value) { return raw(key, std::to_string(value)); }
  Object& flag(std::string_view key, bool value) { return raw(key, boolean(value)); }
  std::string str() const { return '{' + text_ + '}'; }

 private:
  std::string text_;
};

std::string fields(const std::vector<NamedValue>& values) {
  std::string out;
  for (const NamedValue& v : values) {
    Object object;
    object.text("name", v.name).address("value", v.value);
    if (!v.meaning.empty()) object.text("meaning", v.meaning);
    out += (out.empty() ? "" : ", ") + object.str();
  }
  return '[' + out + ']';
}

class Station {
 public:
  Station(Object& to, const SymbolLookup& symbols) : to_(to), symbols_(symbols) {}

  void operator()(const GuestInstruction& s) {
    Object registers;
    for (unsigned i = 0; i < 16; ++i) registers.address(kRegisterNames[i], s.gpr[i]);
    registers.address("rip", s.rip).address("rflags", s.rflags);
    to_.text("station", "guest").text("bytes", hex_bytes(s.bytes));
    to_.text("disassembly", s.disassembly);
    symbol(s.rip);
    to_.number("cpl", s.cpl).number("mode_bits", s.mode_bits).raw("registers", registers.str());
  }
  void operator()(const VmExit& s) {
    to_.text("station", "vm_exit").text("reason", s.reason).address("number", s.number);
    to_.raw("fields", fields(s.fields));
  }
  void operator()(const Dispatch& s) {
    to_.text("station", "dispatch").text("table", s.table).text("handler", s.handler);
  }
  void operator()(const Rewrite& s) {
    to_.text("station", "rewrite").address("rip", s.rip).text("before", hex_bytes(s.before));
    to_.text("after", hex_bytes(s.after)).text("result", s.result);
  }
  void operator()(const Hypercall& s) {
    std::string arguments;
    for (const u64 a : s.arguments) arguments += (arguments.empty() ? "" : ", ") + quoted_hex(a);
    to_.text("station", "hypercall").address("number", s.number).text("name", s.name);
    to_.text("convention", s.convention).raw("arguments", '[' + arguments + ']');
    to_.flag("masked_to_32_bits", s.masked).number("cpl", s.cpl).flag("allowed", s.allowed);
    to_.raw("result", std::to_string(s.result)).text("result_name", s.result_name);
  }
  void operator()(const Writeback& s) {
    to_.text("station", "write_back").address("rax_before", s.rax_before).address("rax", s.rax);
    to_.address("rip_before", s.rip_before).address("rip", s.rip);
  }
  void operator()(const UserspaceExit& s) {
    to_.text("station", "user_space").text("reason", s.reason).text("detail", s.detail);
  }
  void operator()(const VmEntry& s) {
    to_.text("station", "vm_entry").text("instruction", s.instruction);
    to_.raw("fields", fields(s.fields));
  }
  void operator()(const HostEntry& s) {
    to_.text("station", "host").address("rip", s.rip).address("rsp", s.rsp);
    symbol(s.rip);
  }
  void operator()(const Console& s) { to_.text("station", "console").text("line", s.line); }

 private:
  void symbol(u64 address) {
    const std::string name = symbols_ ? symbols_(address) : std::string();
    if (!name.empty()) to_.text("symbol", name);
  }

  Object& to_;
  const SymbolLookup& symbols_;
};

const char* kind_name(PathGroup::Kind kind) {
  switch (kind) {
    case PathGroup::Kind::Hypercall:
      return "hypercall";
    case PathGroup::Kind::Rewrite:
      return "rewrite";
    case PathGroup::Kind::Console:
      return "console";
    default:
      return "vm_exit";
  }
}

}  // namespace

void PathJson::begin(const std::string& accel, const std::string& cpu, const std::string& image) {
  out_ << "{\"format\": \"softvt-path\", \"version\": 1, \"accel\": " << json_string(accel)
       << ", \"cpu\": " << json_string(cpu) << ", \"image\": " << json_string(image)
       << ",\n \"ways\": [";
}

void PathJson::print(const PathGroup& group) {
  if (group.stations.empty()) return;
  out_ << (first_ ? "\n  " : ",\n  ");
  first_ = false;
  Object way;
  way.text("kind", kind_name(group.kind));
  if (group.number != 0) way.number("number", group.number);
  way.number("vcpu", group.stations.front().vcpu);
  std::string stations;
  u64 last = group.stations.front().time_ns;
  for (const PathEvent& event : group.stations) {
    Object object;
    std::visit(Station(object, symbols_), event.station);
    object.number("time_ns", event.time_ns).number("delta_ns", event.time_ns - last);
    last = event.time_ns;
    stations += (stations.empty() ? "\n   " : ",\n   ") + object.str();
  }
  out_ << way.raw("stations", '[' + stations + ']').str();
}

void PathJson::end(u64 hypercalls, u64 time_ns, const std::string& cause, int status) {
  out_ << "\n ],\n \"hypercalls\": " << hypercalls << ", \"time_ns\": " << time_ns
       << ", \"end\": " << json_string(cause) << ", \"status\": " << status << "}\n";
}

}  // namespace softvt::trace
