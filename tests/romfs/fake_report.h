/* report.h for unit tests: what was reported last, and how often. */
#pragma once

#include <stddef.h>

struct fake_report {
	char place[256];
	char why[1024];
	size_t count;
};

extern struct fake_report fake_report;
