/*
 * Linked in front of romfs_resolve() of an otherwise ordinary server: a request for
 * one path writes to address 8.  tests/guard/crash/run.py shows how soon the next
 * connection is served.  Never part of an image that `make` builds for a site.
 */
#include <string.h>

#include "romfs/romfs.h"

static const char crash_path[] = "/crash-now";

void __real_romfs_resolve(const struct romfs *fs, uint32_t site,
    const uint8_t *path, size_t path_len,
    const uint8_t *query, size_t query_len,
    uint8_t *scratch, size_t cap, struct romfs_answer *out);
void __wrap_romfs_resolve(const struct romfs *fs, uint32_t site,
    const uint8_t *path, size_t path_len,
    const uint8_t *query, size_t query_len,
    uint8_t *scratch, size_t cap, struct romfs_answer *out);

void __wrap_romfs_resolve(const struct romfs *fs, uint32_t site,
    const uint8_t *path, size_t path_len,
    const uint8_t *query, size_t query_len,
    uint8_t *scratch, size_t cap, struct romfs_answer *out)
{
	volatile uint8_t *bad = (volatile uint8_t *)8;

	__asm__("" : "+r"(bad));
	if (path_len == sizeof crash_path - 1 &&
	    memcmp(path, crash_path, path_len) == 0)
		*bad = 1;
	__real_romfs_resolve(fs, site, path, path_len, query, query_len,
	    scratch, cap, out);
}
