/* What plan.c and plan_rules.c share. */
#pragma once

#include "romfs/mkromfs/plan.h"

/*
 * Add a path, which becomes the plan's.  Returns its index; SIZE_MAX, with the path freed, if
 * it is taken.
 */
size_t plan_add_path(struct plan *plan, char *path, struct planned_answer answer);

/* The page with this content and status, made if there is none yet. */
size_t plan_add_page(struct plan *plan, struct planned_answer answer, uint16_t status);

/* Apply the site's rules to the paths of its files, and add their own. */
void plan_add_rules(struct plan *plan, const struct site_options *options,
    const struct redirects *redirects);
