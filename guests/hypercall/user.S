// Hypercalls from other modes. The vendor is found by CPUID each time: RBX, RCX, RDX are free.
        .code64
        .text
        .globl call_at_cpl3
// int64_t call_at_cpl3(uint64_t nr): IRETQ to CPL 3, hypercall there, back through SYSCALL.
call_at_cpl3:
        pushq %rbx
        pushq %rbp
        pushq %r12
        movq %rdi, %r12
        movq %rsp, saved_rsp(%rip)
        call is_amd_asm
        movl %eax, %ebp
        movl $0xc0000081, %ecx          // IA32_STAR: kernel CS 0x08
        xorl %eax, %eax
        movl $0x00080008, %edx
        wrmsr
        leaq back_from_user(%rip), %rax // IA32_LSTAR
        movq %rax, %rdx
        shrq $32, %rdx
        movl $0xc0000082, %ecx
        wrmsr
        xorl %edx, %edx                 // IA32_FMASK: interrupts off
        movl $0x200, %eax
        movl $0xc0000084, %ecx
        wrmsr
        leaq user_stack_top(%rip), %rax
        pushq $0x2b
        pushq %rax
        pushq $0x2
        pushq $0x33
        leaq in_user(%rip), %rax
        pushq %rax
        iretq
        .globl in_user
in_user:
        movq %r12, %rax
        xorl %ebx, %ebx
        xorl %ecx, %ecx
        xorl %edx, %edx
        xorl %esi, %esi
        testl %ebp, %ebp
        jnz 1f
        vmcall
        jmp 2f
1:      vmmcall
2:      movq %rax, %rdi
        syscall
back_from_user:
        movq saved_rsp(%rip), %rsp
        movl $0x10, %eax
        movl %eax, %ds
        movl %eax, %es
        movl %eax, %ss
        movq %rdi, %rax
        popq %r12
        popq %rbp
        popq %rbx
        ret

// int64_t call_in_32bit(uint64_t nr, uint64_t a0): compatibility mode keeps the upper halves of
// registers that it does not write.
        .globl call_in_32bit
call_in_32bit:
        pushq %rbx
        pushq %rbp
        pushq %rdi
        pushq %rsi
        call is_amd_asm
        movl %eax, %ebp
        popq %rbx                       // a0
        popq %rax                       // nr
        xorl %ecx, %ecx
        xorl %edx, %edx
        xorl %esi, %esi
        pushq $0x18
        leaq in_32bit(%rip), %rdi
        pushq %rdi
        lretq
        .code32
        .globl in_32bit
in_32bit:
        testl %ebp, %ebp
        jnz 3f
        vmcall
        jmp 4f
3:      vmmcall
4:      ljmp $0x08, $back_in_64bit
        .code64
back_in_64bit:
        popq %rbp
        popq %rbx
        ret

is_amd_asm:
        xorl %eax, %eax
        cpuid
        xorl %eax, %eax
        cmpl $0x68747541, %ebx
        sete %al
        ret

        .bss
        .balign 16
saved_rsp: .quad 0
        .zero 4096
user_stack_top:
        .section .note.GNU-stack, "", @progbits
