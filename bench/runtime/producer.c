/*
 * Makes system calls when it is told to, line by line on its standard input:
 *
 *   count N    N of them without a pause
 *   for MS     without a pause for MS milliseconds
 *   slow MS    one every 50 microseconds or so, for MS milliseconds
 *
 * and answers each line with how many they were, and the nanoseconds they took.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int main(void)
{
	const struct timespec pause = {0, 1000};
	char what[16];
	long long amount;

	while (scanf("%15s %lld", what, &amount) == 2) {
		long long count = 0, start = now(), end = start + amount * 1000000LL;

		if (!strcmp(what, "count")) {
			for (; count < amount; count++)
				syscall(SYS_getppid);
		} else if (!strcmp(what, "for")) {
			for (; now() < end; count += 256)
				for (int i = 0; i < 256; i++)
					syscall(SYS_getppid);
		} else {
			for (; now() < end; count++) {
				syscall(SYS_getppid);
				nanosleep(&pause, NULL);
			}
		}
		printf("%lld %lld\n", count, now() - start);
		fflush(stdout);
	}
	return 0;
}
