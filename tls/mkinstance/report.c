/* Contract: report.h. */
#include "tls/mkinstance/report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static size_t errors;

void print_escaped(FILE *out, const char *text)
{
	for (const uint8_t *p = (const uint8_t *)text; *p != 0; p++) {
		/* 0x80 to 0x9f as UTF-8 are control characters, too. */
		const bool c1 = p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0;

		if (*p < 0x20 || *p == 0x7f)
			fprintf(out, "\\x%02x", *p);
		else if (c1)
			fprintf(out, "\\xc2\\x%02x", *++p);
		else
			fputc(*p, out);
	}
}

static void print_line(const char *kind, const char *what, const char *format,
    va_list args)
{
	fprintf(stderr, "mkinstance: %s: ", kind);
	print_escaped(stderr, what);
	fputs(": ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

void report_error(const char *what, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line("error", what, format, args);
	va_end(args);
	errors++;
}

void report_warning(const char *what, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line("warning", what, format, args);
	va_end(args);
}

size_t report_count(void)
{
	return errors;
}

void die(const char *what)
{
	fputs("mkinstance: ", stderr);
	print_escaped(stderr, what);
	fputc('\n', stderr);
	exit(1);
}

void *xmalloc(size_t len)
{
	void *p = malloc(len == 0 ? 1 : len);

	if (p == NULL)
		die("out of memory");
	return p;
}

char *xstrdup(const char *text)
{
	return strcpy(xmalloc(strlen(text) + 1), text);
}

FILE *text_stream(char **text, size_t *len)
{
	FILE *out = open_memstream(text, len);

	if (out == NULL)
		die("out of memory");
	return out;
}
