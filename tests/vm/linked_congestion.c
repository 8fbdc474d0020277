// The congestion control in links of the kernel's own, with one that may take its place.
#define SECTION ".struct_ops.link"
#define WITH_SUCCESSOR
#include "congestion.c"
