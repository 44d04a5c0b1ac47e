// See loops.h. Arguments and results after the System V ABI: RDI, RSI, RDX; RAX.
        .code64
        .text
        .balign 64
        .globl bench_loops_begin
bench_loops_begin:

// ---- integer arithmetic: dependent and independent operations, no memory ---------------------
        .globl bench_alu
        .balign 64
bench_alu:
        movl $1, %eax
        movl $3, %ecx
        movl $5, %edx
1:      addq %rdi, %rax
        leaq 1(%rcx,%rax,4), %rcx
        xorq %rcx, %rdx
        roll $7, %ecx
        subq %rdx, %rax
        movl %eax, %r8d
        andl $0xffff, %r8d
        orq %r8, %rdx
        decq %rdi
        jnz 1b
        xorq %rcx, %rax
        xorq %rdx, %rax
        ret

// ---- conditional branches whose way depends on pseudo-random bits ------------------------------
        .globl bench_branches
        .balign 64
bench_branches:
        movl $12345, %ecx
        xorl %eax, %eax
1:      imull $1103515245, %ecx, %ecx
        addl $12345, %ecx
        testl $0x10000, %ecx
        jz 2f
        incq %rax
2:      testl $0x40000, %ecx
        jnz 3f
        addq $3, %rax
3:      cmpl $0x40000000, %ecx
        jg 4f
        xorq $5, %rax
4:      testl %ecx, %ecx
        js 5f
        addq $7, %rax
5:      subq $1, %rdi
        jnz 1b
        ret

// ---- calls: the recursive Fibonacci function ---------------------------------------------------
        .globl bench_fib
        .balign 64
bench_fib:
        pushq %rbp
        pushq %rbx
        movq %rdi, %rbx
        movl $1, %eax
        cmpq $2, %rdi
        jb 1f
        leaq -1(%rbx), %rdi
        call bench_fib
        movq %rax, %rbp
        leaq -2(%rbx), %rdi
        call bench_fib
        addq %rbp, %rax
1:      popq %rbx
        popq %rbp
        ret

// ---- loads and stores --------------------------------------------------------------------------
        .globl bench_memcpy8
        .balign 64
bench_memcpy8:
        leaq 0x12340(%rsi), %r8         // destination, not at a power of two from the source
        xorl %ecx, %ecx
1:      movq %rcx, (%rsi,%rcx,8)
        incq %rcx
        cmpq $8192, %rcx
        jb 1b
2:      movq %rdi, (%rsi)
        xorl %ecx, %ecx
3:      movq (%rsi,%rcx), %rax
        movq %rax, (%r8,%rcx)
        addq $8, %rcx
        cmpq $65536, %rcx
        jb 3b
        decq %rdi
        jnz 2b
        xorl %eax, %eax
        xorl %ecx, %ecx
4:      imulq $31, %rax, %rax
        addq (%r8,%rcx,8), %rax
        incq %rcx
        cmpq $8192, %rcx
        jb 4b
        ret

        .globl bench_sieve
        .balign 64
bench_sieve:
        movq %rdi, %r9
        xorl %eax, %eax                 // primes found, of all rounds
1:      xorl %ecx, %ecx
2:      movb $1, (%rsi,%rcx)
        incq %rcx
        cmpq $524288, %rcx
        jb 2b
        movl $2, %ecx
3:      cmpb $0, (%rsi,%rcx)
        je 5f
        incq %rax
        leaq (%rcx,%rcx), %rdx
        cmpq $524288, %rdx
        jae 5f
4:      movb $0, (%rsi,%rdx)
        addq %rcx, %rdx
        cmpq $524288, %rdx
        jb 4b
5:      incq %rcx
        cmpq $524288, %rcx
        jb 3b
        decq %r9
        jnz 1b
        ret

// ---- string instructions: 4 KiB fill, 4 KiB copy, and a short copy for the cost of starting one --
        .globl bench_string
        .balign 64
bench_string:
        movq %rdi, %r9
        movq %rsi, %r10
        xorl %r11d, %r11d
        cld
1:      leaq 0x100(%r10), %rdi
        movq %r9, %rax
        movl $512, %ecx
        rep stosq
        leaq 0x140(%r10), %rsi
        leaq 0x20000(%r10), %rdi
        movl $4000, %ecx
        rep movsb
        leaq 0x20000(%r10), %rsi
        leaq 0x40008(%r10), %rdi
        movl $23, %ecx
        rep movsb
        addq 0x40010(%r10), %r11
        decq %r9
        jnz 1b
        movq %r11, %rax
        ret

// ---- SSE2 ----------------------------------------------------------------------------------------
        .globl bench_sse_int
        .balign 64
bench_sse_int:
        movl $0x01020304, %eax
        movd %eax, %xmm0
        pshufd $0, %xmm0, %xmm0
        movdqa %xmm0, %xmm1
        pxor %xmm2, %xmm2
        pcmpeqd %xmm3, %xmm3
        movdqa %xmm3, (%rsi)
1:      paddd %xmm1, %xmm0
        pxor %xmm0, %xmm2
        pslld $3, %xmm1
        psubd %xmm3, %xmm1
        movdqa %xmm2, %xmm4
        punpcklwd %xmm0, %xmm4
        pmaddwd %xmm4, %xmm1
        paddq (%rsi), %xmm2
        pshufd $0x39, %xmm0, %xmm0
        movdqu %xmm2, 20(%rsi)
        decq %rdi
        jnz 1b
        pxor %xmm0, %xmm2
        movq %xmm2, %rax
        ret

        .globl bench_sse_float
        .balign 64
