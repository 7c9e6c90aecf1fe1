/* From planned answers to bytes of the section ROM_ANSWERS. */
#pragma once

#include "config/base.h"
#include "romfs/format.h"
#include "romfs/mkromfs/image.h"

/* What goes on while answers are written, for all sites. */
struct answers {
	const struct image *image;
	struct image_summary *summary;
	uint64_t end;            /* of what is written of the image */
	struct rom_variant *variants;   /* room for all that answers_count() counts */
	uint32_t variant_count;
	uint8_t *chunk;
};

/* Further codings of all paths and pages of a site. */
size_t answers_count(const struct image_site *site);

/*
 * Write all answers of a site.  What is wrong with its files is reported by report_error().
 *
 * entries  one for each path, then one for each page; everything is set but the path and
 *          the flags
 */
void answers_write(struct answers *answers, const struct image_site *site,
    struct rom_entry *entries);
