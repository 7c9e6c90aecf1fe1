/* Looking into images: --list, --check. */
#pragma once

#include "config/base.h"

/* Both open an image and report_error() what is wrong with it. */

/* Print what every path answers: URL, status, content type, length, by tabs. */
void show_list(const char *image);

/* Say that the reader accepts it. */
void show_check(const char *image);
