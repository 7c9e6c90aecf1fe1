/* fake_report.h */
#include "tests/romfs/fake_report.h"

#include <stdarg.h>
#include <stdio.h>

#include "romfs/mkromfs/report.h"

struct fake_report fake_report;

void report_error(const char *path, const char *format, ...)
{
	va_list args;

	snprintf(fake_report.place, sizeof fake_report.place, "%s", path);
	va_start(args, format);
	vsnprintf(fake_report.why, sizeof fake_report.why, format, args);
	va_end(args);
	fake_report.count++;
}
