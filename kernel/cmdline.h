/*
 * Words of the command line: "name" or "name=value", separated by blanks.
 * There is no quoting.  Pure.  Most words are the server's, one is the kernel's:
 *
 *   on-crash=restart|poweroff|reboot   what follows a crash of the server
 */
#pragma once

#include "config/base.h"

/*
 * Find the last word called `name` (as in Linux, a later word overrules).
 *
 * cmdline    NUL-terminated
 * value,len  written when found: the bytes after '=', inside cmdline, not
 *            NUL-terminated; len 0 for a word without '=' or an empty value
 */
MUST_USE bool cmdline_find(const char *cmdline, const char *name,
    const char **value, size_t *len);

enum on_crash {
	ON_CRASH_RESTART = 0,
	ON_CRASH_POWER_OFF,
	ON_CRASH_REBOOT,
};

/*
 * Read the kernel's own words.
 * Returns NULL, or a sentence for the operator about a value nobody knows;
 * *out is then ON_CRASH_RESTART.
 */
MUST_USE const char *cmdline_on_crash(const char *cmdline, enum on_crash *out);
