/*
 * Several sites in one image: a folder that holds one folder for each host name, and maybe a
 * file `_hosts`.  README.md, "Several sites".
 */
#pragma once

#include "config/base.h"
#include "romfs/mkromfs/image.h"

/*
 * Find the sites and their names: sets sites (with nothing but their roots), names and
 * default_site.  What is wrong is reported by report_error().
 *
 * skipped  dot-names, as they are; the caller's
 */
struct hosts_skipped {
	char **names;
	size_t count, cap;
};

void hosts_find(struct image *image, const char *folder, struct hosts_skipped *skipped);
