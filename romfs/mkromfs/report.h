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

/* Out of memory or the like: nothing can be saved. */
__attribute__((noreturn)) void die(const char *what);

/* Never NULL; end in die(). */
void *xmalloc(size_t len);
void *xrealloc(void *old, size_t len);
char *xstrdup(const char *text);

/* Room for at least `count` elements in a growing array; doubles. */
void *xgrow(void *array, size_t *cap, size_t count, size_t element_len);
