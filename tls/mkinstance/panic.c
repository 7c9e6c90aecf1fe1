/* The host's panic: say where, and stop. */
#include <stdio.h>
#include <stdlib.h>

#include "config/base.h"

void panic_at(const char *file, int line, const char *what)
{
	fprintf(stderr, "mkinstance: %s:%d: this is a bug: %s\n", file, line, what);
	abort();
}
