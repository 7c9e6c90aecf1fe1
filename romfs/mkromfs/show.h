/* Looking into images: --list, --check, --resolve, --diff. */
#pragma once

#include "config/base.h"

/*
 * Images are ROMs, or bootable images with one inside; report_error() says what is wrong with
 * them.  Where an image has names, URLs begin with "//" and the site's name, which is "*" if
 * no name leads to it.
 */

/* Print what every path answers: URL, status, content type, length, coding, by tabs. */
void show_list(const char *image);

/* Say that the reader accepts it. */
void show_check(const char *image);

/*
 * Answer request targets (percent-encoded, with query), one a line of standard input, with
 * one line each: status; then by a tab, for a redirect, Location; else the entry's path
 * or, for a page, "*".  What is no target is 400, a host that the image does not have 421.
 *
 * host  NULL: the name of the first site, or none if the image has no names
 */
void show_resolve(const char *image, const char *host);

/*
 * Print the URLs that differ between two images, one a line: "added", "removed" or
 * "changed", a tab, the URL.  Rules are URLs with their marks (":1", "*"); a host that
 * leads elsewhere is "//" and its name.
 * Returns false if there are any.
 */
bool show_diff(const char *old_image, const char *new_image);
