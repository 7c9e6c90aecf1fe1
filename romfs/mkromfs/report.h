/*
 * Errors, as a person reads them: one line each on stderr, the path first.  The
 * program goes on to find the others and asks at the end how many there were.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

/* Print "mkromfs: PATH: MESSAGE" and count it.  The path may be any bytes. */
void report_error(const char *path, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* How many report_error() has printed. */
size_t report_count(void);

/*
 * Print text that may be any bytes so that it cannot disturb a terminal or break
 * a line: control bytes and what is not UTF-8 as \xHH.
 */
void print_escaped(FILE *out, const char *text);
