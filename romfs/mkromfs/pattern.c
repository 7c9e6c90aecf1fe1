/*
 * Contract: pattern.h.
 *
 * Sources and paths are read segment by segment; after each of them `out` holds what was
 * read, normalised.  Nothing grows: a mark takes two bytes, and no byte of a path more
 * than one.
 */
#include "romfs/mkromfs/pattern.h"

#include <string.h>
#include <strings.h>
#include <unistr.h>

#include "config/limits.h"
#include "romfs/mkromfs/memory.h"
#include "romfs/mkromfs/url.h"

_Static_assert(ROM_CAPTURE_CAP == 16 && LIMIT_TARGET_LEN == 8000,
    "sentences below say so in words");

struct scan {
	const char *at;
	const char *end;
	struct rule_bytes *out;
	struct rule_names *names;        /* of a source; or NULL */
	const struct rule_names *known;  /* of a target; or NULL */
	size_t segment;                  /* where the segment starts in out, with its '/' */
	bool has_mark;                   /* the segment has */
	bool has_star;
};

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

size_t pattern_placeholder_len(const char *text, size_t len)
{
	size_t n = 2;

	if (len < 2 || text[0] != ':' || !is_letter(text[1]))
		return 0;
	while (n < len && (is_letter(text[n]) || is_digit(text[n]) || text[n] == '_'))
		n++;
	return n;
}

size_t pattern_find_name(const struct rule_names *names, const char *at, size_t len)
{
	for (size_t i = 0; i < names->count; i++) {
		if (names->list[i].len == len && memcmp(names->list[i].at, at, len) == 0)
			return i + 1;
	}
	return 0;
}

const char *pattern_add_name(struct rule_names *names, const char *at, size_t len)
{
	if (pattern_find_name(names, at, len) != 0)
		return "a placeholder's name occurs twice; give one of them another "
		    "name (the name of '*' is \"splat\")";
	if (names->count == ROM_CAPTURE_CAP)
		return "there are more than 16 placeholders";
	names->list[names->count].at = at;
	names->list[names->count].len = len;
	names->count++;
	return NULL;
}

static void put(struct scan *s, uint8_t byte)
{
	s->out->at[s->out->len++] = byte;
}

static void put_mark(struct scan *s, size_t mark)
{
	put(s, 0);
	put(s, (uint8_t)mark);
}

/* ---- Paths --------------------------------------------------------------- */

/* A placeholder or '*' of a source. */
static const char *take_source_mark(struct scan *s, bool is_star, size_t len)
{
	if (s->has_star)
		return is_star ? "there may be only one '*'" :
		    "there may be no placeholder behind '*'";
	if (s->has_mark)
		return "there may be only one placeholder or '*' between two '/'";
	s->has_mark = true;
	s->has_star = is_star;
	put_mark(s, is_star ? 2 : 1);
	s->at += len;
	return is_star ? pattern_add_name(s->names, "splat", 5) :
	    pattern_add_name(s->names, s->at - len + 1, len - 1);
}

static const char *take_target_mark(struct scan *s, size_t len)
{
	const size_t which = pattern_find_name(s->known, s->at + 1, len - 1);

	if (which == 0)
		return "the target has a placeholder that the source has not; write "
		    "\"%3A\" for a colon before a letter";
	put_mark(s, which);
	s->at += len;
	s->has_mark = true;
	return NULL;
}

static const char *take_byte(struct scan *s)
{
	int byte = (uint8_t)*s->at;

	if (byte == '%') {
		byte = url_escape_value(s->at, s->end);
		if (byte < 0)
			return "'%' has to be followed by two hexadecimal digits; write "
			    "\"%25\" for a percent sign";
		if (byte == 0)
			return "no path has a byte 0 (\"%00\")";
		if (byte == '/')
			return "an escaped '/' (\"%2F\") is part of no file's name";
		s->at += 2;
	}
	s->at++;
	put(s, (uint8_t)byte);
	return NULL;
}

