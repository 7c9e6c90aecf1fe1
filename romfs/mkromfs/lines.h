/* The lines of _redirects and _headers, and errors in them. */
#pragma once

#include "config/base.h"

struct line {
	const char *file;        /* its name, for messages */
	unsigned number;         /* from 1 on */
	const char *at;          /* without the blanks around it: not empty, no control ... */
	size_t len;              /* ... characters but tabs, UTF-8 */
};

typedef void line_reader(const struct line *line, void *context);

/*
 * Read a file's text line by line.  Lines end in LF or CRLF; empty ones and those that begin
 * with '#' are passed over, and so is a byte order mark.  A line with other control
 * characters, or that is not UTF-8, is reported and not read.
 */
void lines_read(const char *file, const char *text, size_t len, line_reader *reader,
    void *context);

/* report_error() for "FILE:LINE". */
void line_error(const struct line *line, const char *why);
