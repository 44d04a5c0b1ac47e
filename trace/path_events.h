// The stations on the way of a hypercall, as typed events: guest instruction, VM exit, dispatch,
// hypercall, write-back, VM entry. Emitted by kvm/ (and by observers of vmx/ and svm/) into a sink;
// a null sink costs nothing.
#pragma once
#include <array>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cpu/types.h"

namespace softvt::trace {

// A field under the name that the manual gives it.
struct NamedValue {
  std::string name;
  u64 value = 0;
  unsigned bits = 64;        // width, for printing
  std::string meaning = {};  // empty if the number says it all
};

// The guest is about to execute VMCALL or VMMCALL (or an instruction that exits in its place).
struct GuestInstruction {
  std::array<u64, 16> gpr{};  // by number: RAX RCX RDX RBX RSP RBP RSI RDI R8 ... R15
  u64 rip = 0, rflags = 0;
  unsigned cpl = 0;
  unsigned mode_bits = 64;  // of the code segment: 16, 32, 64
  std::vector<u8> bytes;
  std::string disassembly;
};

struct VmExit {
  std::string reason;  // as the manual calls it
  u64 number = 0;
  std::vector<NamedValue> fields;  // what the processor saved
};

struct Dispatch {
  std::string_view table;    // "kVmxExitHandlers"
  std::string_view handler;  // "handle_hypercall"; empty: no row for this reason
};

// The other vendor's hypercall instruction was replaced in guest memory.
struct Rewrite {
  u64 rip = 0;
  std::array<u8, 3> before{}, after{};
  std::string result;  // "written", or the fault that the guest gets
};

struct Hypercall {
  std::string name;             // "KVM_HC_KICK_CPU"; empty if the number is unknown
  std::string_view convention;  // "kvm", "palacios"
  u64 number = 0;
  std::array<u64, 4> arguments{};
  bool masked = false;  // number and arguments were cut to 32 bits
  unsigned cpl = 0;
  bool allowed = true;  // CPL 0
  i64 result = 0;
  std::string_view result_name;  // "-KVM_ENOSYS"; empty if it has none
};

struct Writeback {
  u64 rax_before = 0, rax = 0;
  u64 rip_before = 0, rip = 0;
};

// The layer's own user space must act first.
struct UserspaceExit {
  std::string_view reason;  // "KVM_EXIT_IO"
  std::string detail;
};

struct VmEntry {
  std::string_view instruction;  // "VMRESUME"
  std::vector<NamedValue> fields;
};

// The layer's part is not there: the guest's own hypervisor gets control (--accel bare).
struct HostEntry {
  u64 rip = 0, rsp = 0;
};

// A line that the guest wrote to its serial port.
struct Console {
  std::string line;
};

struct PathEvent {
  u64 time_ns = 0;  // virtual
  u32 vcpu = 0;
  std::variant<GuestInstruction, VmExit, Dispatch, Rewrite, Hypercall, Writeback, UserspaceExit,
               VmEntry, HostEntry, Console>
      station;
};

class PathSink {
 public:
  virtual ~PathSink() = default;
  virtual void station(const PathEvent& event) = 0;
};

}  // namespace softvt::trace
