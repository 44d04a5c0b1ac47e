// The assembly of the small SVM hypervisor: VMRUN with the guest's registers around it.
        .code64
        .text
// void svm_enter(struct registers* r, uint64_t vmcb)
        .globl svm_enter
svm_enter:
        pushq %rbx
        pushq %rbp
        pushq %rdi
        movq %rsi, %rax                 // VMRUN takes the VMCB in RAX; RAX of the guest is in it
        movq 8(%rdi), %rbx
        movq 16(%rdi), %rcx
        movq 24(%rdi), %rdx
        movq 32(%rdi), %rsi
        movq 48(%rdi), %rbp
        movq 40(%rdi), %rdi
        .globl do_vmrun
do_vmrun:
        vmrun %rax
        movq (%rsp), %rax
        movq %rbx, 8(%rax)
        movq %rcx, 16(%rax)
        movq %rdx, 24(%rax)
        movq %rsi, 32(%rax)
        movq %rdi, 40(%rax)
        movq %rbp, 48(%rax)
        popq %rdi
        popq %rbp
        popq %rbx
        ret
        .section .note.GNU-stack, "", @progbits
