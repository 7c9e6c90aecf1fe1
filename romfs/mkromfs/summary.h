/* What was baked, in lines for a person: a word, its number, and what belongs to it. */
#pragma once

#include "romfs/mkromfs/hosts.h"
#include "romfs/mkromfs/image.h"

void print_summary(const struct image *image, const struct image_summary *summary,
    const struct hosts_skipped *skipped);
