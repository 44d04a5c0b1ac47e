#include "kvm/vcpu.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "cpu/cpuid/model.h"
#include "kvm/disassemble.h"
#include "kvm/exit_handlers.h"
#include "kvm/vm.h"

namespace softvt::kvm {
namespace {

std::string_view run_exit_name(RunExit reason) {
  switch (reason) {
    case RunExit::Unknown:
      return "KVM_EXIT_UNKNOWN";
    case RunExit::Io:
      return "KVM_EXIT_IO";
    case RunExit::Hypercall:
      return "KVM_EXIT_HYPERCALL";
    case RunExit::Hlt:
      return "KVM_EXIT_HLT";
    case RunExit::Mmio:
      return "KVM_EXIT_MMIO";
    case RunExit::Shutdown:
      return "KVM_EXIT_SHUTDOWN";
    case RunExit::FailEntry:
      return "KVM_EXIT_FAIL_ENTRY";
    case RunExit::Intr:
      return "KVM_EXIT_INTR";
    case RunExit::InternalError:
      return "KVM_EXIT_INTERNAL_ERROR";
  }
  return "KVM_EXIT_UNKNOWN";
}

std::string hex(u64 value) {
  char text[20];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

constexpr u32 kCodeRights = 0x9b, kDataRights = 0x93, kLdtRights = 0x82, kTssRights = 0x8b;

SystemRegisters reset_state() {
  SystemRegisters s;
  for (Segment& segment : s.segments) segment = {0, 0xffff, 0, kDataRights};
  s.segments[static_cast<unsigned>(Seg::CS)] = {0xf000, 0xffff, 0xffff0000, kCodeRights};
  s.segments[static_cast<unsigned>(Seg::LDTR)] = {0, 0xffff, 0, kLdtRights};
  s.segments[static_cast<unsigned>(Seg::TR)] = {0, 0xffff, 0, kTssRights};
  s.cr0 = cr0::ET | cr0::CD | cr0::NW;
  return s;
}

}  // namespace

Vcpu::Vcpu(Vm& vm, HostProcessor& host, std::unique_ptr<VendorBackend> backend, u32 index,
           InterruptSources sources)
    : vm_(vm), host_(host), backend_(std::move(backend)), index_(index), sources_(sources) {
  vm_.attach(*this);
}

Vcpu::~Vcpu() = default;

bool Vcpu::init(std::string& error) {
  if (!backend_->init(vm_, error)) return false;
  reset();
  return true;
}

// ---- state -------------------------------------------------------------------------------------

Registers Vcpu::registers() const {
  Registers r;
  for (unsigned i = 0; i < 16; ++i) r.gpr[i] = gpr(i);
  r.rip = rip();
  r.rflags = backend_->get(GuestField::Rflags);
  return r;
}

void Vcpu::set_registers(const Registers& r) {
  for (unsigned i = 0; i < 16; ++i) set_gpr(i, r.gpr[i]);
  backend_->set(GuestField::Rip, r.rip);
  backend_->set(GuestField::Rflags, r.rflags | rflags::Fixed1);
}

SystemRegisters Vcpu::system_registers() const {
  SystemRegisters s;
  for (unsigned i = 0; i < 8; ++i) s.segments[i] = backend_->segment(static_cast<Seg>(i));
  s.gdt = backend_->table(false);
  s.idt = backend_->table(true);
  s.cr0 = backend_->get(GuestField::Cr0);
  s.cr2 = backend_->get(GuestField::Cr2);
  s.cr3 = backend_->get(GuestField::Cr3);
  s.cr4 = backend_->get(GuestField::Cr4);
  s.efer = backend_->get(GuestField::Efer);
  return s;
}

void Vcpu::set_system_registers(const SystemRegisters& s) {
  for (unsigned i = 0; i < 8; ++i) backend_->set_segment(static_cast<Seg>(i), s.segments[i]);
  backend_->set_table(false, s.gdt);
  backend_->set_table(true, s.idt);
  backend_->set(GuestField::Cr0, s.cr0);
  backend_->set(GuestField::Cr2, s.cr2);
  backend_->set(GuestField::Cr3, s.cr3);
  backend_->set(GuestField::Cr4, s.cr4);
  backend_->set(GuestField::Efer, s.efer);
}

void Vcpu::reset() {
  pause();
  user_exit_due_ = false;
  finish_ = nullptr;
  Registers r;
  r.rip = 0xfff0;
  const CpuModel* model = host_.cpu().model;
  if (model != nullptr) r.gpr[RDX] = model->signature.eax();
  set_system_registers(reset_state());
  set_registers(r);
  backend_->clear_interrupt_shadow();
  nmi_pending_ = init_pending_ = sipi_pending_ = woken_ = false;
  state_ = index_ == 0 ? RunState::Runnable : RunState::WaitForSipi;
}

void Vcpu::post_sipi(u8 vector) {
  // A SIPI is lost unless the processor waits for one. SDM 3A 9.4.4.
  if (state_ != RunState::WaitForSipi && !init_pending_) return;
  sipi_pending_ = true;
  sipi_vector_ = vector;
}

void Vcpu::start_from_sipi() {
  sipi_pending_ = false;
  Segment cs = backend_->segment(Seg::CS);
  cs.selector = static_cast<u16>(sipi_vector_ << 8);
  cs.base = u64{sipi_vector_} << 12;
  backend_->set_segment(Seg::CS, cs);
  backend_->set(GuestField::Rip, 0);
  state_ = RunState::Runnable;
}

bool Vcpu::code64() const {
  return long_mode() && (backend_->segment(Seg::CS).rights & seg_rights::L) != 0;
}

unsigned Vcpu::code_bits() const {
  if (code64()) return 64;
  if (!protected_mode() || v86()) return 16;
  return (backend_->segment(Seg::CS).rights & seg_rights::DB) != 0 ? 32 : 16;
}

u64 Vcpu::gpr_part(unsigned number, unsigned size, bool high_byte) const {
  if (high_byte) return gpr(number) >> 8 & 0xff;
  return gpr(number) & size_mask(size);
}

void Vcpu::set_gpr_part(unsigned number, unsigned size, bool high_byte, u64 value) {
  const u64 old = gpr(number);
  if (high_byte) return set_gpr(number, (old & ~u64{0xff00}) | (value & 0xff) << 8);
  if (size >= 4) return set_gpr(number, value & size_mask(size));
  set_gpr(number, (old & ~size_mask(size)) | (value & size_mask(size)));
}

u64 Vcpu::linear_rip() const {
  if (code64()) return rip();
  return (backend_->segment(Seg::CS).base + rip()) & 0xffffffff;
}

// ---- instructions ------------------------------------------------------------------------------

void Vcpu::skip_instruction(u8 length) {
  const u64 next = rip() + length;
  backend_->set(GuestField::Rip, code64() ? next : next & 0xffffffff);
  backend_->clear_interrupt_shadow();
  if ((backend_->get(GuestField::Rflags) & rflags::TF) != 0 && !backend_->injection_pending()) {
    constexpr u64 kSingleStep = u64{1} << 14;  // DR6.BS: injection leaves DR6 to the hypervisor
    backend_->set(GuestField::Dr6, backend_->get(GuestField::Dr6) | kSingleStep);
    inject(Vector::DB);
  }
}

void Vcpu::inject(Vector vector, std::optional<u32> error) {
  Event event{static_cast<u8>(vector),
              EventType::HardwareException,
              error.has_value(),
              error.value_or(0),
              0,
              0};
  // In real mode no error code is pushed, and VM entry demands that none is given.
  if (!protected_mode()) event.has_error = false;
  backend_->inject(event, 0);
}

void Vcpu::inject_page_fault(u64 linear, u32 error) {
  backend_->set(GuestField::Cr2, linear);
  inject(Vector::PF, error);
}

GuestPaging Vcpu::paging() const {
  return {backend_->get(GuestField::Cr0), backend_->get(GuestField::Cr3),
          backend_->get(GuestField::Cr4), backend_->get(GuestField::Efer),
          backend_->get(GuestField::Rflags)};
}

bool Vcpu::read_linear(u64 linear, void* out, unsigned size, PageFault& fault, bool fetch) {
  auto* to = static_cast<u8*>(out);
  const GuestPaging tables = paging();
  while (size != 0) {
    const auto part = static_cast<unsigned>(std::min<u64>(size, kPageSize - (linear & kPageMask)));
    const GuestTranslation t = translate(vm_, tables, linear, {.fetch = fetch, .user = cpl() == 3});
    if (!t.ok || !vm_.read_guest(t.gpa, to, part)) {
      fault = {linear, t.error};
      return false;
    }
    to += part;
    linear += part;
    size -= part;
  }
  return true;
}

bool Vcpu::write_linear(u64 linear, const void* in, unsigned size, PageFault& fault) {
  const auto* from = static_cast<const u8*>(in);
  const GuestPaging tables = paging();
  const GuestAccess access{.write = true, .user = cpl() == 3};
  // Both pages are looked up before a byte is written.
  const u64 last = linear + size - 1;
  for (const u64 at : {linear, last}) {
    const GuestTranslation t = translate(vm_, tables, at, access);
    if (t.ok) continue;
    fault = {at == linear ? linear : at & ~kPageMask, t.error};
    return false;
  }
  while (size != 0) {
    const auto part = static_cast<unsigned>(std::min<u64>(size, kPageSize - (linear & kPageMask)));
    const GuestTranslation t = translate(vm_, tables, linear, access);
    if (!t.ok || !vm_.write_guest(t.gpa, from, part)) return false;
    from += part;
    linear += part;
    size -= part;
  }
  return true;
}

unsigned Vcpu::fetch_instruction(u8 (&bytes)[15]) {
  const u64 linear = linear_rip();
  PageFault fault;
  const auto first =
      static_cast<unsigned>(std::min<u64>(sizeof bytes, kPageSize - (linear & kPageMask)));
  if (!read_linear(linear, bytes, first, fault, true)) return 0;
  const unsigned rest = sizeof bytes - first;
  if (rest == 0 || !read_linear(linear + first, bytes + first, rest, fault, true)) return first;
  return sizeof bytes;
}

// ---- results of handlers -----------------------------------------------------------------------

Handled Vcpu::internal_error(std::string detail) {
  run_.exit_reason = RunExit::InternalError;
  run_.detail = std::move(detail);
  return Handled::ToUser;
}

Handled Vcpu::fail_entry(u64 code, std::string detail) {
  run_.exit_reason = RunExit::FailEntry;
  run_.fail_entry.hardware_entry_failure_reason = code;
  run_.detail = std::move(detail);
  return Handled::ToUser;
}

Handled Vcpu::shutdown() {
  run_.exit_reason = RunExit::Shutdown;
  return Handled::ToUser;
}

Handled Vcpu::halt() {
  state_ = RunState::Halted;
  return Handled::Resume;
}

Handled Vcpu::to_user(RunExit reason, std::function<void(u64)> finish) {
  run_.exit_reason = reason;
  finish_ = std::move(finish);
  return Handled::ToUser;
}

void Vcpu::complete(u64 value) {
  if (finish_) std::exchange(finish_, nullptr)(value);
}

const Run& Vcpu::leave(RunExit reason) {
  run_.exit_reason = reason;
  return run_;
}

// ---- events ------------------------------------------------------------------------------------

bool Vcpu::interrupt_pending() const {
  const LocalApic* apic = sources_.apic;
  if (apic != nullptr && apic->pending_vector() >= 0) return true;
  if (sources_.extint == nullptr || !sources_.extint->extint_pending()) return false;
  return apic == nullptr || apic->accepts_extint() || apic->extint_pending();
}

u8 Vcpu::acknowledge_interrupt() {
  LocalApic* apic = sources_.apic;
  if (apic != nullptr && apic->pending_vector() >= 0) return apic->acknowledge();
  if (apic != nullptr) apic->clear_extint();
  return sources_.extint->extint_acknowledge();
}

bool Vcpu::event_pending() const { return init_pending_ || nmi_pending_ || interrupt_pending(); }

bool Vcpu::has_wake_event() const {
  if (init_pending_) return true;
  if (state_ == RunState::WaitForSipi) return sipi_pending_;
  return woken_ || nmi_pending_ || (interrupt_pending() && interrupts_enabled());
}

bool Vcpu::still_waiting() {
  if (state_ == RunState::Runnable) return false;
  if (init_pending_) take_init();
  if (state_ == RunState::Runnable) return false;
  if (!has_wake_event()) return true;
  if (state_ == RunState::WaitForSipi) {
    start_from_sipi();
  } else {
    state_ = RunState::Runnable;
  }
  woken_ = false;
  return false;
}

// A SIPI that has come behind the INIT is kept.
void Vcpu::take_init() {
  const bool sipi = sipi_pending_;
  if (sources_.apic != nullptr) sources_.apic->init_reset();
  reset();
  sipi_pending_ = sipi;
}

void Vcpu::inject_pending_interrupt() {
  const bool open = interrupts_enabled() && !backend_->interrupt_shadow();
  if (open && !backend_->injection_pending()) {
    backend_->set_interrupt_window(false);
    backend_->inject({.vector = acknowledge_interrupt(), .type = EventType::ExternalInterrupt}, 0);
  }
  backend_->set_interrupt_window(interrupt_pending());
}

void Vcpu::take_events() {
  if (init_pending_) return take_init();
  if (nmi_pending_ && !backend_->injection_pending() && !backend_->nmi_blocked() &&
      !backend_->interrupt_shadow()) {
    nmi_pending_ = false;
    backend_->inject({.vector = 2, .type = EventType::Nmi}, 0);
  }
  backend_->set_nmi_window(nmi_pending_);
  if (interrupt_pending()) {
    inject_pending_interrupt();
  } else {
    backend_->set_interrupt_window(false);
  }
}

// ---- the loop ----------------------------------------------------------------------------------

bool Vcpu::enter() {
  if (tracing()) tell(backend_->describe_entry());
  if (!backend_->enter()) {
    fail_entry(backend_->failure_code(), backend_->failure());
    return false;
  }
  in_guest_ = true;
  return true;
}

// What precedes guest instructions. Not null: there is a reason to go back to user space.
const Run* Vcpu::enter_or_kick(i64 left) {
  if (in_guest_) {
    if (event_pending()) host_.kick();
    return nullptr;
  }
  do {
    if (still_waiting()) return &leave(RunExit::Hlt);
    if (left <= 0) return &leave(RunExit::Intr);
    take_events();
  } while (state_ != RunState::Runnable);
  return enter() ? nullptr : &run_;
}

const Run& Vcpu::run(i64 budget) {
  if (std::exchange(user_exit_due_, false)) return run_;
  i64 left = std::max<i64>(budget, 1);
  for (;;) {
    if (const Run* done = enter_or_kick(left)) return *done;
    const u64 before = host_.cpu().retired;
    const RunStop stop = host_.run_guest(left);
    left -= std::max<i64>(static_cast<i64>(host_.cpu().retired - before), 1);
    if (host_.cpu().guest_mode) {
      if (stop == RunStop::Budget || stop == RunStop::Request) return leave(RunExit::Intr);
      internal_error("the guest stopped without a VM exit");
      return run_;
    }
    in_guest_ = false;
    if (stop != RunStop::Request && stop != RunStop::Budget) {
      internal_error("the processor shut down in host mode");
      return run_;
    }
    if (dispatch() == Handled::ToUser) return run_;
  }
}

void Vcpu::pause() {
  if (!in_guest_) return;
  host_.kick();
  host_.run_guest(1);
  if (host_.cpu().guest_mode) return;
  in_guest_ = false;
  user_exit_due_ = dispatch() == Handled::ToUser;
}

Handled Vcpu::dispatch() {
  const Exit exit = backend_->read_exit();
  const ExitHandlerRow* row = find_exit_handler(vm_.vendor(), exit.code);
  if (tracing()) {
    tell_guest_instruction(exit);
    tell(backend_->describe_exit());
    tell(trace::Dispatch{exit_handler_table_name(vm_.vendor()),
                         row != nullptr ? row->name : std::string_view{}});
  }
  if (exit.interrupted) backend_->inject(*exit.interrupted, exit.insn_length);
  if (row == nullptr) {
    return internal_error("no handler for VM exit " + backend_->describe_exit().reason);
  }
  const Handled handled = row->handler(*this, exit);
  if (handled == Handled::ToUser && tracing()) tell_user_exit();
  return handled;
}

void Vcpu::tell_user_exit() {
  trace::UserspaceExit told;
  told.reason = run_exit_name(run_.exit_reason);
  if (run_.exit_reason == RunExit::Io) {
    told.detail = std::string(run_.io.out ? "out " : "in ") + std::to_string(run_.io.size) +
                  " bytes, port " + std::to_string(run_.io.port);
  } else if (run_.exit_reason == RunExit::Mmio) {
    told.detail = std::string(run_.mmio.is_write ? "write " : "read ") +
                  std::to_string(run_.mmio.len) + " bytes at " + hex(run_.mmio.phys_addr);
  } else {
    told.detail = run_.detail;
  }
  tell(std::move(told));
}

bool Vcpu::tracing() const { return vm_.sink != nullptr; }

void Vcpu::tell(decltype(trace::PathEvent::station) station) {
  vm_.sink->station({host_.nanos(), index_, std::move(station)});
}

// The instruction that exits, where it is a hypercall of either vendor.
void Vcpu::tell_guest_instruction(const Exit& exit) {
  if (!may_be_hypercall(vm_.vendor(), exit)) return;
  u8 bytes[15];
  const unsigned count = fetch_instruction(bytes);
  if (!hypercall_vendor(bytes, count)) return;
  trace::GuestInstruction told;
  const Registers r = registers();
  told.gpr = r.gpr;
  told.rip = r.rip;
  told.rflags = r.rflags;
  told.cpl = cpl();
  told.mode_bits = code_bits();
  told.bytes.assign(bytes, bytes + kHypercallLength);
  told.disassembly = disassemble({bytes, count}, told.mode_bits, r.rip);
  tell(std::move(told));
}

}  // namespace softvt::kvm
