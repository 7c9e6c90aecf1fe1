/*
 * printf's small brother for kernel messages.  Pure; no floating point.
 */
#pragma once

#include <stdarg.h>

#include "config/base.h"

/*
 * Write formatted text to out, without a NUL.
 *
 * out, cap  at most cap bytes are written, what does not fit is cut off
 * format    %s %c %d %u %x %p %%; lengths l, ll, z; flags 0 and -; a width
 *           (digits or *); for %s a precision (digits or *).  NULL for %s shows
 *           "(null)".  %p is "0x" and the digits needed.  Anything else is our
 *           mistake: it is shown as it stands, its argument is not fetched.
 * Returns   the bytes written
 */
size_t format_text(char *out, size_t cap, const char *format, va_list args);

/*
 * The same with the arguments in place and a NUL behind; cap, at least 1,
 * counts it.  Returns the bytes before the NUL.
 */
size_t format_line(char *out, size_t cap, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
