/* Contract: report.h. */
#include "romfs/mkromfs/report.h"

#include <stdarg.h>
#include <string.h>
#include <unistr.h>

#include "config/base.h"

static size_t errors;

void print_escaped(FILE *out, const char *text)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t left = strlen(text);

	while (left > 0) {
		ucs4_t character;
		const int len = u8_mbtoucr(&character, p, left);
		const size_t step = len > 0 ? (size_t)len : 1;

		if (len <= 0 || character < 0x20 ||
		    (character >= 0x7f && character < 0xa0))
			for (size_t i = 0; i < step; i++)
				fprintf(out, "\\x%02x", p[i]);
		else
			fwrite(p, 1, step, out);
		p += step;
		left -= step;
	}
}

void report_error(const char *path, const char *format, ...)
{
	va_list args;

	fputs("mkromfs: ", stderr);
	print_escaped(stderr, path);
	fputs(": ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	errors++;
}

size_t report_count(void)
{
	return errors;
}
