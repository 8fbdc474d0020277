/* SPDX-License-Identifier: MIT */
/*
 * PT_REGS_* for LoongArch, for a libbpf older than 1.2. Included by bpf/bpf_tracing.h after
 * libbpf's, which then has defined each of them as "Must specify a BPF target arch". BPF_KPROBE,
 * BPF_KRETPROBE and BPF_KSYSCALL are made of these, and work with them.
 *
 * Registers by the LoongArch ABI (Documentation/arch/loongarch/introduction.rst): arguments in a0
 * to a7, which are r4 to r11, the result in a0; ra is r1, sp is r3, fp is r22. Only five arguments
 * have names here, as for all architectures in a libbpf of that age.
 */
#ifndef __EBPFGEN_TRACING_LOONGARCH_H__
#define __EBPFGEN_TRACING_LOONGARCH_H__

#undef PT_REGS_PARM1
#undef PT_REGS_PARM1_CORE
#undef PT_REGS_PARM2
#undef PT_REGS_PARM2_CORE
#undef PT_REGS_PARM3
#undef PT_REGS_PARM3_CORE
#undef PT_REGS_PARM4
#undef PT_REGS_PARM4_CORE
#undef PT_REGS_PARM5
#undef PT_REGS_PARM5_CORE
#undef PT_REGS_RET
#undef PT_REGS_RET_CORE
#undef PT_REGS_FP
#undef PT_REGS_FP_CORE
#undef PT_REGS_RC
#undef PT_REGS_RC_CORE
#undef PT_REGS_SP
#undef PT_REGS_SP_CORE
#undef PT_REGS_IP
#undef PT_REGS_IP_CORE
#undef PT_REGS_PARM1_SYSCALL
#undef PT_REGS_PARM1_CORE_SYSCALL
#undef PT_REGS_PARM2_SYSCALL
#undef PT_REGS_PARM2_CORE_SYSCALL
#undef PT_REGS_PARM3_SYSCALL
#undef PT_REGS_PARM3_CORE_SYSCALL
#undef PT_REGS_PARM4_SYSCALL
#undef PT_REGS_PARM4_CORE_SYSCALL
#undef PT_REGS_PARM5_SYSCALL
#undef PT_REGS_PARM5_CORE_SYSCALL
#undef PT_REGS_SYSCALL_REGS
#undef BPF_KPROBE_READ_RET_IP
#undef BPF_KRETPROBE_READ_RET_IP

/* The struct that the kernel shows user space, and that its BTF names as the context's type. */
#define __EBPFGEN_REGS(x) ((const struct user_pt_regs *)(x))

#define PT_REGS_PARM1(x) (__EBPFGEN_REGS(x)->regs[4])
#define PT_REGS_PARM2(x) (__EBPFGEN_REGS(x)->regs[5])
#define PT_REGS_PARM3(x) (__EBPFGEN_REGS(x)->regs[6])
#define PT_REGS_PARM4(x) (__EBPFGEN_REGS(x)->regs[7])
#define PT_REGS_PARM5(x) (__EBPFGEN_REGS(x)->regs[8])
#define PT_REGS_RET(x) (__EBPFGEN_REGS(x)->regs[1])
#define PT_REGS_FP(x) (__EBPFGEN_REGS(x)->regs[22])
#define PT_REGS_RC(x) (__EBPFGEN_REGS(x)->regs[4])
#define PT_REGS_SP(x) (__EBPFGEN_REGS(x)->regs[3])
#define PT_REGS_IP(x) (__EBPFGEN_REGS(x)->csr_era)

/* The same for registers somewhere in memory, not those of the context. */
#define PT_REGS_PARM1_CORE(x) BPF_CORE_READ(__EBPFGEN_REGS(x), regs[4])
#define PT_REGS_PARM2_CORE(x) BPF_CORE_READ(__EBPFGEN_REGS(x), regs[5])
#define PT_REGS_PARM3_CORE(x) BPF_CORE_READ(__EBPFGEN_REGS(x), regs[6])
#define PT_REGS_PARM4_CORE(x) BPF_CORE_READ(__EBPFGEN_REGS(x), regs[7])
#define PT_REGS_PARM5_CORE(x) BPF_CORE_READ(__EBPFGEN_REGS(x), regs[8])
#define PT_REGS_RET_CORE(x) BPF_CORE_READ(__EBPFGEN_REGS(x), regs[1])
#define PT_REGS_FP_CORE(x) BPF_CORE_READ(__EBPFGEN_REGS(x), regs[22])
#define PT_REGS_RC_CORE(x) BPF_CORE_READ(__EBPFGEN_REGS(x), regs[4])
#define PT_REGS_SP_CORE(x) BPF_CORE_READ(__EBPFGEN_REGS(x), regs[3])
#define PT_REGS_IP_CORE(x) BPF_CORE_READ(__EBPFGEN_REGS(x), csr_era)

/*
 * A system call's arguments are a function's, and its handler gets them as such: LoongArch does
 * not select ARCH_HAS_SYSCALL_WRAPPER.
 */
#define PT_REGS_SYSCALL_REGS(ctx) (ctx)
#define PT_REGS_PARM1_SYSCALL(x) PT_REGS_PARM1(x)
#define PT_REGS_PARM2_SYSCALL(x) PT_REGS_PARM2(x)
#define PT_REGS_PARM3_SYSCALL(x) PT_REGS_PARM3(x)
#define PT_REGS_PARM4_SYSCALL(x) PT_REGS_PARM4(x)
#define PT_REGS_PARM5_SYSCALL(x) PT_REGS_PARM5(x)
#define PT_REGS_PARM1_CORE_SYSCALL(x) PT_REGS_PARM1_CORE(x)
#define PT_REGS_PARM2_CORE_SYSCALL(x) PT_REGS_PARM2_CORE(x)
#define PT_REGS_PARM3_CORE_SYSCALL(x) PT_REGS_PARM3_CORE(x)
#define PT_REGS_PARM4_CORE_SYSCALL(x) PT_REGS_PARM4_CORE(x)
#define PT_REGS_PARM5_CORE_SYSCALL(x) PT_REGS_PARM5_CORE(x)

/* The return address is in a register and not on the stack, as libbpf says of powerpc. */
#define BPF_KPROBE_READ_RET_IP(ip, ctx) ({ (ip) = PT_REGS_RET(ctx); })
#define BPF_KRETPROBE_READ_RET_IP BPF_KPROBE_READ_RET_IP

#endif
