// The assembly of the small VMX hypervisor: entering its guest and coming back at a VM exit.
        .code64
        .text
// uint64_t vmx_enter(struct registers* r, int launched): loads the guest's general registers, does
// VMLAUNCH or VMRESUME. Returns 0 after a VM exit, else RFLAGS after the failed instruction.
        .globl vmx_enter
vmx_enter:
        pushq %rbx
        pushq %rbp
        pushq %r12
        pushq %r13
        pushq %r14
        pushq %r15
        pushq %rdi                      // found again at the exit
        movq $0x6c14, %rax              // host RSP
        vmwrite %rsp, %rax
        testl %esi, %esi
        movq 0(%rdi), %rax
        movq 8(%rdi), %rbx
        movq 16(%rdi), %rcx
        movq 24(%rdi), %rdx
        movq 32(%rdi), %rsi
        movq 48(%rdi), %rbp
        movq 40(%rdi), %rdi
        jnz 1f
        .globl do_vmlaunch
do_vmlaunch:
        vmlaunch
        jmp 2f
        .globl do_vmresume
do_vmresume:
1:      vmresume
2:      pushfq
        popq %rax
        addq $8, %rsp
        jmp 3f
        .globl vmx_exit
vmx_exit:                               // host RIP
        pushq %rdi
        movq 8(%rsp), %rdi
        movq %rax, 0(%rdi)
        movq %rbx, 8(%rdi)
        movq %rcx, 16(%rdi)
        movq %rdx, 24(%rdi)
        movq %rsi, 32(%rdi)
        movq %rbp, 48(%rdi)
        popq %rax
        movq %rax, 40(%rdi)
        addq $8, %rsp
        xorl %eax, %eax
3:      popq %r15
        popq %r14
        popq %r13
        popq %r12
        popq %rbp
        popq %rbx
        ret
        .section .note.GNU-stack, "", @progbits
