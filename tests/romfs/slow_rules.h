/*
 * The rules once more, as slow and as close to the words of RULES.md as they can be written:
 * sources as text, matched by trying everything.  What the fast ones are compared with.
 */
#pragma once

#include "config/base.h"
#include "romfs/romfs.h"

/*
 * In how many ways a source, without escapes and dot segments, matches a path.  captures are
 * those of the last way, in the order of the source; *count is their number.
 *
 * is_exact  '/' and '*' at the end do not match the path without both
 */
unsigned slow_match(const char *source, bool is_exact, const uint8_t *path, size_t len,
    struct romfs_capture *captures, uint8_t *count);
