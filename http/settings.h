/*
 * What an operator may say to this folder on the VM's command line.  Pure.
 *
 *   log=off          no access log (log=on is the default)
 *   stats=SECONDS    print counters and pool levels about every so often (1..86400)
 *
 * Words are separated by blanks; the last of several wins; words of others are theirs.
 */
#pragma once

#include "config/base.h"

struct http_settings {
	bool log;
	uint32_t stats_s;   /* 0: never */
};

/*
 * Read our words from a NUL-terminated command line.
 *
 * out      always written; a word with a value we do not know leaves the default
 * Returns  NULL, or a sentence for the operator about the last such word
 */
MUST_USE const char *http_read_settings(const char *cmdline,
    struct http_settings *out);
