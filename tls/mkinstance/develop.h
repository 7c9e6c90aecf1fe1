/*
 * The development bundle: a key and a certificate for localhost that nobody has
 * signed, so that HTTPS can be tried without any preparation.
 */
#pragma once

#include "config/base.h"

/*
 * Have such a bundle in `path`, and its certificate in PEM beside it, named with .crt
 * in place of .bin.  One that is there stays, unless it expires within a week; a file
 * there that is something else is refused.  Says on stdout when it makes one.
 *
 * now    Unix seconds
 */
void develop(const char *path, int64_t now, bool quiet);
