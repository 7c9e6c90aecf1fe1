/* panic_at() of programs on the build host: say where and abort(), which every test runner sees. */
#include <stdio.h>
#include <stdlib.h>

#include "config/base.h"

void panic_at(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: panic: %s\n", file, line, what);
	abort();
}
