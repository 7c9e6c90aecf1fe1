/*
 * The file _headers: which fields a path's answers get.  All of it is decided at build time:
 * mkromfs asks for each path that answers.  Grammar and meaning: romfs/RULES.md, "Headers".
 */
#pragma once

#include "config/base.h"

struct header_rules;

/* One change to an answer's fields. */
struct header_edit {
	const char *name;        /* as written in the file */
	/* NULL: the field is removed, defaults included.  Else it replaces a default of its
	 * name; values of several rules for one name are joined by ", " already. */
	const char *value;
};

struct header_edits {
	struct header_edit *edits;      /* each name once, compared without case */
	size_t count, cap;
};

/*
 * Read a file's text.  Every line that is not understood, and every field that is not for a
 * site to set (Content-Length, Date, Connection, ...), is reported by report_error() with
 * `name`:line and the reason; the caller looks at report_count().
 * Returns the rules; headers_free() ends them.
 */
struct header_rules *headers_read(const char *name, const char *text, size_t len);

/*
 * The edits for a decoded path, rules adding up in the order of the file.  Two rules that give
 * a path a field that cannot be a list (Content-Type, ...) are reported, once.
 * rules may be NULL: there are none.  out: overwritten; header_edits_free() ends it; names
 * live as long as the rules.
 */
void headers_for(const struct header_rules *rules, const uint8_t *path, size_t len,
    struct header_edits *out);

void header_edits_free(struct header_edits *edits);
void headers_free(struct header_rules *rules);
