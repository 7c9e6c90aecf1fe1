/* What is deleted of a cache (coding_cache.h), and when.  Never reports: at worst it stays. */
#pragma once

#include <time.h>

#include "config/base.h"

#define TIDY_LOCK "lock"
#define TIDY_UNFINISHED "new"
#define TIDY_TEMPORARY "mkromfs.tmp."    /* how names of temporary caches begin */

/* What killed runs left under new/; the caller has the lock to itself. */
void tidy_unfinished(const char *folder);

/*
 * Old entries, if that was last done more than CACHE_TIDY_S ago; none that was used at `since`
 * or later.  The caller has the lock to itself.
 */
void tidy_entries(const char *folder, int lock, time_t since);

/* A whole temporary cache. */
void tidy_away(const char *folder);

/* All temporary caches in `parent` that are ours and that nobody uses any more. */
void tidy_abandoned(const char *parent);
