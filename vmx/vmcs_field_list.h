// THE table of VMCS fields: one row a field. SDM 3D appendix B "Field Encoding in VMCS".
//
// X(id, encoding, name, exists): `id` is the enumerator of vmx::Field, `exists` the control (vmx::
// Control) whose 1-setting the processor must support for the field to be there, or Always.
// Width and type follow from the encoding (SDM 3C 25.11.2, table 25-21).
//
// The only file that is a macro: enumerators and rows come from one place.
#pragma once

// clang-format off
#define SOFTVT_VMCS_FIELDS(X) \
  /* B.1.1 "16-Bit Control Fields" */                                                                        \
  X(VIRTUAL_PROCESSOR_ID, 0x0000, "Virtual-processor identifier (VPID)", EnableVpid)                         \
  X(POSTED_INTR_NV, 0x0002, "Posted-interrupt notification vector", PostedInterrupts)                        \
  X(EPTP_INDEX, 0x0004, "EPTP index", EptViolationVe)                                                        \
  X(HLAT_PREFIX_SIZE, 0x0006, "HLAT prefix size", TertiaryControls)                                          \
  X(LAST_PID_POINTER_INDEX, 0x0008, "Last PID-pointer index", TertiaryControls)                              \
  /* B.1.2 "16-Bit Guest-State Fields" */                                                                    \
  X(GUEST_ES_SELECTOR, 0x0800, "Guest ES selector", Always)                                                  \
  X(GUEST_CS_SELECTOR, 0x0802, "Guest CS selector", Always)                                                  \
  X(GUEST_SS_SELECTOR, 0x0804, "Guest SS selector", Always)                                                  \
  X(GUEST_DS_SELECTOR, 0x0806, "Guest DS selector", Always)                                                  \
  X(GUEST_FS_SELECTOR, 0x0808, "Guest FS selector", Always)                                                  \
  X(GUEST_GS_SELECTOR, 0x080a, "Guest GS selector", Always)                                                  \
  X(GUEST_LDTR_SELECTOR, 0x080c, "Guest LDTR selector", Always)                                              \
  X(GUEST_TR_SELECTOR, 0x080e, "Guest TR selector", Always)                                                  \
  X(GUEST_INTR_STATUS, 0x0810, "Guest interrupt status", VirtualInterruptDelivery)                           \
  X(GUEST_PML_INDEX, 0x0812, "PML index", Pml)                                                               \
  X(GUEST_UINV, 0x0814, "Guest UINV", ExitClearUinv)                                                         \
  /* B.1.3 "16-Bit Host-State Fields" */                                                                     \
  X(HOST_ES_SELECTOR, 0x0c00, "Host ES selector", Always)                                                    \
  X(HOST_CS_SELECTOR, 0x0c02, "Host CS selector", Always)                                                    \
  X(HOST_SS_SELECTOR, 0x0c04, "Host SS selector", Always)                                                    \
  X(HOST_DS_SELECTOR, 0x0c06, "Host DS selector", Always)                                                    \
  X(HOST_FS_SELECTOR, 0x0c08, "Host FS selector", Always)                                                    \
  X(HOST_GS_SELECTOR, 0x0c0a, "Host GS selector", Always)                                                    \
  X(HOST_TR_SELECTOR, 0x0c0c, "Host TR selector", Always)                                                    \
  /* B.2.1 "64-Bit Control Fields" */                                                                        \
  X(IO_BITMAP_A, 0x2000, "Address of I/O bitmap A", Always)                                                  \
  X(IO_BITMAP_B, 0x2002, "Address of I/O bitmap B", Always)                                                  \
  X(MSR_BITMAP, 0x2004, "Address of MSR bitmaps", MsrBitmaps)                                                \
  X(VM_EXIT_MSR_STORE_ADDR, 0x2006, "VM-exit MSR-store address", Always)                                     \
  X(VM_EXIT_MSR_LOAD_ADDR, 0x2008, "VM-exit MSR-load address", Always)                                       \
  X(VM_ENTRY_MSR_LOAD_ADDR, 0x200a, "VM-entry MSR-load address", Always)                                     \
  X(EXECUTIVE_VMCS_POINTER, 0x200c, "Executive-VMCS pointer", Always)                                        \
  X(PML_ADDRESS, 0x200e, "PML address", Pml)                                                                 \
  X(TSC_OFFSET, 0x2010, "TSC offset", Always)                                                                \
  X(VIRTUAL_APIC_PAGE_ADDR, 0x2012, "Virtual-APIC address", TprShadow)                                       \
  X(APIC_ACCESS_ADDR, 0x2014, "APIC-access address", VirtualizeApicAccesses)                                 \
  X(POSTED_INTR_DESC_ADDR, 0x2016, "Posted-interrupt descriptor address", PostedInterrupts)                  \
  X(VM_FUNCTION_CONTROL, 0x2018, "VM-function controls", VmFunctions)                                        \
  X(EPT_POINTER, 0x201a, "EPT pointer (EPTP)", EnableEpt)                                                    \
  X(EOI_EXIT_BITMAP0, 0x201c, "EOI-exit bitmap 0", VirtualInterruptDelivery)                                 \
  X(EOI_EXIT_BITMAP1, 0x201e, "EOI-exit bitmap 1", VirtualInterruptDelivery)                                 \
  X(EOI_EXIT_BITMAP2, 0x2020, "EOI-exit bitmap 2", VirtualInterruptDelivery)                                 \
  X(EOI_EXIT_BITMAP3, 0x2022, "EOI-exit bitmap 3", VirtualInterruptDelivery)                                 \
  X(EPTP_LIST_ADDRESS, 0x2024, "EPTP-list address", VmFunctions)                                             \
  X(VMREAD_BITMAP, 0x2026, "VMREAD-bitmap address", VmcsShadowing)                                           \
  X(VMWRITE_BITMAP, 0x2028, "VMWRITE-bitmap address", VmcsShadowing)                                         \
  X(VE_INFORMATION_ADDRESS, 0x202a, "Virtualization-exception information address", EptViolationVe)          \
  X(XSS_EXIT_BITMAP, 0x202c, "XSS-exiting bitmap", EnableXsaves)                                             \
  X(ENCLS_EXITING_BITMAP, 0x202e, "ENCLS-exiting bitmap", EnclsExiting)                                      \
  X(SPPTP, 0x2030, "Sub-page-permission-table pointer", SubPageWrite)                                        \
  X(TSC_MULTIPLIER, 0x2032, "TSC multiplier", TscScaling)                                                    \
  X(TERTIARY_VM_EXEC_CONTROL, 0x2034, "Tertiary processor-based VM-execution controls", TertiaryControls)    \
  X(ENCLV_EXITING_BITMAP, 0x2036, "ENCLV-exiting bitmap", EnclvExiting)                                      \
  X(LOW_PASID_DIRECTORY_ADDR, 0x2038, "Low PASID directory address", PasidTranslation)                       \
  X(HIGH_PASID_DIRECTORY_ADDR, 0x203a, "High PASID directory address", PasidTranslation)                     \
  X(SHARED_EPT_POINTER, 0x203c, "Shared EPT pointer", TertiaryControls)                                      \
  X(PCONFIG_EXITING_BITMAP, 0x203e, "PCONFIG-exiting bitmap", Pconfig)                                       \
  X(HLAT_POINTER, 0x2040, "Hypervisor-managed linear-address translation pointer (HLATP)", TertiaryControls) \
  X(PID_POINTER_TABLE, 0x2042, "PID-pointer table address", TertiaryControls)                                \
  X(SECONDARY_VM_EXIT_CONTROLS, 0x2044, "Secondary VM-exit controls", ExitSecondaryControls)                 \
  X(SPEC_CTRL_MASK, 0x204a, "IA32_SPEC_CTRL mask", TertiaryControls)                                         \
  X(SPEC_CTRL_SHADOW, 0x204c, "IA32_SPEC_CTRL shadow", TertiaryControls)                                     \
  /* B.2.2 "64-Bit Read-Only Data Field" */                                                                  \
  X(GUEST_PHYSICAL_ADDRESS, 0x2400, "Guest-physical address", EnableEpt)                                     \
  /* B.2.3 "64-Bit Guest-State Fields" */                                                                    \
  X(VMCS_LINK_POINTER, 0x2800, "VMCS link pointer", Always)                                                  \
  X(GUEST_IA32_DEBUGCTL, 0x2802, "Guest IA32_DEBUGCTL", Always)                                              \
  X(GUEST_IA32_PAT, 0x2804, "Guest IA32_PAT", LoadGuestPat)                                                  \
  X(GUEST_IA32_EFER, 0x2806, "Guest IA32_EFER", LoadGuestEfer)                                               \
  X(GUEST_IA32_PERF_GLOBAL_CTRL, 0x2808, "Guest IA32_PERF_GLOBAL_CTRL", LoadGuestPerfGlobalCtrl)             \
  X(GUEST_PDPTE0, 0x280a, "Guest PDPTE0", EnableEpt)                                                         \
  X(GUEST_PDPTE1, 0x280c, "Guest PDPTE1", EnableEpt)                                                         \
  X(GUEST_PDPTE2, 0x280e, "Guest PDPTE2", EnableEpt)                                                         \
  X(GUEST_PDPTE3, 0x2810, "Guest PDPTE3", EnableEpt)                                                         \
  X(GUEST_IA32_BNDCFGS, 0x2812, "Guest IA32_BNDCFGS", LoadGuestBndcfgs)                                      \
  X(GUEST_IA32_RTIT_CTL, 0x2814, "Guest IA32_RTIT_CTL", LoadGuestRtitCtl)                                    \
  X(GUEST_IA32_LBR_CTL, 0x2816, "Guest IA32_LBR_CTL", LoadGuestLbrCtl)                                       \
  X(GUEST_IA32_PKRS, 0x2818, "Guest IA32_PKRS", LoadGuestPkrs)                                               \
  /* B.2.4 "64-Bit Host-State Fields" */                                                                     \
  X(HOST_IA32_PAT, 0x2c00, "Host IA32_PAT", LoadHostPat)                                                     \
  X(HOST_IA32_EFER, 0x2c02, "Host IA32_EFER", LoadHostEfer)                                                  \
  X(HOST_IA32_PERF_GLOBAL_CTRL, 0x2c04, "Host IA32_PERF_GLOBAL_CTRL", LoadHostPerfGlobalCtrl)                \
  X(HOST_IA32_PKRS, 0x2c06, "Host IA32_PKRS", LoadHostPkrs)                                                  \
  /* B.3.1 "32-Bit Control Fields" */                                                                        \
  X(PIN_BASED_VM_EXEC_CONTROL, 0x4000, "Pin-based VM-execution controls", Always)                            \
  X(CPU_BASED_VM_EXEC_CONTROL, 0x4002, "Primary processor-based VM-execution controls", Always)              \
  X(EXCEPTION_BITMAP, 0x4004, "Exception bitmap", Always)                                                    \
  X(PAGE_FAULT_ERROR_CODE_MASK, 0x4006, "Page-fault error-code mask", Always)                                \
  X(PAGE_FAULT_ERROR_CODE_MATCH, 0x4008, "Page-fault error-code match", Always)                              \
  X(CR3_TARGET_COUNT, 0x400a, "CR3-target count", Always)                                                    \
  X(VM_EXIT_CONTROLS, 0x400c, "Primary VM-exit controls", Always)                                            \
  X(VM_EXIT_MSR_STORE_COUNT, 0x400e, "VM-exit MSR-store count", Always)                                      \
  X(VM_EXIT_MSR_LOAD_COUNT, 0x4010, "VM-exit MSR-load count", Always)                                        \
  X(VM_ENTRY_CONTROLS, 0x4012, "VM-entry controls", Always)                                                  \
  X(VM_ENTRY_MSR_LOAD_COUNT, 0x4014, "VM-entry MSR-load count", Always)                                      \
  X(VM_ENTRY_INTR_INFO, 0x4016, "VM-entry interruption-information field", Always)                           \
  X(VM_ENTRY_EXCEPTION_ERROR_CODE, 0x4018, "VM-entry exception error code", Always)                          \
  X(VM_ENTRY_INSTRUCTION_LEN, 0x401a, "VM-entry instruction length", Always)                                 \
  X(TPR_THRESHOLD, 0x401c, "TPR threshold", TprShadow)                                                       \
  X(SECONDARY_VM_EXEC_CONTROL, 0x401e, "Secondary processor-based VM-execution controls", SecondaryControls) \
  X(PLE_GAP, 0x4020, "PLE_Gap", PauseLoopExiting)                                                            \
  X(PLE_WINDOW, 0x4022, "PLE_Window", PauseLoopExiting)                                                      \
  X(INSTRUCTION_TIMEOUT_CONTROL, 0x4024, "Instruction-timeout control", InstructionTimeout)                  \
  /* B.3.2 "32-Bit Read-Only Data Fields" */                                                                 \
  X(VM_INSTRUCTION_ERROR, 0x4400, "VM-instruction error", Always)                                            \
  X(VM_EXIT_REASON, 0x4402, "Exit reason", Always)                                                           \
  X(VM_EXIT_INTR_INFO, 0x4404, "VM-exit interruption information", Always)                                   \
  X(VM_EXIT_INTR_ERROR_CODE, 0x4406, "VM-exit interruption error code", Always)                              \
  X(IDT_VECTORING_INFO_FIELD, 0x4408, "IDT-vectoring information field", Always)                             \
  X(IDT_VECTORING_ERROR_CODE, 0x440a, "IDT-vectoring error code", Always)                                    \
  X(VM_EXIT_INSTRUCTION_LEN, 0x440c, "VM-exit instruction length", Always)                                   \
  X(VMX_INSTRUCTION_INFO, 0x440e, "VM-exit instruction information", Always)                                 \
  /* B.3.3 "32-Bit Guest-State Fields" */                                                                    \
  X(GUEST_ES_LIMIT, 0x4800, "Guest ES limit", Always)                                                        \
  X(GUEST_CS_LIMIT, 0x4802, "Guest CS limit", Always)                                                        \
  X(GUEST_SS_LIMIT, 0x4804, "Guest SS limit", Always)                                                        \
  X(GUEST_DS_LIMIT, 0x4806, "Guest DS limit", Always)                                                        \
  X(GUEST_FS_LIMIT, 0x4808, "Guest FS limit", Always)                                                        \
  X(GUEST_GS_LIMIT, 0x480a, "Guest GS limit", Always)                                                        \
  X(GUEST_LDTR_LIMIT, 0x480c, "Guest LDTR limit", Always)                                                    \
  X(GUEST_TR_LIMIT, 0x480e, "Guest TR limit", Always)                                                        \
  X(GUEST_GDTR_LIMIT, 0x4810, "Guest GDTR limit", Always)                                                    \
  X(GUEST_IDTR_LIMIT, 0x4812, "Guest IDTR limit", Always)                                                    \
  X(GUEST_ES_AR_BYTES, 0x4814, "Guest ES access rights", Always)                                             \
  X(GUEST_CS_AR_BYTES, 0x4816, "Guest CS access rights", Always)                                             \
  X(GUEST_SS_AR_BYTES, 0x4818, "Guest SS access rights", Always)                                             \
  X(GUEST_DS_AR_BYTES, 0x481a, "Guest DS access rights", Always)                                             \
  X(GUEST_FS_AR_BYTES, 0x481c, "Guest FS access rights", Always)                                             \
  X(GUEST_GS_AR_BYTES, 0x481e, "Guest GS access rights", Always)                                             \
  X(GUEST_LDTR_AR_BYTES, 0x4820, "Guest LDTR access rights", Always)                                         \
  X(GUEST_TR_AR_BYTES, 0x4822, "Guest TR access rights", Always)                                             \
  X(GUEST_INTERRUPTIBILITY_INFO, 0x4824, "Guest interruptibility state", Always)                             \
  X(GUEST_ACTIVITY_STATE, 0x4826, "Guest activity state", Always)                                            \
  X(GUEST_SMBASE, 0x4828, "Guest SMBASE", Always)                                                            \
  X(GUEST_SYSENTER_CS, 0x482a, "Guest IA32_SYSENTER_CS", Always)                                             \
  X(VMX_PREEMPTION_TIMER_VALUE, 0x482e, "VMX-preemption timer value", PreemptionTimer)                       \
  /* B.3.4 "32-Bit Host-State Field" */                                                                      \
  X(HOST_IA32_SYSENTER_CS, 0x4c00, "Host IA32_SYSENTER_CS", Always)                                          \
  /* B.4.1 "Natural-Width Control Fields" */                                                                 \
  X(CR0_GUEST_HOST_MASK, 0x6000, "CR0 guest/host mask", Always)                                              \
  X(CR4_GUEST_HOST_MASK, 0x6002, "CR4 guest/host mask", Always)                                              \
  X(CR0_READ_SHADOW, 0x6004, "CR0 read shadow", Always)                                                      \
  X(CR4_READ_SHADOW, 0x6006, "CR4 read shadow", Always)                                                      \
  X(CR3_TARGET_VALUE0, 0x6008, "CR3-target value 0", Always)                                                 \
  X(CR3_TARGET_VALUE1, 0x600a, "CR3-target value 1", Always)                                                 \
  X(CR3_TARGET_VALUE2, 0x600c, "CR3-target value 2", Always)                                                 \
  X(CR3_TARGET_VALUE3, 0x600e, "CR3-target value 3", Always)                                                 \
  /* B.4.2 "Natural-Width Read-Only Data Fields" */                                                          \
  X(EXIT_QUALIFICATION, 0x6400, "Exit qualification", Always)                                                \
  X(IO_RCX, 0x6402, "I/O RCX", Always)                                                                       \
  X(IO_RSI, 0x6404, "I/O RSI", Always)                                                                       \
  X(IO_RDI, 0x6406, "I/O RDI", Always)                                                                       \
  X(IO_RIP, 0x6408, "I/O RIP", Always)                                                                       \
  X(GUEST_LINEAR_ADDRESS, 0x640a, "Guest-linear address", Always)                                            \
  /* B.4.3 "Natural-Width Guest-State Fields" */                                                             \
  X(GUEST_CR0, 0x6800, "Guest CR0", Always)                                                                  \
  X(GUEST_CR3, 0x6802, "Guest CR3", Always)                                                                  \
  X(GUEST_CR4, 0x6804, "Guest CR4", Always)                                                                  \
  X(GUEST_ES_BASE, 0x6806, "Guest ES base", Always)                                                          \
  X(GUEST_CS_BASE, 0x6808, "Guest CS base", Always)                                                          \
  X(GUEST_SS_BASE, 0x680a, "Guest SS base", Always)                                                          \
  X(GUEST_DS_BASE, 0x680c, "Guest DS base", Always)                                                          \
  X(GUEST_FS_BASE, 0x680e, "Guest FS base", Always)                                                          \
  X(GUEST_GS_BASE, 0x6810, "Guest GS base", Always)                                                          \
  X(GUEST_LDTR_BASE, 0x6812, "Guest LDTR base", Always)                                                      \
  X(GUEST_TR_BASE, 0x6814, "Guest TR base", Always)                                                          \
  X(GUEST_GDTR_BASE, 0x6816, "Guest GDTR base", Always)                                                      \
  X(GUEST_IDTR_BASE, 0x6818, "Guest IDTR base", Always)                                                      \
  X(GUEST_DR7, 0x681a, "Guest DR7", Always)                                                                  \
  X(GUEST_RSP, 0x681c, "Guest RSP", Always)                                                                  \
  X(GUEST_RIP, 0x681e, "Guest RIP", Always)                                                                  \
  X(GUEST_RFLAGS, 0x6820, "Guest RFLAGS", Always)                                                            \
  X(GUEST_PENDING_DBG_EXCEPTIONS, 0x6822, "Guest pending debug exceptions", Always)                          \
  X(GUEST_SYSENTER_ESP, 0x6824, "Guest IA32_SYSENTER_ESP", Always)                                           \
  X(GUEST_SYSENTER_EIP, 0x6826, "Guest IA32_SYSENTER_EIP", Always)                                           \
  X(GUEST_S_CET, 0x6828, "Guest IA32_S_CET", LoadGuestCet)                                                   \
  X(GUEST_SSP, 0x682a, "Guest SSP", LoadGuestCet)                                                            \
  X(GUEST_INTR_SSP_TABLE, 0x682c, "Guest IA32_INTERRUPT_SSP_TABLE_ADDR", LoadGuestCet)                       \
  /* B.4.4 "Natural-Width Host-State Fields" */                                                              \
  X(HOST_CR0, 0x6c00, "Host CR0", Always)                                                                    \
  X(HOST_CR3, 0x6c02, "Host CR3", Always)                                                                    \
  X(HOST_CR4, 0x6c04, "Host CR4", Always)                                                                    \
  X(HOST_FS_BASE, 0x6c06, "Host FS base", Always)                                                            \
  X(HOST_GS_BASE, 0x6c08, "Host GS base", Always)                                                            \
  X(HOST_TR_BASE, 0x6c0a, "Host TR base", Always)                                                            \
  X(HOST_GDTR_BASE, 0x6c0c, "Host GDTR base", Always)                                                        \
  X(HOST_IDTR_BASE, 0x6c0e, "Host IDTR base", Always)                                                        \
  X(HOST_IA32_SYSENTER_ESP, 0x6c10, "Host IA32_SYSENTER_ESP", Always)                                        \
  X(HOST_IA32_SYSENTER_EIP, 0x6c12, "Host IA32_SYSENTER_EIP", Always)                                        \
  X(HOST_RSP, 0x6c14, "Host RSP", Always)                                                                    \
  X(HOST_RIP, 0x6c16, "Host RIP", Always)                                                                    \
  X(HOST_S_CET, 0x6c18, "Host IA32_S_CET", LoadHostCet)                                                      \
  X(HOST_SSP, 0x6c1a, "Host SSP", LoadHostCet)                                                               \
  X(HOST_INTR_SSP_TABLE, 0x6c1c, "Host IA32_INTERRUPT_SSP_TABLE_ADDR", LoadHostCet)
// clang-format on
