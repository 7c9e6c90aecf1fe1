/*
 * The image file under construction: a temporary file beside it, which becomes it
 * in one step.  Whatever ends the program before that - an error, a
 * signal - removes the temporary file.  One at a time.
 */
#pragma once

#include "config/base.h"

/* Start a file that will be `path`.  Errors end in die(), here and below. */
void output_start(const char *path);

/* Put bytes at an offset; gaps are zero. */
void output_write(uint64_t off, const void *data, size_t len);

/* Set the final length and hand over the content, readable until output_finish(). */
const void *output_map(uint64_t len);

/* Give it its name. */
void output_finish(void);

/* Remove it; nothing has happened. */
void output_drop(void);
