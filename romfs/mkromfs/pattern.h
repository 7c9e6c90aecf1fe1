/*
 * The words of _redirects and _headers that name paths, as bytes of romfs/format.h (struct
 * rom_rule): sources with their placeholders, and the targets that these go into.
 *
 * A placeholder is ':' and a letter, then letters, digits and '_'; it stands for part of one
 * segment.  '*' stands for any bytes and is called "splat".  An escape ("%3A", "%2A") is never
 * either.  Functions return NULL, or a sentence for the author of the file, without a dot.
 */
#pragma once

#include "config/base.h"
#include "romfs/format.h"

/* Owned by whoever holds it: free(at). */
struct rule_bytes {
	uint8_t *at;
	size_t len;
};

/* What the captures of a rule are called, in their order; the names lie in the file's text. */
struct rule_names {
	size_t count;
	struct {
		const char *at;
		size_t len;
	} list[ROM_CAPTURE_CAP];
};

/* A '/' and '*' at the end of a source: does it match the path without both? */
enum pattern_star {
	STAR_FOLDER,             /* NUL 3: "/news/" and what is behind it, and "/news" too */
	STAR_EXACT,              /* '/' NUL 2: not "/news" */
};

/*
 * Read a source: what a request's path is after http/path.h, so escapes are decoded and dot
 * segments are removed.
 *
 * out, names  written whatever is returned; out is to be freed, names grow
 */
MUST_USE const char *pattern_read_source(struct rule_bytes *out, struct rule_names *names,
    const char *text, size_t len, enum pattern_star star);

/* Read the target of a rewrite or a 404 rule: a decoded path of this site. */
MUST_USE const char *pattern_read_path(struct rule_bytes *out,
    const struct rule_names *names, const char *text, size_t len);

/*
 * Read the target of a redirect: a path of this host, or an http or https URL whose host no
 * capture can change.  What a URI may not hold is percent-encoded.
 *
 * tail       from '#' on, if there are no captures in it; else that is part of `out`
 * has_query  the text has a '?' before its '#'
 */
MUST_USE const char *pattern_read_uri(struct rule_bytes *out, struct rule_bytes *tail,
    bool *has_query, const struct rule_names *names, const char *text, size_t len);

/* Add a capture that is not the source's: one of the query. */
MUST_USE const char *pattern_add_name(struct rule_names *names, const char *at, size_t len);

/* Which capture, counted from 1, is called so; 0: none. */
size_t pattern_find_name(const struct rule_names *names, const char *at, size_t len);

/* Characters of a placeholder at the beginning of a text, with its ':'; 0: it begins none. */
size_t pattern_placeholder_len(const char *text, size_t len);

/*
 * Write a byte as a URI may hold it outside of its host (RFC 3986, section 2): itself, or
 * percent-encoded.  out has room for 3 bytes.  Returns how many were written.
 */
size_t pattern_put_uri(uint8_t *out, uint8_t byte);