bench_sse_float:
        movl $3, %eax
        cvtsi2sd %eax, %xmm0
        unpcklpd %xmm0, %xmm0           // 3.0, 3.0
        movl $1, %eax
        cvtsi2sd %eax, %xmm1
        unpcklpd %xmm1, %xmm1           // 1.0, 1.0
        movapd %xmm1, %xmm2
        movapd %xmm0, (%rsi)
        cvtsi2ss %eax, %xmm5
        shufps $0, %xmm5, %xmm5
        movaps %xmm5, %xmm6
1:      addpd %xmm1, %xmm2              // stays small: divided again below
        mulpd (%rsi), %xmm2
        divpd %xmm0, %xmm2
        movapd %xmm2, %xmm3
        subsd %xmm1, %xmm3
        mulsd %xmm0, %xmm3
        addps %xmm5, %xmm6
        mulps %xmm5, %xmm6
        sqrtsd %xmm3, %xmm4
        movapd %xmm4, 32(%rsi)
        decq %rdi
        jnz 1b
        addpd %xmm4, %xmm2
        pxor %xmm6, %xmm2
        movq %xmm2, %rax
        ret

// ---- translations ----------------------------------------------------------------------------------
        .globl bench_tlb
        .balign 64
bench_tlb:
        xorl %eax, %eax
        xorl %edx, %edx
1:      addq (%rsi,%rdx), %rax
        addl $28672, %edx
        andl $0x3ffffff, %edx
        decq %rdi
        jnz 1b
        ret

        .globl bench_tlb_refill
        .balign 64
bench_tlb_refill:
        xorl %eax, %eax
        xorl %edx, %edx
1:      addq (%rsi,%rdx), %rax
        addl $28672, %edx
        andl $0x7fffff, %edx
        decq %rdi
        jnz 1b
        ret

// ---- exceptions ------------------------------------------------------------------------------------
        .globl bench_int3
        .balign 64
bench_int3:
        xorl %eax, %eax
1:      int3
        decq %rdi
        jnz 1b
        ret
        .globl bench_int3_handler
bench_int3_handler:
        incq %rax
        iretq

        .globl bench_ud
        .balign 64
bench_ud:
        xorl %eax, %eax
1:      ud2
        decq %rdi
        jnz 1b
        ret
        .globl bench_ud_handler
bench_ud_handler:
        incq %rax
        addq $2, (%rsp)                 // behind UD2
        iretq

        .globl bench_pf
        .balign 64
bench_pf:
        xorl %eax, %eax
1:      movb (%rsi), %cl                // two bytes
        decq %rdi
        jnz 1b
        ret
        .globl bench_pf_handler
bench_pf_handler:
        addq (%rsp), %rax               // error code: 0, a read by the supervisor
        incq %rax
        movq %cr2, %rdx
        addq $8, %rsp
        addq $2, (%rsp)
        iretq

// ---- VM exits --------------------------------------------------------------------------------------
// Neither the guests nor these loops touch the callee-saved registers.
        .globl bench_vmx_exits
        .balign 64
bench_vmx_exits:
        movl $0x6c14, %edx              // host RSP
        vmwrite %rsp, %rdx
        leaq 1f(%rip), %rcx
        movl $0x6c16, %edx              // host RIP
        vmwrite %rcx, %rdx
        xorl %r8d, %r8d
        vmlaunch
        vmresume                        // the VMCS was launched before
        ud2
1:      movl $0x4402, %edx              // exit reason
        vmread %rdx, %rax
        addq %rax, %r8
        movl $0x440c, %edx              // instruction length
        vmread %rdx, %rcx
        movl $0x681e, %edx              // guest RIP
        vmread %rdx, %rax
        addq %rcx, %rax
        vmwrite %rax, %rdx
        decq %rdi
        jz 2f
        vmresume
        ud2
2:      movq %r8, %rax
        ret

        .globl bench_svm_exits
        .balign 64
bench_svm_exits:
        movq %rsi, %rax
        xorl %r8d, %r8d
1:      vmrun %rax
        addq 0x70(%rax), %r8            // EXITCODE
        addq %rdx, 0x578(%rax)          // RIP
        decq %rdi
        jnz 1b
        movq %r8, %rax
        ret

        .globl bench_vmx_enter
bench_vmx_enter:
        vmlaunch
        vmresume
        ud2
        .globl bench_svm_enter
bench_svm_enter:
        movq %rdx, %rax
        vmrun %rax
        ret

        .globl bench_guest_vmcall
bench_guest_vmcall:
        vmcall
        jmp bench_guest_vmcall
        .globl bench_guest_vmmcall
bench_guest_vmmcall:
        vmmcall
        jmp bench_guest_vmmcall
        .globl bench_guest_cpuid
bench_guest_cpuid:
        cpuid
        jmp bench_guest_cpuid

        .globl bench_hypercall_vmcall
        .balign 64
bench_hypercall_vmcall:
        xorl %edx, %edx
1:      movl $1, %eax
        vmcall
        addq %rax, %rdx
        decq %rdi
        jnz 1b
        movq %rdx, %rax
        ret

        .globl bench_hypercall_vmmcall
        .balign 64
bench_hypercall_vmmcall:
        xorl %edx, %edx
1:      movl $1, %eax
        vmmcall
        addq %rax, %rdx
        decq %rdi
        jnz 1b
        movq %rdx, %rax
        ret

        .globl bench_cpuid
        .balign 64
bench_cpuid:
        pushq %rbx
1:      xorl %eax, %eax
        cpuid
        decq %rdi
        jnz 1b
        popq %rbx
        ret

        .globl bench_loops_end
bench_loops_end:
        .section .note.GNU-stack, "", @progbits
