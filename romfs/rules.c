/*
 * Patterns, conditions, targets, and the walk over a site's automaton.  Contract:
 * rules.h; bytes: format.h.
 *
 * Nothing is tried twice, because nothing is in doubt.  Between two '/' of a pattern there is
 * at most one mark, so what it stands for ends where the literal bytes behind it fit the end
 * of the path's segment.  The part behind a NUL 2 has as many '/' as the end of the path
 * that it matches; so that end is found by counting.
 */
#include "romfs/rules.h"

#include <string.h>

#include "romfs/format.h"

/* What follows a NUL in a pattern. */
#define MARK_SEGMENT 1u
#define MARK_ANY 2u
#define MARK_REST 3u

/* The value of a condition that captures. */
#define CAPTURE_VALUE 1u

/* What has been matched so far. */
struct walk {
	const uint8_t *path;
	size_t len;
	size_t at;
	struct romfs_capture *captures;
	uint8_t *count;
};

/* The first `byte` in [at, len), or len. */
static size_t find(const uint8_t *bytes, size_t at, size_t len, uint8_t byte)
{
	while (at < len && bytes[at] != byte)
		at++;
	return at;
}

static bool keep(struct romfs_capture *captures, uint8_t *count,
    const uint8_t *at, size_t len)
{
	if (*count == ROM_CAPTURE_CAP)
		return false;
	captures[(*count)++] = (struct romfs_capture){ at, len };
	return true;
}

static bool keep_until(struct walk *w, size_t end)
{
	const size_t start = w->at;

	w->at = end;
	return keep(w->captures, w->count, w->path + start, end - start);
}

/* ---- Patterns ------------------------------------------------------------- */

/* Literal bytes behind a mark up to the next '/', mark, or the end. */
static size_t literal_len(struct romfs_pattern pattern, size_t at)
{
	const size_t start = at;

	while (at < pattern.len && pattern.at[at] != '/' && pattern.at[at] != 0)
		at++;
	return at - start;
}

/* One segment's mark: it ends so far from the segment's end as `behind` literals take. */
static bool match_segment(struct walk *w, size_t behind)
{
	const size_t end = find(w->path, w->at, w->len, '/');

	return end - w->at > behind && keep_until(w, end - behind);
}

static bool match_rest(struct walk *w)
{
	if (w->at == w->len)
		return keep_until(w, w->len);
	if (w->path[w->at] != '/')
		return false;
	w->at++;
	return keep_until(w, w->len);
}

/* A part of a pattern without NUL 2, from w->at on; moves w->at behind what it matched. */
static bool match_part(struct walk *w, struct romfs_pattern part)
{
	for (size_t i = 0; i < part.len; i++) {
		const uint8_t byte = part.at[i];

		if (byte != 0) {
			if (w->at == w->len || w->path[w->at] != byte)
				return false;
			w->at++;
			continue;
		}
		i++;
		if (part.at[i] == MARK_REST ? !match_rest(w) :
		    !match_segment(w, literal_len(part, i + 1)))
			return false;
	}
	return true;
}

/* Where the NUL 2 is, or pattern.len. */
static size_t find_any(struct romfs_pattern pattern)
{
	for (size_t i = 0; i + 1 < pattern.len; i++) {
		if (pattern.at[i] != 0)
			continue;
		if (pattern.at[i + 1] == MARK_ANY)
			return i;
		i++;
	}
	return pattern.len;
}

/*
 * Where the part behind NUL 2 begins in the path: at its first '/' counted from the path's
 * end, less the literal bytes before that.  SIZE_MAX if the path is too short.
 */
static size_t part_start(struct romfs_pattern part, const uint8_t *path, size_t len)
{
	const size_t lead = find(part.at, 0, part.len, '/');
	size_t slashes = 0;

	for (size_t i = lead; i < part.len; i++)
		slashes += part.at[i] == '/';
	while (slashes > 0) {
		if (len == 0)
			return SIZE_MAX;
		len--;
		slashes -= path[len] == '/';
	}
	return len >= lead ? len - lead : SIZE_MAX;
}

bool romfs_match_path(struct romfs_pattern pattern,
    const uint8_t *path, size_t path_len,
    struct romfs_capture *captures, uint8_t *count)
{
	struct walk w = {
		.path = path, .len = path_len, .captures = captures, .count = count,
	};
	const size_t any = find_any(pattern);
	struct romfs_pattern behind;
	size_t start;

	if (!match_part(&w, (struct romfs_pattern){ pattern.at, any }))
		return false;
	if (any == pattern.len)
		return w.at == path_len;
	behind = (struct romfs_pattern){ pattern.at + any + 2, pattern.len - any - 2 };
	start = part_start(behind, path, path_len);
	if (start == SIZE_MAX || start < w.at)
		return false;
	return keep_until(&w, start) && match_part(&w, behind) && w.at == path_len;
}

bool romfs_pattern_ok(struct romfs_pattern pattern, uint8_t *captures)
{
	bool marked = false;    /* this segment has its mark */
	bool any = false;       /* the pattern has its NUL 2 or 3 */

	*captures = 0;
	for (size_t i = 0; i < pattern.len; i++) {
		if (pattern.at[i] == '/')
			marked = false;
		if (pattern.at[i] != 0)
			continue;
		i++;
		if (i == pattern.len || *captures == ROM_CAPTURE_CAP)
			return false;
		++*captures;
		if (pattern.at[i] == MARK_REST) {
			if (any || i + 1 != pattern.len)
				return false;
			continue;
		}
		if (marked || (pattern.at[i] != MARK_SEGMENT && pattern.at[i] != MARK_ANY))
			return false;
		marked = true;
		if (pattern.at[i] == MARK_ANY && any)
			return false;
		any |= pattern.at[i] == MARK_ANY;
	}
	return pattern.len > 0;
}

