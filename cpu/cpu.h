// The architectural state of one logical processor, and the calls that everything which executes
// instructions uses. The hot part comes first so that its offsets are small.
#pragma once
#include <array>
#include <functional>

#include "cpu/bits.h"
#include "cpu/fault.h"
#include "cpu/features.h"
#include "cpu/insn.h"
#include "cpu/lazy_flags.h"
#include "cpu/types.h"
#include "cpu/virt.h"

namespace softvt {

class CodeCache;
class CpuModel;
class InstructionSet;
class LocalApic;
class MsrTable;
class PhysMemory;
class Timeline;
class TlbPool;
namespace vmx {
class VmxExtension;
}
namespace svm {
class SvmExtension;
}
struct TlbContext;
struct JumpEntry;

struct Segment {
  u16 selector = 0;
  u32 limit = 0;  // in bytes, granularity applied
  u64 base = 0;
  u32 rights = 0;  // seg_rights
  bool unusable() const { return (rights & seg_rights::Unusable) != 0; }
  unsigned dpl() const { return (rights & seg_rights::DplMask) >> seg_rights::DplShift; }
  unsigned type() const { return rights & seg_rights::TypeMask; }
};

struct DescriptorTable {
  u64 base = 0;
  u16 limit = 0xffff;
};

union alignas(16) Xmm {
  u8 b[16];
  u16 w[8];
  u32 d[4];
  u64 q[2];
  float f[4];
  double df[2];
};

// x87 and MMX. Registers are physical (ST(i) is st[(top + i) & 7]); MMX register i is the
// significand of st[i]. SDM 1 8.1 "x87 FPU Execution Environment".
struct alignas(16) X87Reg {
  u64 significand = 0;
  u16 sign_exponent = 0;
};
struct X87State {
  std::array<X87Reg, 8> st{};
  u16 fcw = 0x40;
  u16 fsw = 0;       // TOP included
  u8 tag_valid = 0;  // bit i: physical register i is not empty (the abridged tag of FXSAVE)
  u16 fop = 0;
  u64 fip = 0, fdp = 0;
  u16 fcs = 0, fds = 0;
};

// SDM 3C 25.4.2: the states in which a logical processor does not execute instructions.
enum class Activity : u8 { Active = 0, Halt = 1, Shutdown = 2, WaitForSipi = 3, Mwait = 4 };

// Why run() came back.
enum class RunStop : u8 { Budget, Halted, Shutdown, WaitForSipi, Request };

// Blocking of events by the instruction before. SDM 3A 6.8.1, 6.8.3.
enum class Shadow : u8 { None, Sti, MovSs };

// What I/O instructions and MMIO reach. Implemented by the board.
class Bus {
 public:
  virtual ~Bus() = default;
  virtual u32 port_in(u16 port, unsigned size) = 0;
  virtual void port_out(u16 port, u32 value, unsigned size) = 0;
  // An external interrupt from the 8259s: the vector, when the local APIC passes ExtINT on.
  virtual bool extint_pending() = 0;
  virtual u8 extint_acknowledge() = 0;
};

struct TlbEntry {
  u64 r = 1, w = 1, x = 1;  // linear address of the page if that access needs no further check
  u64 addend = 0;           // host address = linear address + addend
};
constexpr unsigned kTlbEntries = 512;
constexpr unsigned tlb_index(u64 va) { return ((va >> 12) + (va >> 21)) & (kTlbEntries - 1); }

struct JumpEntry {
  u64 va = 1;
  u64 tag = 0;
  Insn* insn = nullptr;
};
constexpr unsigned kJumpEntries = 4096;

class Cpu {
 public:
  // ---- hot: read by handlers -------------------------------------------------------------------
  u64 r[slot::kCount] = {};
  TlbEntry* tlb = nullptr;     // the active context's entries
  JumpEntry* jumps = nullptr;  // kJumpEntries
  u64 jump_tag = 0;            // context serial and mode word; entries with another tag miss
  i64 exit_req = 0;            // negative: leave at the next block boundary
  u64 cc_dst = 1, cc_src = 0, cc_op = 0;  // lazy flags, valid outside handlers
  i64 budget = 0;                         // instructions left of this slice, valid outside handlers
  Insn* current = nullptr;                // instruction in a cold function or at a fault
  u64 rip_bias = 0;                       // RIP = (code page + offset - rip_bias) & rip_mask
  u64 rip_mask = 0xffff;
  u8 canonical_shift = 16;              // 64 - linear address bits
  u64 slow_value = 0, slow_linear = 0;  // results of out-of-line accesses (cpu/core/hot/memory.h)
  bool leave_block = false;  // leave behind this instruction: code was written, #DB is pending

