/* SPDX-License-Identifier: MIT */
/*
 * libbpf's <bpf/bpf_tracing.h>, with the types it needs before it (bpf_helpers.h here says how),
 * and what it lacks for some architectures after it.
 */
#include "../common.h"

/*
 * PT_REGS_*_CORE, and on arm64 and s390 the plain PT_REGS_PARM1_SYSCALL too, expand to
 * BPF_CORE_READ, which libbpf leaves to the program to include: without this, a program that
 * builds for x86 would not for the others.
 */
#include <bpf/bpf_core_read.h>

#if __has_include("libbpf/bpf_tracing.h")
#include "libbpf/bpf_tracing.h"
#else
#if !__has_include_next(<bpf/bpf_tracing.h>)
#include "../ebpfgen/libbpf_missing.h"
#endif
#include_next <bpf/bpf_tracing.h>
#endif

/*
 * Registers that libbpf names wrongly. Its PT_REGS_* macros look these names up when they are used,
 * so it is enough to correct them here.
 */
#if defined(__TARGET_ARCH_s390)

/* libbpf 1.1 has the typing error grps[14]. */
#undef __PT_RET_REG
#define __PT_RET_REG gprs[14]

#elif defined(__TARGET_ARCH_powerpc)

/* libbpf has regs[31] and sp, but pt_regs has neither: the link register, and r1 by the ABI. */
#undef __PT_RET_REG
#define __PT_RET_REG link
#undef __PT_SP_REG
#define __PT_SP_REG gpr[1]

#elif defined(__TARGET_ARCH_arm)

/* libbpf has r12, which the ABI calls ip; the kernel's instruction_pointer() reads r15. */
#undef __PT_IP_REG
#define __PT_IP_REG uregs[15]

#ifndef __PT_PARM5_SYSCALL_REG
/*
 * Before 1.2 libbpf has r4 for the fifth argument, which a system call passes in it. A function
 * passes it on the stack, so that a use does not compile, as with a newer libbpf.
 */
#undef __PT_PARM5_REG
#define __PT_PARM5_REG __unsupported__
#undef PT_REGS_PARM5_SYSCALL
#define PT_REGS_PARM5_SYSCALL(x) (__PT_REGS_CAST(x)->uregs[4])
#undef PT_REGS_PARM5_CORE_SYSCALL
#define PT_REGS_PARM5_CORE_SYSCALL(x) BPF_CORE_READ(__PT_REGS_CAST(x), uregs[4])
#endif

#elif defined(__TARGET_ARCH_loongarch) && !defined(bpf_target_defined)

/* Before 1.2 libbpf does not know the architecture. */
#include "../ebpfgen/tracing_loongarch.h"

#endif
