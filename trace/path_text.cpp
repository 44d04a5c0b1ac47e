#include "trace/path_text.h"

#include <cstdio>

#include "trace/format.h"

namespace softvt::trace {
namespace {

constexpr const char* kRegisterNames[] = {"RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI",
                                          "R8",  "R9",  "R10", "R11", "R12", "R13", "R14", "R15"};
constexpr const char* kIndent = "                           ";

std::string pad(std::string text, std::size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

class Printer {
 public:
  Printer(std::ostream& out, const SymbolLookup& symbols, u64 time)
      : out_(out), symbols_(symbols), last_(time) {}

  void print(const PathEvent& event) {
    event_ = &event;
    std::visit([this](const auto& s) { station(s); }, event.station);
    last_ = event.time_ns;
  }

 private:
  // "  +0 ns        VM exit     text"
  void head(const char* name, const std::string& text) {
    out_ << "  " << pad("+" + std::to_string(event_->time_ns - last_) + " ns", 12) << ' '
         << pad(name, 11) << ' ' << text << '\n';
  }
  void more(const std::string& text) { out_ << kIndent << text << '\n'; }
  std::string place(u64 rip) const {
    const std::string symbol = symbols_ ? symbols_(rip) : std::string();
    return hex(rip) + (symbol.empty() ? "" : " <" + symbol + ">");
  }
  void fields(const std::vector<NamedValue>& values) {
    for (const NamedValue& v : values) {
      more(pad(v.name, 40) + ' ' + hex_padded(v.value, v.bits) +
           (v.meaning.empty() ? "" : "  " + v.meaning));
    }
  }

  void station(const GuestInstruction& s) {
    head("guest", pad(hex_bytes(s.bytes), 10) + s.disassembly + "  at " + place(s.rip) + ", CPL " +
                      std::to_string(s.cpl) + ", " + std::to_string(s.mode_bits) + "-bit code");
    for (unsigned row = 0; row < 16; row += 4) {
      std::string line;
      for (unsigned i = row; i < row + 4; ++i) {
        line += pad(kRegisterNames[i], 4) + hex_padded(s.gpr[i], 64).substr(2) + "  ";
      }
      line.resize(line.size() - 2);
      more(line);
    }
    more("RIP " + hex_padded(s.rip, 64).substr(2) + "  RFLAGS " +
         hex_padded(s.rflags, 32).substr(2));
  }
  void station(const VmExit& s) {
    head("VM exit", hex(s.number) + ' ' + s.reason);
    fields(s.fields);
  }
  void station(const Dispatch& s) {
    head("dispatch", std::string(s.table) + " -> " +
                         (s.handler.empty() ? "no handler" : std::string(s.handler) + "()"));
  }
  void station(const Rewrite& s) {
    head("rewrite", hex_bytes(s.before) + " -> " + hex_bytes(s.after) + "  at " + place(s.rip) +
                        ": " + s.result);
  }
  void station(const Hypercall& s) {
    head("hypercall", "number " + hex(s.number) + ' ' + (s.name.empty() ? "(unknown)" : s.name) +
                          ", convention " + std::string(s.convention));
    std::string line;
    for (unsigned i = 0; i < 4; ++i) {
      line += "a" + std::to_string(i) + ' ' + hex(s.arguments[i]) + (i < 3 ? "  " : "");
    }
    more(line + (s.masked ? "  (cut to 32 bits: not in 64-bit mode)" : "  (64-bit mode: whole)"));
    more("CPL " + std::to_string(s.cpl) + (s.allowed ? ": allowed" : ": refused, only CPL 0 may"));
    more("result " + std::to_string(s.result) +
         (s.result_name.empty() ? "" : " " + std::string(s.result_name)));
  }
  void station(const Writeback& s) {
    head("write back", "RAX " + hex(s.rax_before) + " -> " + hex(s.rax));
    more("RIP " + hex(s.rip_before) + " -> " + place(s.rip));
  }
  void station(const UserspaceExit& s) {
    head("user space", std::string(s.reason) + ' ' + s.detail);
  }
  void station(const VmEntry& s) {
    head("VM entry", std::string(s.instruction));
    fields(s.fields);
  }
  void station(const HostEntry& s) { head("host", "RIP " + place(s.rip) + ", RSP " + hex(s.rsp)); }
  void station(const Console& s) { out_ << "guest> " << s.line << '\n'; }

  std::ostream& out_;
  const SymbolLookup& symbols_;
  const PathEvent* event_ = nullptr;
  u64 last_;
};

const char* title(PathGroup::Kind kind) {
  switch (kind) {
    case PathGroup::Kind::Hypercall:
      return "hypercall";
    case PathGroup::Kind::Rewrite:
      return "hypercall instruction of the other vendor";
    default:
      return "VM exit";
  }
}

}  // namespace

void PathText::print(const PathGroup& group) {
  if (group.stations.empty()) return;
  const PathEvent& first = group.stations.front();
  Printer printer(out_, symbols_, first.time_ns);
  if (group.kind != PathGroup::Kind::Console) {
    out_ << title(group.kind);
    if (group.kind == PathGroup::Kind::Hypercall) out_ << ' ' << group.number;
    out_ << ": vcpu " << first.vcpu << ", at " << first.time_ns << " ns of virtual time\n";
  }
  for (const PathEvent& event : group.stations) printer.print(event);
  if (group.kind != PathGroup::Kind::Console) out_ << '\n';
}

}  // namespace softvt::trace
