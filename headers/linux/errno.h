/* SPDX-License-Identifier: MIT */
/*
 * Error numbers, for libbpf's usdt.bpf.h, which includes <linux/errno.h>: the kernel's own header
 * goes on to <asm/errno.h>, which a BPF target often does not find (Debian and Ubuntu keep it in a
 * folder per architecture) and which is not there without the kernel's headers.
 *
 * So: the kernel's where it works, else the numbers up to 34, which are the same on all
 * architectures; include/uapi/asm-generic/errno-base.h. From 35 on, mips has others.
 */
#if __has_include(<asm/errno.h>) && __has_include_next(<linux/errno.h>)
#include_next <linux/errno.h>
#elif !defined(EPERM)

#define EPERM 1
#define ENOENT 2
#define ESRCH 3
#define EINTR 4
#define EIO 5
#define ENXIO 6
#define E2BIG 7
#define ENOEXEC 8
#define EBADF 9
#define ECHILD 10
#define EAGAIN 11
#define ENOMEM 12
#define EACCES 13
#define EFAULT 14
#define ENOTBLK 15
#define EBUSY 16
#define EEXIST 17
#define EXDEV 18
#define ENODEV 19
#define ENOTDIR 20
#define EISDIR 21
#define EINVAL 22
#define ENFILE 23
#define EMFILE 24
#define ENOTTY 25
#define ETXTBSY 26
#define EFBIG 27
#define ENOSPC 28
#define ESPIPE 29
#define EROFS 30
#define EMLINK 31
#define EPIPE 32
#define EDOM 33
#define ERANGE 34

#endif