  // ---- execution -------------------------------------------------------------------------------
  u64 rip = 0;       // of the instruction in execution, or of the next one between instructions
  u64 next_rip = 0;  // behind the instruction in a cold function
  u64 rflags_rest = rflags::Fixed1;  // everything but CF PF AF ZF SF OF; use flags()/set_flags()
  u32 mode = 0;    // mode word of the block key (cpu/core/mode.h), kept by update_mode()
  Segment seg[8];  // ES CS SS DS FS GS LDTR TR; change through set_segment()
  DescriptorTable gdtr, idtr;
  u64 cr0 = 0x60000010, cr2 = 0, cr3 = 0, cr4 = 0, xcr0 = 1, efer = 0;
  u64 dr[4] = {}, dr6 = 0xffff0ff0, dr7 = 0x400;
  u64 pdpte[4] = {};  // PAE paging: the PDPTE registers, SDM 3A 4.4.1
  u32 pkru = 0, pkrs = 0;
  Shadow shadow = Shadow::None;
  Shadow shadow_before = Shadow::None;  // in which the running block began; its first instruction
  bool nmi_blocked = false;
  Activity activity = Activity::Active;
  Activity woken_from = Activity::Active;  // wait state that the event being looked at has ended
  bool no_trap = false;  // RFLAGS.TF before this instruction does not trap behind it
  u64 pending_dr6 = 0;   // #DB conditions collected for the next instruction boundary (DR6 layout)

  // ---- floating point and SIMD ---------------------------------------------------------------
  X87State fpu;
  Xmm xmm[16] = {};
  u32 mxcsr = 0x1f80;

  // ---- MSRs that are plain state (cpu/msr/ has the table) --------------------------------------
  struct Msrs {
    u64 star = 0, lstar = 0, cstar = 0, sfmask = 0, kernel_gs_base = 0, tsc_aux = 0;
    u64 sysenter_cs = 0, sysenter_esp = 0, sysenter_eip = 0;
    u64 pat = 0x0007040600070406, misc_enable = 0, debugctl = 0, feature_control = 0;
    u64 mtrr_def_type = 0, mtrr_fixed[11] = {}, mtrr_base[8] = {}, mtrr_mask[8] = {};
    u64 tsc_adjust = 0, bndcfgs = 0, xss = 0, spec_ctrl = 0, smi_count = 0;
    u64 mcg_status = 0, mcg_ctl = 0;
    u64 vm_cr = 0, vm_hsave_pa = 0;
    u64 monitor_filter = 0x40;
    u64 syscfg = 0, top_mem = 0, top_mem2 = 0, hwcr = 0, de_cfg = 0, nb_cfg = 0, ls_cfg = 0;
    u64 mmio_config_base = 0, iorr[4] = {}, tsc_ratio = 0, smm_monitor_ctl = 0;
  } msr;
  i64 tsc_offset = 0;        // TSC = virtual time in ns * kTscPerNano + tsc_offset (+ guest offset)
  u64 guest_tsc_offset = 0;  // added in guest mode (VMX "use TSC offsetting", VMCB.TSC_OFFSET)
  u64 monitor_address = 0;
  bool monitor_armed = false;
  bool mwait_breaks_masked = false;  // MWAIT with ECX[0]: masked interrupts end the wait
  u64 monitor_seen = 0;              // the monitored bytes when the wait began
  u64 random_state = 0;              // of RDRAND and RDSEED

