/* The slow reference: tests/romfs/slow_rules.h. */
#include "tests/romfs/slow_rules.h"

#include <ctype.h>
#include <string.h>

#include "romfs/format.h"

struct attempt {
	bool is_exact;
	struct romfs_capture now[ROM_CAPTURE_CAP];
	uint8_t now_count;
	struct romfs_capture *found;
	uint8_t *found_count;
};

static unsigned try(struct attempt *a, const char *source, const uint8_t *path, size_t len);

/* What follows `source`, for every part of the path that the mark before it may stand for. */
static unsigned try_lengths(struct attempt *a, const char *source, const uint8_t *path,
    size_t len, size_t least, bool crosses_slash)
{
	unsigned ways = 0;

	for (size_t taken = 0; taken <= len; taken++) {
		if (taken > 0 && path[taken - 1] == '/' && !crosses_slash)
			break;
		if (taken < least)
			continue;
		a->now[a->now_count++] = (struct romfs_capture){ path, taken };
		ways += try(a, source, path + taken, len - taken);
		a->now_count--;
	}
	return ways;
}

static unsigned try(struct attempt *a, const char *source, const uint8_t *path, size_t len)
{
	/* "'/' and '*' at the end match the path without both, too." */
	if (strcmp(source, "/*") == 0 && !a->is_exact && len == 0)
		return try_lengths(a, "", path, len, 0, true);
	/* "'*' stands for any bytes, also none." */
	if (source[0] == '*')
		return try_lengths(a, source + 1, path, len, 0, true);
	/* "A placeholder stands for one byte or more of a segment." */
	if (source[0] == ':' && isalpha((unsigned char)source[1])) {
		source++;
		while (isalnum((unsigned char)*source) || *source == '_')
			source++;
		return try_lengths(a, source, path, len, 1, false);
	}
	/* "Everything else stands for itself." */
	if (source[0] != '\0')
		return len > 0 && path[0] == (uint8_t)source[0] ?
		    try(a, source + 1, path + 1, len - 1) : 0;
	if (len > 0)
		return 0;
	memcpy(a->found, a->now, a->now_count * sizeof *a->now);
	*a->found_count = a->now_count;
	return 1;
}

unsigned slow_match(const char *source, bool is_exact, const uint8_t *path, size_t len,
    struct romfs_capture *captures, uint8_t *count)
{
	struct attempt a = {
		.is_exact = is_exact, .found = captures, .found_count = count,
	};

	*count = 0;
	return try(&a, source, path, len);
}
