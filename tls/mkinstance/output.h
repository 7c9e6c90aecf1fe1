/*
 * Writing a file in one step: into a temporary file beside it, which becomes it.
 * Whatever ends the program before that - an error, a signal - removes the
 * temporary file and leaves the old one.
 */
#pragma once

#include <sys/types.h>

#include "config/base.h"

/*
 * Write len bytes as a file of these rights, whatever the umask and the rights of
 * the file that it replaces.  Errors are reported and leave nothing behind.
 */
MUST_USE bool output_write(const char *path, const void *data, size_t len,
    mode_t mode);
