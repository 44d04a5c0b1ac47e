// The vendor's half of a vcpu: VMX or SVM behind one interface. Everything that both exchange with
// the rest of the layer is here in neutral form.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "kvm/host_processor.h"
#include "trace/path_events.h"

namespace softvt::kvm {

class Vm;

// A VM exit, decoded as far as handlers need it.
struct Exit {
  u64 code = 0;        // basic exit reason, EXITCODE
  u64 info = 0;        // exit qualification, EXITINFO1
  u8 insn_length = 0;  // 0: not known

  struct Io {
    u16 port = 0;
    u8 size = 0, address_size = 8;
    bool in = false, string = false, rep = false;
    Seg seg = Seg::DS;
  } io;
  struct ControlRegister {
    enum class Kind : u8 { Write, Read, Clts, Lmsw } kind = Kind::Write;
    u8 number = 0, gpr = 0;
    u16 lmsw = 0;
  } cr;
  struct MemoryFault {
    u64 gpa = 0;
    bool write = false, fetch = false;
  } memory;
  bool msr_write = false;
  Event exception;                   // the one that exits
  std::optional<Event> interrupted;  // was in delivery: must be injected again
};

// State of the guest that hardware keeps for us.
enum class GuestField : u8 { Rip, Rsp, Rflags, Cr0, Cr2, Cr3, Cr4, Efer, Dr6 };

class VendorBackend {
 public:
  explicit VendorBackend(HostProcessor& host) : host_(host) {}
  virtual ~VendorBackend() = default;

  // Switches the extension on and prepares the control structure. False and a line in `error`.
  virtual bool init(Vm& vm, std::string& error) = 0;

  // VM entry. False: it failed, and failure() tells why. A successful one may have exited again.
  virtual bool enter() = 0;
  virtual const std::string& failure() const = 0;
  virtual u64 failure_code() const = 0;
  // To be called once behind each VM exit.
  virtual Exit read_exit() = 0;

  // General registers: what the hardware does not keep stays in the processor's registers, as the
  // first instructions of a hypervisor's exit path find them.
  virtual u64 gpr(unsigned number) const = 0;
  virtual void set_gpr(unsigned number, u64 value) = 0;
  virtual u64 get(GuestField field) const = 0;
  virtual void set(GuestField field, u64 value) = 0;
  virtual Segment segment(Seg seg) const = 0;
  virtual void set_segment(Seg seg, const Segment& value) = 0;
  virtual DescriptorTable table(bool idt) const = 0;
  virtual void set_table(bool idt, const DescriptorTable& value) = 0;
  virtual unsigned cpl() const = 0;
  // Activates or leaves PAE paging by a control register that the layer wrote.
  virtual void set_pdptes(const std::array<u64, 4>& values) = 0;

  virtual bool interrupt_shadow() const = 0;
  virtual void clear_interrupt_shadow() = 0;
  virtual bool nmi_blocked() const = 0;
  virtual void inject(const Event& event, u8 insn_length) = 0;
  virtual bool injection_pending() const = 0;
  // Exit as soon as the guest can take an interrupt, or an NMI.
  virtual void set_interrupt_window(bool on) = 0;
  virtual void set_nmi_window(bool on) = 0;
  virtual void add_tsc_offset(u64 delta) = 0;
  virtual u64 tsc_offset() const = 0;
  // The guest's linear mappings are to be forgotten: the layer wrote a paging bit for it.
  virtual void flush_guest_tlb() = 0;

  // For traces: fields by the names of the manual.
  virtual trace::VmExit describe_exit() const = 0;
  virtual trace::VmEntry describe_entry() const = 0;

  HostProcessor& host() { return host_; }

 protected:
  HostProcessor& host_;
};

std::unique_ptr<VendorBackend> make_vmx_backend(HostProcessor& host);
std::unique_ptr<VendorBackend> make_svm_backend(HostProcessor& host);

}  // namespace softvt::kvm
