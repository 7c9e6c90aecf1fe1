/*
 * Linked in front of romfs_find() of an otherwise ordinary server: a request for
 * one path writes to address 8.  tests/guard/crash/run.py shows how soon the next
 * connection is served.  Never part of an image that `make` builds for a site.
 */
#include <string.h>

#include "romfs/romfs.h"

static const char crash_path[] = "/crash-now";

enum romfs_status __real_romfs_find(const struct romfs *fs, const uint8_t *path,
    size_t path_len, struct romfs_entry *out);
enum romfs_status __wrap_romfs_find(const struct romfs *fs, const uint8_t *path,
    size_t path_len, struct romfs_entry *out);

enum romfs_status __wrap_romfs_find(const struct romfs *fs, const uint8_t *path,
    size_t path_len, struct romfs_entry *out)
{
	volatile uint8_t *bad = (volatile uint8_t *)8;

	__asm__("" : "+r"(bad));
	if (path_len == sizeof crash_path - 1 &&
	    memcmp(path, crash_path, path_len) == 0)
		*bad = 1;
	return __real_romfs_find(fs, path, path_len, out);
}
