/* Looking into images and sites: --list, --check, --manifest. */
#pragma once

#include "config/base.h"
#include "romfs/mkromfs/site.h"

/* Both open an image and report_error() what is wrong with it. */

/* Print what every path answers: URL, status, content type, length, by tabs. */
void show_list(const char *image);

/* Say that the reader accepts it. */
void show_check(const char *image);

/*
 * Print which file every path is answered from: URL, status, file, by tabs.  A
 * redirect has its target in the place of the file; the page for all other paths
 * has "*" in the place of the URL, and "-" for the file if it is the built-in one.
 */
void show_manifest(const struct site *site);
