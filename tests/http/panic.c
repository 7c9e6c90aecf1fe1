/*
 * How a test or a fuzz harness ends when the code under test finds itself wrong.
 */
#include <stdio.h>
#include <stdlib.h>

#include "config/base.h"

void panic_at(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: panic: %s\n", file, line, what);
	abort();
}