  // ---- virtualisation -------------------------------------------------------------------------
  bool guest_mode = false;        // VMX non-root operation, SVM guest
  bool vmx_root = false;          // in VMX operation (root): A20M, INIT, CR0/CR4 fixed bits apply
  bool gif = true;                // SVM global interrupt flag
  VirtExtension* virt = nullptr;  // never null while guest_mode
  svm::SvmExtension* svm = nullptr;  // null without SVM
  vmx::VmxExtension* vmx = nullptr;  // null: the model has no VMX
  bool step_guest = false;   // boundary() wants to be asked behind each instruction (VMX MTF)
  u32 asid_tag = 0;          // identifies the world of linear mappings: VPID or ASID, 0 host
  u64 second_stage_tag = 0;  // EPTP or nCR3 in force, 0 if none
  // VMX guest/host masks and read shadows of CR0 and CR4; looked at in guest mode only, 0 for SVM
  struct CrMask {
    u64 mask = 0, shadow = 0;
  } guest_cr0, guest_cr4;

  // ---- events ----------------------------------------------------------------------------------
  bool nmi_pending = false, init_pending = false, smi_pending = false;
  bool sipi_pending = false;
  u8 sipi_vector = 0;
  bool fault_pending = false;         // `fault` is posted
  bool second_stage_pending = false;  // virt has an exit to take
  Event fault;
  const Event* delivering = nullptr;  // the event in delivery (cpu/seg/deliver.h), else null

  // ---- surroundings ----------------------------------------------------------------------------
  u32 index = 0;  // number of the vcpu; its APIC id
  u32 count = 1;  // vcpus of the machine
  PhysMemory* mem = nullptr;
  Bus* bus = nullptr;
  Timeline* timeline = nullptr;
  LocalApic* apic = nullptr;
  const CpuModel* model = nullptr;
  const InstructionSet* isa = nullptr;
  const MsrTable* msrs = nullptr;
  CodeCache* code = nullptr;
  TlbPool* tlbs = nullptr;
  u64 retired = 0;               // instructions retired before this slice
  i64 slice = 0;                 // the budget with which this slice began
  u64 slice_start = 0;           // virtual time at its beginning
  Step step = Step::Next;        // how the last block was left
  unsigned idle_turns = 0;       // turns of the run loop in a row that executed nothing
  bool redecode = false;         // the block at RIP crosses into a page that moved
  Insn* link_from = nullptr;     // branch whose link the next look-up resolves
  bool irq_hint = false;         // an interrupt controller may have something pending
  bool stop_requested = false;   // run() returns at the next boundary (request_stop)
  bool stop_on_vm_exit = false;  // run() returns when guest mode was left: software above us
                                 // that is not emulated takes over (kvm/)

  // ---- flags -----------------------------------------------------------------------------------
  u64 flags() const { return rflags_rest | lazy::arithmetic(cc_dst, cc_src, cc_op); }
  u64 arithmetic_flags() const { return lazy::arithmetic(cc_dst, cc_src, cc_op); }
  void set_arithmetic_flags(u64 f) { lazy::set_explicit(cc_dst, cc_src, cc_op, f); }
  // Writes all of RFLAGS; the caller has applied its masks. Calls update_mode() if VM, TF, RF, AC
  // or IF changed.
  void set_flags(u64 f);

  // ---- mode ------------------------------------------------------------------------------------
  unsigned cpl() const { return cpl_; }
  bool protected_mode() const { return (cr0 & cr0::PE) != 0; }
  bool v86() const { return (rflags_rest & rflags::VM) != 0; }
  bool real_or_v86() const { return !protected_mode() || v86(); }
  bool long_mode() const { return (efer & efer::LMA) != 0; }
  bool code64() const { return long_mode() && (seg[1].rights & seg_rights::L) != 0; }
  bool has(Feature f) const { return features.has(f); }
  FeatureSet features;
  u8 phys_bits = 46;
  bool intel = true;  // the model's vendor behaviour where the manuals differ

