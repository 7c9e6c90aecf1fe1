/* Baking: from a command line to an image, or to a list of what would be in it. */
#pragma once

#include "config/base.h"
#include "romfs/mkromfs/command.h"
#include "romfs/mkromfs/hosts.h"
#include "romfs/mkromfs/image.h"

/*
 * Find the sites and decide everything about them but the codings.  What is wrong is reported
 * by report_error().
 */
void bake_plan(struct image *image, const struct command *command,
    struct hosts_skipped *skipped);

/* All of it, and the summary. */
void bake(const struct command *command);
