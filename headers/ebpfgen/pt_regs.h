/* SPDX-License-Identifier: MIT */
/*
 * struct pt_regs: the registers a kprobe, uprobe or perf event program is given, for the
 * architecture of -D__TARGET_ARCH_x. Included by common.h.
 *
 * These are the KERNEL's structs and names (x86: di, not rdi), since programs run in the kernel,
 * and every access is a CO-RE relocation: the loader finds the member in the running kernel's BTF
 * by name and writes its true offset and size into the instruction. So a layout here has to be
 * right for a 64-bit kernel without BTF, and need not be complete: members whose place changed
 * between kernel versions are left out. `unsigned long` has 64 bits in BPF; 32-bit kernels (arm,
 * mips) have registers of 4 bytes, and i386 has them in another order: only the relocation makes
 * these right.
 *
 * Without an architecture, struct pt_regs is declared and has no members: a program may take a
 * `struct pt_regs *` and pass it on, and then works everywhere.
 */
#ifndef __EBPFGEN_PT_REGS_H__
#define __EBPFGEN_PT_REGS_H__

/*
 * Has the kernel's uapi <asm/ptrace.h> come first? Then its layout stands, and on x86 its names
 * (rdi), and __VMLINUX_H__ must stay undefined, by which libbpf's bpf_tracing.h knows them. The
 * guards, in order: x86; arm; arm64; mips and loongarch; powerpc; riscv; s390.
 */
#if defined(_ASM_X86_PTRACE_H) || defined(__ASM_ARM_PTRACE_H) || defined(__ASM_PTRACE_H) || \
	defined(_ASM_PTRACE_H) || defined(_ASM_POWERPC_PTRACE_H) || \
	defined(_ASM_RISCV_PTRACE_H) || defined(_S390_PTRACE_H)

struct pt_regs;

#else

/* Tells libbpf's headers that the kernel's types, with the kernel's names, are in place. */
#define __VMLINUX_H__

/* The same switch as in generated vmlinux.h files. */
#ifdef BPF_NO_PRESERVE_ACCESS_INDEX
#define __ebpfgen_core
#else
#define __ebpfgen_core __attribute__((preserve_access_index))
#endif

#if defined(__TARGET_ARCH_x86)

/* arch/x86/include/asm/ptrace.h, x86_64. */
struct pt_regs {
	unsigned long r15;
	unsigned long r14;
	unsigned long r13;
	unsigned long r12;
	unsigned long bp;
	unsigned long bx;
	unsigned long r11;
	unsigned long r10;
	unsigned long r9;
	unsigned long r8;
	unsigned long ax;
	unsigned long cx;
	unsigned long dx;
	unsigned long si;
	unsigned long di;
	unsigned long orig_ax;
	unsigned long ip;
	unsigned long cs;
	unsigned long flags;
	unsigned long sp;
	unsigned long ss;
} __ebpfgen_core;

#elif defined(__TARGET_ARCH_arm)

/* arch/arm/include/asm/ptrace.h: r0 to r15, cpsr, orig_r0; of 4 bytes each in the kernel. */
struct pt_regs {
	unsigned long uregs[18];
} __ebpfgen_core;

#elif defined(__TARGET_ARCH_arm64)

/* arch/arm64/include/uapi/asm/ptrace.h; what libbpf casts a context to. */
struct user_pt_regs {
	__u64 regs[31];
	__u64 sp;
	__u64 pc;
	__u64 pstate;
} __ebpfgen_core;

/* arch/arm64/include/asm/ptrace.h, as far as kernels agree on the order. */
struct pt_regs {
	union {
		struct user_pt_regs user_regs;
		struct {
			__u64 regs[31];
			__u64 sp;
			__u64 pc;
			__u64 pstate;
		};
	};
	__u64 orig_x0;
} __ebpfgen_core;

#elif defined(__TARGET_ARCH_loongarch)

/* arch/loongarch/include/uapi/asm/ptrace.h; what libbpf casts a context to. */
struct user_pt_regs {
	unsigned long regs[32];
	unsigned long orig_a0;
	unsigned long csr_era;
	unsigned long csr_badv;
	unsigned long reserved[10];
} __attribute__((aligned(8))) __ebpfgen_core;

/* arch/loongarch/include/asm/ptrace.h. */
struct pt_regs {
	unsigned long regs[32];
	unsigned long orig_a0;
	unsigned long csr_era;
	unsigned long csr_badvaddr;
	unsigned long csr_crmd;
	unsigned long csr_prmd;
	unsigned long csr_euen;
	unsigned long csr_ecfg;
	unsigned long csr_estat;
} __attribute__((aligned(8))) __ebpfgen_core;

#elif defined(__TARGET_ARCH_mips)

/*
 * arch/mips/include/asm/ptrace.h, of a 64-bit kernel; a 32-bit one has eight words of stacked
 * arguments in front. (The uapi struct of this name is another: cp0_epc comes before status.)
 */