  // To be called after any change of CR0, CR4, EFER, CS, SS, DS, ES, CPL, RFLAGS.VM/AC/TF, DR7,
  // XCR0, paging world: recomputes CPL, mode word, TLB context. Cheap enough for each of them.
  void update_mode();
  // Loads a segment register's hidden part too, mirrors the base into r[], updates the mode.
  void set_segment(Seg which, const Segment& value);
  // Only the base (FS/GS base writes, LSTAR paths).
  void set_segment_base(Seg which, u64 base);

  // ---- faults ----------------------------------------------------------------------------------
  // Each posts an event and returns Step::Fault, so that functions can `return cpu.raise(...)`.
  Step raise(Vector v) { return post(v, false, 0); }
  Step raise(Vector v, u32 error) { return post(v, true, error); }
  Step raise_gp(u32 error = 0) { return post(Vector::GP, true, error); }
  Step raise_ud() { return post(Vector::UD, false, 0); }
  Step raise_event(const Event& e) {
    fault = e;
    fault_pending = true;
    return Step::Fault;
  }
  Step raise_second_stage() {
    second_stage_pending = true;
    return Step::Fault;
  }
  bool faulted() const { return fault_pending || second_stage_pending; }

  // ---- time ------------------------------------------------------------------------------------
  u64 nanos() const;         // virtual time now
  u64 tsc() const;           // as the software that runs now sees it (offsets applied)
  u64 instructions() const;  // retired so far, the current cold instruction not included
  void sync_time();          // brings timeline->now() up to this instruction

  // ---- interception ----------------------------------------------------------------------------
  bool intercepted(const Insn& in, Intercept what, u64 detail = 0, u64 value = 0) {
    return guest_mode && virt->intercept(*this, in, what, detail, value);
  }
  // Asks the run loop to look at events at the next boundary.
  void request_exit() { exit_req = -1; }
  // Asks run() to come back to the board at the next boundary.
  void request_stop() {
    stop_requested = true;
    exit_req = -1;
  }

  // ---- TLB -------------------------------------------------------------------------------------
  void tlb_flush_all(bool keep_global);  // the current address-space world
  void tlb_flush_page(u64 linear);
  void tlb_flush_everything();  // all worlds, all PCIDs

  // ---- running (cpu/core/run.cpp)
  // ----------------------------------------------------------------
  void power_on_reset();
  void init_reset();  // INIT. SDM 3A 10.1.1, table 10-1
  RunStop run(i64 instruction_budget);
  // Whether an event would end the wait state now; the scheduler asks before it gives a slice.
  bool has_wake_event() const;

 private:
  Step post(Vector v, bool has_error, u32 error) {
    fault = Event{static_cast<u8>(v), EventType::HardwareException, has_error, error, 0, 0};
    fault_pending = true;
    return Step::Fault;
  }
  void begin_slice(i64 n);
  void end_slice();
  void run_blocks(Insn* from);

  u8 cpl_ = 0;
};

// ---- general registers by byte offset or number ----------------------------------------------
enum Gpr : u8 { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };

template <class T>
inline T get_reg(const Cpu& cpu, u8 offset) {
  T v;
  __builtin_memcpy(&v, reinterpret_cast<const u8*>(cpu.r) + offset, sizeof(T));
  return v;
}
// Writes of 32 bits clear the upper half, narrower ones keep the rest. SDM 1 3.4.1.1.
template <class T>
inline void put_reg(Cpu& cpu, u8 offset, T v) {
  if constexpr (sizeof(T) == 4) {
    const u64 wide = v;
    __builtin_memcpy(reinterpret_cast<u8*>(cpu.r) + offset, &wide, 8);
  } else {
    __builtin_memcpy(reinterpret_cast<u8*>(cpu.r) + offset, &v, sizeof(T));
  }
}
// The same with the size in bytes at run time.
u64 get_reg_sized(const Cpu& cpu, u8 offset, unsigned size);
void put_reg_sized(Cpu& cpu, u8 offset, unsigned size, u64 v);

constexpr u64 size_mask(unsigned bytes) {
  return bytes >= 8 ? ~u64{0} : (u64{1} << (bytes * 8)) - 1;
}

}  // namespace softvt
