// Multiboot 1 entry of every sample guest: 32-bit protected mode to 64-bit mode with the first
// 4 GiB mapped one to one, a GDT with kernel, 32-bit and user segments, a TSS; then guest_main().
// Multiboot Specification 0.6.96, 3.1 "OS image format"; SDM 3A 10.8.5 "Initializing IA-32e Mode".

        .set MAGIC, 0x1badb002
        .set FLAGS, 0x3
        .section .multiboot, "a"
        .balign 4
        .long MAGIC, FLAGS, -(MAGIC + FLAGS)

        .section .text.boot, "ax"
        .code32
        .globl _start
_start:
        cli
        movl $boot_stack_top, %esp
        pushl %ebx                      // multiboot information, kept for nobody yet
        // PML4[0] -> PDPT; PDPT[0..3] -> 4 page directories of 2 MiB pages
        movl $pdpt + 7, pml4
        movl $page_directories + 7, %eax
        movl $pdpt, %edi
        movl $4, %ecx
1:      movl %eax, (%edi)
        addl $0x1000, %eax
        addl $8, %edi
        loop 1b
        movl $0x87, %eax                // present, writable, user, 2 MiB
        movl $page_directories, %edi
        movl $2048, %ecx
2:      movl %eax, (%edi)
        addl $0x200000, %eax
        addl $8, %edi
        loop 2b
        movl $pml4, %eax
        movl %eax, %cr3
        movl %cr4, %eax
        orl $0x620, %eax                // PAE, OSFXSR, OSXMMEXCPT
        movl %eax, %cr4
        movl $0xc0000080, %ecx          // IA32_EFER
        rdmsr
        orl $0x101, %eax                // LME, SCE
        wrmsr
        movl %cr0, %eax
        andl $~0xc, %eax                // EM, TS off
        orl $0x80000023, %eax           // PG, NE, MP, PE
        movl %eax, %cr0
        lgdt gdt_pointer
        ljmp $0x08, $long_mode

        .code64
long_mode:
        movl $0x10, %eax
        movl %eax, %ds
        movl %eax, %es
        movl %eax, %ss
        xorl %eax, %eax
        movl %eax, %fs
        movl %eax, %gs
        movq $boot_stack_top, %rsp
        // TSS descriptor base, then TR
        leaq tss(%rip), %rax
        leaq gdt_tss(%rip), %rdi
        movw %ax, 2(%rdi)
        shrq $16, %rax
        movb %al, 4(%rdi)
        movb %ah, 7(%rdi)
        movl $0x38, %eax
        ltr %ax
        // COM1: 115200 baud, 8 data bits, no interrupts. PC16550D data sheet, 8.0 "Registers".
        movw $0x3fb, %dx
        movb $0x80, %al                 // LCR: DLAB
        outb %al, %dx
        movw $0x3f8, %dx
        movb $1, %al
        outb %al, %dx
        movw $0x3f9, %dx
        xorl %eax, %eax
        outb %al, %dx
        movw $0x3fb, %dx
        movb $3, %al
        outb %al, %dx
        call guest_main
        movq %rax, %rdi
        .globl guest_exit
guest_exit:                             // power off: PM1a_CNT = SLP_EN | S5
        movw $0x604, %dx
        movw $0x2000, %ax
        outw %ax, %dx
3:      cli
        hlt
        jmp 3b

        .section .data
        .balign 16
        .globl gdt
gdt:    .quad 0
        .quad 0x00af9b000000ffff        // 0x08 64-bit code
        .quad 0x00cf93000000ffff        // 0x10 data
        .quad 0x00cf9b000000ffff        // 0x18 32-bit code
        .quad 0x00cffb000000ffff        // 0x20 32-bit user code (0x23)
        .quad 0x00cff3000000ffff        // 0x28 user data (0x2b)
        .quad 0x00affb000000ffff        // 0x30 64-bit user code (0x33)
        .globl gdt_tss
gdt_tss:.quad 0x0000890000000067        // 0x38 TSS, two slots
        .quad 0
gdt_pointer:
        .word . - gdt - 1
        .quad gdt
        .balign 16
        .globl tss
tss:    .long 0
        .quad interrupt_stack_top       // RSP0
        .zero 92

        .section .bss
        .balign 4096
pml4:   .zero 4096
pdpt:   .zero 4096
page_directories: .zero 4 * 4096
        .zero 16384
boot_stack_top:
        .zero 8192
        .globl interrupt_stack_top
interrupt_stack_top:
        .section .note.GNU-stack, "", @progbits
