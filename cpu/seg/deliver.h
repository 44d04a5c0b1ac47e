// Delivery of exceptions and interrupts. SDM 3A chapter 6, 3B chapter 21 for real-address and
// virtual-8086 mode.
//
// Which RIP the handler's frame holds:
//   - software interrupts (EventType SoftwareInterrupt, PrivilegedSoftwareException,
//     SoftwareException): cpu.next_rip, behind the instruction. An instruction function posts them
//     with raise_software() and next_rip is still that of the instruction. Who injects one at VM
//     entry sets cpu.next_rip = cpu.rip + instruction length first.
//   - everything else: cpu.rip. For faults that is the faulting instruction; for traps and
//     external events cpu.rip already names the next instruction, since they are delivered between
//     instructions.
// A fault that arises while an event is delivered always pushes cpu.rip: INT n that meets a bad
// gate faults as INT n. After a task switch cpu.rip is the EIP of the new task.
#pragma once
#include "cpu/cpu.h"
#include "cpu/fault.h"

namespace softvt {

// Delivers one event through IVT or IDT and sets cpu.rip to the handler. Side effects that come
// with the event are done first: CR2 = event.cr2 for a #PF; DR6, DR7.GD and DEBUGCTL for a #DB with
// event.dr6 != 0; NMIs blocked for EventType::Nmi. So an injected #PF has event.cr2 = cpu.cr2.
// Returns false when a fault (or second-stage exit) was posted meanwhile, or, with cpu.faulted()
// still false, when VMX or SVM took a task-switch exit.
bool deliver(Cpu& cpu, const Event& event, u64 return_rip);

// RIP that the frame of `event` holds, by the rule above.
u64 return_rip_of(const Cpu& cpu, const Event& event);

enum class Delivered : u8 { Ok, VmExit, Shutdown };

// Injected: by a hypervisor at VM entry, so the event itself is not intercepted again; faults that
// its delivery raises are. SDM 3C 27.6.1.
enum class Origin : u8 { Processor, Injected };

// The whole algorithm for one event: interception, delivery, faults during delivery, double fault
// and triple fault. SDM 3A 6.15, "Interrupt 8—Double Fault Exception (#DF)".
// The caller has cleared cpu.fault_pending. Shutdown: cpu.activity is Activity::Shutdown.
Delivered deliver_with_escalation(Cpu& cpu, Event event, Origin origin = Origin::Processor);

// Posts a software interrupt or exception for the instruction in execution.
Step raise_software(Cpu& cpu, u8 vector, EventType type);

}  // namespace softvt
