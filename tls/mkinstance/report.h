/*
 * What a person reads: errors and warnings, one line each on stderr.  The program
 * goes on to find the others; when there was an error, nothing is written.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

#include "config/base.h"

/* Print "mkinstance: error: WHAT: MESSAGE" and count it.  `what` may be any bytes. */
void report_error(const char *what, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Print "mkinstance: warning: WHAT: MESSAGE"; the bundle is made all the same. */
void report_warning(const char *what, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* How many report_error() has printed. */
size_t report_count(void);

/*
 * Print a file's name so that it cannot disturb a terminal or break a line:
 * control bytes as \xHH.
 */
void print_escaped(FILE *out, const char *text);

/* Print "mkinstance: WHAT" and exit(1): for what is nobody's file's fault. */
NORETURN void die(const char *what);

/* Never NULL; end in die().  Freed with free(). */
void *xmalloc(size_t len);
char *xstrdup(const char *text);

/* A stream that collects text into *text, which the caller frees after fclose(). */
FILE *text_stream(char **text, size_t *len);
