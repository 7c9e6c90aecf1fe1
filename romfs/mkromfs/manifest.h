/* What every path of sites would be answered with, without baking them. */
#pragma once

#include "romfs/mkromfs/image.h"

/*
 * Print URL, status and file of every path, by tabs.  A redirect has its target in the place
 * of the file, a listing its folder with a '/' at the end.  "*" at the end of a URL stands for
 * all paths below that nothing else answers; "-" is the built-in page.  Of several sites, each
 * URL begins with "//" and the host's name.
 */
void manifest_print(const struct image *image);
