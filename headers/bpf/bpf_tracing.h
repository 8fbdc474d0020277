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
 * Registers that libbpf names wrongly, so that a use does not compile. Its PT_REGS_* macros look
 * these names up when they are used, so it is enough to correct them here.
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

#elif defined(__TARGET_ARCH_loongarch) && !defined(bpf_target_defined)

/* Before 1.2 libbpf does not know the architecture. */
#include "../ebpfgen/tracing_loongarch.h"

#endif
