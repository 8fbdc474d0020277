// A program to be probed: work() and rest() are called as often as the first argument says.
#include <stdio.h>
#include <stdlib.h>

#if defined(__x86_64__)
#define ARGUMENT "-4@%k[argument]"
#elif defined(__aarch64__)
#define ARGUMENT "-4@%[argument]"
#endif

// A note as systemtap's describes it: lengths, the type 3, owner, address of the probe, base and
// semaphore, then provider, name and where the arguments are.
static void probe(int argument)
{
#ifdef ARGUMENT
	__asm__ volatile("1: nop\n"
			 ".pushsection .note.stapsdt, \"\", \"note\"\n"
			 ".balign 4\n"
			 ".4byte 3f - 2f, 5f - 4f, 3\n"
			 "2: .asciz \"stapsdt\"\n"
			 "3: .balign 4\n"
			 "4: .8byte 1b, 0, 0\n"
			 ".asciz \"victim\"\n"
			 ".asciz \"worked\"\n"
			 ".asciz \"" ARGUMENT "\"\n"
			 "5: .balign 4\n"
			 ".popsection\n"
			 :
			 : [argument] "r"(argument));
#endif
}

__attribute__((noinline)) int work(int argument)
{
	probe(argument);
	return argument * 2;
}

__attribute__((noinline)) int work_again(int argument)
{
	__asm__ volatile("");
	return argument + 1;
}

int main(int count, char **arguments)
{
	int times = count > 1 ? atoi(arguments[1]) : 1;
	int sum = 0;

	for (int i = 0; i < times; i++)
		sum += work(20 + i) + work_again(i);
	printf("%d\n", sum);
	return 0;
}