static const char *take_segment(struct scan *s)
{
	const char *why = NULL;

	s->segment = s->out->len;
	s->has_mark = false;
	put(s, '/');
	s->at++;
	while (why == NULL && s->at < s->end && *s->at != '/') {
		const size_t name = pattern_placeholder_len(s->at, (size_t)(s->end - s->at));

		if (*s->at == '?')
			return s->names != NULL ? "a source has no '?'; conditions on the "
			    "query are words of their own: /path name=value /target" :
			    "a file has no query; leave out what begins with '?'";
		if (*s->at == '#')
			return "a fragment ('#') is never sent to a server; leave it out, "
			    "or write \"%23\" for the character";
		if (*s->at == '*' && s->names == NULL)
			return "a target has no '*'; write \":splat\" for what it stands "
			    "for, or \"%2A\" for the character";
		if (*s->at == '*')
			why = take_source_mark(s, true, 1);
		else if (name > 0)
			why = s->names != NULL ? take_source_mark(s, false, name) :
			    take_target_mark(s, name);
		else
			why = take_byte(s);
	}
	if (why == NULL && u8_check(s->out->at + s->segment, s->out->len - s->segment) != NULL)
		return "its bytes are not UTF-8, and no such path is answered";
	return why;
}

/* RFC 3986, section 5.2.4: after a segment that is ".", or (two) "..". */
static const char *remove_dots(struct scan *s, bool two)
{
	struct rule_bytes *const out = s->out;

	out->len = s->segment;
	while (two && out->len > 0) {
		out->len--;
		if (out->at[out->len] == 0)
			return "there may be no placeholder or '*' before \"..\"";
		if (out->at[out->len] == '/')
			break;
	}
	if (s->at == s->end)
		put(s, '/');
	return NULL;
}

static const char *read_path(struct scan *s)
{
	if (s->at == s->end || *s->at != '/')
		return "a path has to begin with '/'";
	if (s->end - s->at > LIMIT_TARGET_LEN)
		return "it is longer than any request may be (8000 bytes)";
	while (s->at < s->end) {
		const char *why = take_segment(s);
		const uint8_t *const at = s->out->at + s->segment;
		const size_t len = s->out->len - s->segment;

		if (why == NULL && len == 2 && at[1] == '.')
			why = remove_dots(s, false);
		else if (why == NULL && len == 3 && at[1] == '.' && at[2] == '.')
			why = remove_dots(s, true);
		if (why != NULL)
			return why;
	}
	return NULL;
}

const char *pattern_read_source(struct rule_bytes *out, struct rule_names *names,
    const char *text, size_t len, enum pattern_star star)
{
	struct scan s = { .at = text, .end = text + len, .out = out, .names = names };

	*out = (struct rule_bytes){ .at = xmalloc(2 * len + 1) };
	const char *const why = read_path(&s);
	if (why == NULL && star == STAR_FOLDER && out->len >= 3 &&
	    memcmp(out->at + out->len - 3, "/\0\2", 3) == 0) {
		out->len -= 3;
		put_mark(&s, 3);
	}
	return why;
}

const char *pattern_read_path(struct rule_bytes *out,
    const struct rule_names *names, const char *text, size_t len)
{
	struct scan s = { .at = text, .end = text + len, .out = out, .known = names };

	*out = (struct rule_bytes){ .at = xmalloc(2 * len + 1) };
	return read_path(&s);
}

/* ---- URIs ---------------------------------------------------------------- */

size_t pattern_put_uri(uint8_t *out, uint8_t byte)
{
	static const char hex[] = "0123456789ABCDEF";
	const char c = (char)byte;

	/* RFC 3986, sections 3.3 and 3.4: pchar / "/" / "?". */
	if (is_letter(c) || is_digit(c) ||
	    (byte != 0 && strchr("-._~!$&'()*+,;=:@/?", c) != NULL)) {
		out[0] = byte;
		return 1;
	}
	out[0] = '%';
	out[1] = (uint8_t)hex[byte >> 4];
	out[2] = (uint8_t)hex[byte & 15];
	return 3;
}

static bool begins(const struct scan *s, const char *lower)
{
	const size_t len = strlen(lower);

	return (size_t)(s->end - s->at) >= len && strncasecmp(s->at, lower, len) == 0;
}

