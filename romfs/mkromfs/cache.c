/* Contract: cache.h. */
#include "romfs/mkromfs/cache.h"

#include <string.h>

#include "romfs/mkromfs/media.h"

enum class { UPPER, LOWER, DIGIT, OTHER };

/* What a part of a name is made of. */
struct made_of {
	size_t counts[4];        /* by enum class */
	size_t changes;          /* neighbours of different classes */
	bool hex;                /* nothing but 0-9 and a-f */
	bool base32;             /* nothing but A-Z and 2-7 */
};

static enum class class_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return UPPER;
	if (c >= 'a' && c <= 'z')
		return LOWER;
	if (c >= '0' && c <= '9')
		return DIGIT;
	return OTHER;
}

static struct made_of look_at(const char *part, size_t len)
{
	struct made_of m = { .hex = true, .base32 = true };

	for (size_t i = 0; i < len; i++) {
		const enum class class = class_of(part[i]);

		m.counts[class]++;
		m.changes += i > 0 && class != class_of(part[i - 1]);
		m.hex &= class == DIGIT || (class == LOWER && part[i] <= 'f');
		m.base32 &= class == UPPER || (part[i] >= '2' && part[i] <= '7');
	}
	return m;
}

/*
 * Digests look like noise: kinds of characters follow each other in short runs.
 * Dates (10dec2024), words and versions (VERSION2) do not.  A digest that does not
 * look like one is asked for again after an hour; a word taken for one is
 * kept for a year, so the doubt goes against it.
 */
static bool is_digest(const char *part, size_t len, bool is_code)
{
	const struct made_of m = look_at(part, len);

	if (len < 8 || m.counts[DIGIT] == 0 || m.counts[OTHER] != 0)
		return false;
	if (m.hex)
		return m.changes >= 3;
	if (m.base32)
		return is_code && len == 8 && m.changes >= 2;
	return m.counts[UPPER] > 0 && m.counts[LOWER] > 0 &&
	    7 * m.changes >= 4 * (len - 1);
}

bool cache_is_fingerprinted(const char *type, const char *name)
{
	const bool is_code = media_is(type, "text/javascript") || media_is(type, "text/css");
	const char *dot = strrchr(name, '.');
	const char *end = dot == NULL ? name + strlen(name) : dot;

	while (name < end) {
		const size_t len = strcspn(name, ".-_");
		const size_t part = len < (size_t)(end - name) ? len : (size_t)(end - name);

		if (is_digest(name, part, is_code))
			return true;
		name += part + 1;
	}
	return false;
}

const char *cache_control(const char *type, const char *name)
{
	if (media_is_html(type))
		return CACHE_REVALIDATE;
	return cache_is_fingerprinted(type, name) ? CACHE_FOREVER : CACHE_HOUR;
}
