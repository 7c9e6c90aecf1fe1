/*
 * The slow reference: tests/http/slow_range.h.  Numbers stay strings until they are known
 * to be positions inside the representation.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/http/slow_list.h"
#include "tests/http/slow_range.h"

#define PARTS 8192
#define TEXT 16384

/* First and last position, both inclusive. */
struct part {
	uint64_t first, last;
};

struct parts {
	uint64_t len;           /* of the representation */
	char len_text[24];
	bool valid, any, too_many;
	size_t count;
	struct part p[PARTS];
};

static char room[4][TEXT];
static char *groups[4] = { room[0], room[1], room[2], room[3] };

static bool touch(struct part a, struct part b)
{
	return a.first <= b.last + 1 && b.first <= a.last + 1;
}

/* Join any two that touch, until no two do; the joined one stands where the first was. */
static size_t coalesce(const struct part *in, size_t count, struct part *out)
{
	memcpy(out, in, count * sizeof *in);
again:
	for (size_t i = 0; i < count; i++) {
		for (size_t k = i + 1; k < count; k++) {
			if (!touch(out[i], out[k]))
				continue;
			if (out[k].first < out[i].first)
				out[i].first = out[k].first;
			if (out[k].last > out[i].last)
				out[i].last = out[k].last;
			memmove(out + k, out + k + 1,
			    (count - k - 1) * sizeof *out);
			count--;
			goto again;
		}
	}
	return count;
}

/* RFC 9110, section 14.1.2 */
static bool take_spec(char *text, void *to)
{
	static struct part joined[PARTS];
	struct parts *const all = to;
	struct part part;

	all->any = true;
	if (strlen(text) >= TEXT)
		return all->valid = false;
	if (slow_fits("^-([0-9]+)$", text, groups)) {
		if (slow_compare(groups[0], "0") == 0)
			return true;
		part.last = all->len - 1;
		part.first = slow_compare(groups[0], all->len_text) >= 0 ? 0 :
		    all->len - strtoull(groups[0], NULL, 10);
	} else if (slow_fits("^([0-9]+)-([0-9]*)$", text, groups)) {
		const bool open = groups[1][0] == 0;

		if (!open && slow_compare(groups[0], groups[1]) > 0)
			return all->valid = false;
		if (slow_compare(groups[0], all->len_text) >= 0)
			return true;
		part.first = strtoull(groups[0], NULL, 10);
		part.last = open ||
		    slow_compare(groups[1], all->len_text) >= 0 ?
		    all->len - 1 : strtoull(groups[1], NULL, 10);
	} else {
		return all->valid = false;
	}
	all->p[all->count++] = part;
	if (coalesce(all->p, all->count, joined) > LIMIT_RANGE_PARTS)
		return !(all->too_many = true);
	return true;
}

enum http_ranges slow_parse_ranges(struct http_text value, uint64_t len,
    struct http_range out[LIMIT_RANGE_PARTS], uint32_t *count)
{
	static struct part joined[PARTS];
	static struct parts parts;
	struct parts *const all = &parts;
	const struct http_lines field = { 1, { value } };
	char *const text = slow_join(&field);
	enum http_ranges result = HTTP_RANGES_NONE;

	assert(value.len < TEXT);
	all->len = len;
	all->valid = true;
	all->any = all->too_many = false;
	all->count = 0;
	snprintf(all->len_text, sizeof all->len_text, "%llu",
	    (unsigned long long)len);
	*count = 0;
	if (len > 0 && strncasecmp(text, "bytes=", 6) == 0) {
		slow_split(text + 6, take_spec, all);
		if (all->any && all->valid && !all->too_many) {
			*count = (uint32_t)coalesce(all->p, all->count, joined);
			result = *count > 0 ?
			    HTTP_RANGES_SOME : HTTP_RANGES_OUTSIDE;
		}
	}
	for (uint32_t i = 0; i < *count; i++)
		out[i] = (struct http_range){
			joined[i].first, joined[i].last - joined[i].first + 1
		};
	free(text);
	return result;
}