/* A name or an address, and maybe a port (RFC 3986, section 3.2), up to its end. */
static const char *check_host(const char *at, const char *end)
{
	const char *const start = at;
	const char *const close = at < end && *at == '[' ?
	    memchr(at, ']', (size_t)(end - at)) : NULL;

	/* An address has colons before letters. */
	for (const char *c = close != NULL ? close : at; c < end; c++) {
		if (pattern_placeholder_len(c, (size_t)(end - c)) > 0 || *c == '*')
			return "a placeholder in the target's host would let a stranger choose "
			    "where the redirect leads; write the host out";
		if (*c == '@')
			return "a redirect may not name a user ('@' in the host: RFC 9110, "
			    "section 4.2.4)";
	}
	if (at < end && *at == '[') {
		if (close == NULL || close == start + 1 || strspn(start + 1,
		    "0123456789abcdefABCDEF:.") < (size_t)(close - start - 1))
			return "the address between '[' and ']' is not one of IPv6";
		at = close + 1;
	} else {
		while (at < end && (is_letter(*at) || is_digit(*at) || *at == '-' ||
		    *at == '.' || *at == '_'))
			at++;
		if (at == start)
			return "the target's host is missing or has a character that no "
			    "host name has; write other letters as \"xn--...\"";
	}
	if (at < end && *at == ':') {
		for (at++; at < end && is_digit(*at); )
			at++;
	}
	return at == end ? NULL : "the target's host has a character that no host name has; "
	    "write other letters as \"xn--...\"";
}

static const char *take_host(struct scan *s)
{
	const char *end;

	if (begins(s, "//"))
		return "a target that begins with \"//\" is another host's; write "
		    "\"https://\" in front of the name, or one '/'";
	if (s->at < s->end && *s->at == '/')
		return NULL;
	if (!begins(s, "http://") && !begins(s, "https://"))
		return "a target has to begin with '/', \"https://\" or \"http://\"";
	end = (const char *)memchr(s->at, '/', (size_t)(s->end - s->at)) + 2;
	while (s->at < end)
		put(s, (uint8_t)*s->at++);
	while (end < s->end && strchr("/?#", *end) == NULL)
		end++;
	const char *const why = check_host(s->at, end);
	while (s->at < end)
		put(s, (uint8_t)*s->at++);
	return why;
}

static const char *take_uri_byte(struct scan *s)
{
	const size_t name = pattern_placeholder_len(s->at, (size_t)(s->end - s->at));

	if (name > 0)
		return take_target_mark(s, name);
	if (*s->at == '*')
		return "a target has no '*'; write \":splat\" for what it stands for, or "
		    "\"%2A\" for the character";
	if (*s->at == '%' && url_escape_value(s->at, s->end) < 0)
		return "'%' has to be followed by two hexadecimal digits; write \"%25\" for "
		    "a percent sign";
	if (*s->at == '%')
		put(s, (uint8_t)*s->at);
	else
		s->out->len += pattern_put_uri(s->out->at + s->out->len, (uint8_t)*s->at);
	s->at++;
	return NULL;
}

const char *pattern_read_uri(struct rule_bytes *out, struct rule_bytes *tail,
    bool *has_query, const struct rule_names *names, const char *text, size_t len)
{
	struct scan s = { .at = text, .end = text + len, .out = out, .known = names };
	size_t fragment = SIZE_MAX;

	*out = (struct rule_bytes){ .at = xmalloc(3 * len + 1) };
	*tail = (struct rule_bytes){ .at = xmalloc(3 * len + 1) };
	*has_query = false;
	if (len > LIMIT_TARGET_LEN)
		return "the target is longer than 8000 bytes";
	if (u8_check((const uint8_t *)text, len) != NULL)
		return "the target is not UTF-8";

	const char *why = take_host(&s);
	while (why == NULL && s.at < s.end) {
		if (*s.at == '#' && fragment == SIZE_MAX) {
			fragment = out->len;
			s.has_mark = false;
			put(&s, (uint8_t)*s.at++);
			continue;
		}
		if (*s.at == '?' && fragment == SIZE_MAX)
			*has_query = true;
		why = take_uri_byte(&s);
	}
	if (why == NULL && fragment != SIZE_MAX && !s.has_mark) {
		tail->len = out->len - fragment;
		memcpy(tail->at, out->at + fragment, tail->len);
		out->len = fragment;
	}
	return why;
}