struct pt_regs {
	unsigned long regs[32];
	unsigned long cp0_status;
	unsigned long hi;
	unsigned long lo;
	unsigned long cp0_badvaddr;
	unsigned long cp0_cause;
	unsigned long cp0_epc;
} __attribute__((aligned(8))) __ebpfgen_core;

#elif defined(__TARGET_ARCH_powerpc)

/* The registers that the next two structs share, as ppc64 names them. */
#define __EBPFGEN_POWERPC_REGS \
	unsigned long gpr[32]; \
	unsigned long nip; \
	unsigned long msr; \
	unsigned long orig_gpr3; \
	unsigned long ctr; \
	unsigned long link; \
	unsigned long xer; \
	unsigned long ccr; \
	unsigned long softe; \
	unsigned long trap; \
	unsigned long dar; \
	unsigned long dsisr; \
	unsigned long result

/* arch/powerpc/include/uapi/asm/ptrace.h. */
struct user_pt_regs {
	__EBPFGEN_POWERPC_REGS;
} __ebpfgen_core;

/* arch/powerpc/include/asm/ptrace.h, without the kernel-only words at its end. */
struct pt_regs {
	union {
		struct user_pt_regs user_regs;
		struct {
			__EBPFGEN_POWERPC_REGS;
		};
	};
} __ebpfgen_core;

#elif defined(__TARGET_ARCH_riscv)

/* The general registers, x1 to x31 by their ABI names, which the next two structs share. */
#define __EBPFGEN_RISCV_REGS \
	unsigned long ra; \
	unsigned long sp; \
	unsigned long gp; \
	unsigned long tp; \
	unsigned long t0; \
	unsigned long t1; \
	unsigned long t2; \
	unsigned long s0; \
	unsigned long s1; \
	unsigned long a0; \
	unsigned long a1; \
	unsigned long a2; \
	unsigned long a3; \
	unsigned long a4; \
	unsigned long a5; \
	unsigned long a6; \
	unsigned long a7; \
	unsigned long s2; \
	unsigned long s3; \
	unsigned long s4; \
	unsigned long s5; \
	unsigned long s6; \
	unsigned long s7; \
	unsigned long s8; \
	unsigned long s9; \
	unsigned long s10; \
	unsigned long s11; \
	unsigned long t3; \
	unsigned long t4; \
	unsigned long t5; \
	unsigned long t6

/* arch/riscv/include/uapi/asm/ptrace.h; what libbpf casts a context to. */
struct user_regs_struct {
	unsigned long pc;
	__EBPFGEN_RISCV_REGS;
} __ebpfgen_core;

/* arch/riscv/include/asm/ptrace.h. */
struct pt_regs {
	unsigned long epc;
	__EBPFGEN_RISCV_REGS;
	unsigned long status;
	unsigned long badaddr;
	unsigned long cause;
	unsigned long orig_a0;
} __ebpfgen_core;

#elif defined(__TARGET_ARCH_s390)

/* arch/s390/include/uapi/asm/ptrace.h: the program status word. */
typedef struct {
	unsigned long mask;
	unsigned long addr;
} __attribute__((aligned(8))) __ebpfgen_core psw_t;

/* arch/s390/include/uapi/asm/ptrace.h; what libbpf casts a context to. A typedef there, too. */
typedef struct {
	unsigned long args[1];
	psw_t psw;
	unsigned long gprs[16];
} __ebpfgen_core user_pt_regs;

/* arch/s390/include/asm/ptrace.h, as far as kernels agree on the order. */
struct pt_regs {
	union {
		user_pt_regs user_regs;
		struct {
			unsigned long args[1];
			psw_t psw;
			unsigned long gprs[16];
		};
	};
	unsigned long orig_gpr2;
} __ebpfgen_core;

#else

struct pt_regs;

#endif

/*
 * SEC("perf_event"): the context holds the registers that user space may see;
 * include/uapi/linux/bpf_perf_event.h and asm/bpf_perf_event.h.
 */
#if defined(__TARGET_ARCH_arm64) || defined(__TARGET_ARCH_loongarch) || \
	defined(__TARGET_ARCH_powerpc)
typedef struct user_pt_regs bpf_user_pt_regs_t;
#define __EBPFGEN_PERF_REGS
#elif defined(__TARGET_ARCH_riscv)
typedef struct user_regs_struct bpf_user_pt_regs_t;
#define __EBPFGEN_PERF_REGS
#elif defined(__TARGET_ARCH_s390)
typedef user_pt_regs bpf_user_pt_regs_t;
#define __EBPFGEN_PERF_REGS
#elif defined(__TARGET_ARCH_x86) || defined(__TARGET_ARCH_arm) || defined(__TARGET_ARCH_mips)
typedef struct pt_regs bpf_user_pt_regs_t;
#define __EBPFGEN_PERF_REGS
#endif

#ifdef __EBPFGEN_PERF_REGS
struct bpf_perf_event_data {
	bpf_user_pt_regs_t regs;
	__u64 sample_period;
	__u64 addr;
} __ebpfgen_core;
#endif

#endif /* the kernel's <asm/ptrace.h> has not come first */

#endif