/* ---- Queries -------------------------------------------------------------- */

struct condition {
	struct romfs_pattern name;
	struct romfs_pattern value;
	bool captures;
};

/* Take the first condition off; false if there is no whole one. */
static bool take_condition(struct romfs_pattern *rest, struct condition *out)
{
	const size_t name_len = find(rest->at, 0, rest->len, 0);
	const size_t value_at = name_len + 1;
	size_t end;

	if (name_len == 0 || value_at >= rest->len)
		return false;
	end = find(rest->at, value_at, rest->len, 0);
	if (end == rest->len)
		return false;
	out->name = (struct romfs_pattern){ rest->at, name_len };
	out->value = (struct romfs_pattern){ rest->at + value_at, end - value_at };
	out->captures = out->value.len == 1 && out->value.at[0] == CAPTURE_VALUE;
	*rest = (struct romfs_pattern){ rest->at + end + 1, rest->len - end - 1 };
	return true;
}

static bool equal(struct romfs_pattern a, const uint8_t *b, size_t b_len)
{
	return a.len == b_len && memcmp(a.at, b, b_len) == 0;
}

static bool condition_holds(const struct condition *c,
    const uint8_t *query, size_t query_len,
    struct romfs_capture *captures, uint8_t *count)
{
	for (size_t at = 0, end; at < query_len; at = end + 1) {
		size_t name_end, value;

		end = find(query, at, query_len, '&');
		name_end = find(query, at, end, '=');
		value = name_end < end ? name_end + 1 : end;
		if (!equal(c->name, query + at, name_end - at))
			continue;
		if (c->captures)
			return keep(captures, count, query + value, end - value);
		if (equal(c->value, query + value, end - value))
			return true;
	}
	return false;
}

bool romfs_match_query(struct romfs_pattern conditions,
    const uint8_t *query, size_t query_len,
    struct romfs_capture *captures, uint8_t *count)
{
	struct condition c;

	while (conditions.len > 0) {
		if (!take_condition(&conditions, &c) ||
		    !condition_holds(&c, query, query_len, captures, count))
			return false;
	}
	return true;
}

bool romfs_query_ok(struct romfs_pattern conditions, uint8_t *captures)
{
	struct condition c;

	*captures = 0;
	while (conditions.len > 0) {
		if (!take_condition(&conditions, &c))
			return false;
		if (c.captures && ++*captures > ROM_CAPTURE_CAP)
			return false;
	}
	return true;
}

/* ---- Targets -------------------------------------------------------------- */

struct room {
	uint8_t *at;
	size_t cap;
	size_t len;
};

static bool put(struct room *out, const uint8_t *bytes, size_t len)
{
	if (len > out->cap - out->len)
		return false;
	memcpy(out->at + out->len, bytes, len);
	out->len += len;
	return true;
}

/* 0..15, or 16 for what is no hexadecimal digit. */
static unsigned digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10u : 16;
}

static bool put_decoded(struct room *out, const struct romfs_capture *from)
{
	for (size_t i = 0; i < from->len; i++) {
		uint8_t byte = from->at[i];

		if (byte == '%') {
			unsigned high, low;

			if (from->len - i < 3)
				return false;
			high = digit(from->at[i + 1]);
			low = digit(from->at[i + 2]);
			if (high > 15 || low > 15)
				return false;
			byte = (uint8_t)(high << 4 | low);
			i += 2;
		}
		if (!put(out, &byte, 1))
			return false;
	}
	return true;
}

size_t romfs_expand(struct romfs_pattern target,
    const struct romfs_capture *captures, uint8_t path_captures,
    uint8_t *out, size_t cap)
{
	struct room room = { .at = out, .cap = cap };

	for (size_t i = 0; i < target.len; i++) {
		size_t k;
		bool fits;

		if (target.at[i] != 0) {
			if (!put(&room, &target.at[i], 1))
				return SIZE_MAX;
			continue;
		}
		i++;
		k = target.at[i] - 1u;
		fits = k < path_captures ?
		    put(&room, captures[k].at, captures[k].len) :
		    put_decoded(&room, &captures[k]);
		if (!fits)
			return SIZE_MAX;
	}
	return room.len;
}

/* ---- The automaton -------------------------------------------------------- */

static uint32_t next_state(const struct romfs *fs, const struct rom_state *state,
    uint8_t byte)
{
	const uint8_t *edges = fs->edges + 4 * (size_t)state->first_edge;
	uint32_t low = 0, high = state->edge_count;

	while (low < high) {
		const uint32_t middle = (low + high) / 2;
		const uint32_t edge = load_le32(edges + 4 * (size_t)middle);

		if ((edge & 0xff) == byte)
			return edge >> 8;
		if ((edge & 0xff) < byte)
			low = middle + 1;
		else
			high = middle;
	}
	return state->otherwise;
}

uint32_t romfs_accepts(const struct romfs *fs, uint32_t site,
    const uint8_t *path, size_t path_len, const uint8_t **accepts)
{
	const struct rom_site *sites = (const void *)fs->sites;
	const struct rom_state *states = (const void *)fs->states;
	uint32_t state = sites[site].start;

	for (size_t i = 0; i < path_len && state != 0; i++)
		state = next_state(fs, &states[state], path[i]);
	if (state == 0)
		return 0;
	*accepts = fs->accepts + 4 * (size_t)states[state].first_accept;
	return states[state].accept_count;
}
