/* Content types: by the name's ending from the system's table; charset by content. */
#pragma once

#include "config/base.h"

/* RFC 6838, section 4.2: two names of at most 127 characters. */
#define MEDIA_TYPE_CAP 255

struct media_table;

/*
 * Read a table in the form of /etc/mime.types.  An unreadable one is reported by
 * report_error() with the package that has it; NULL then.
 */
struct media_table *media_load(const char *file);

/*
 * The type for a file name: of the longest ending the table knows, compared
 * without case ("x.tar.gz": ".tar.gz", then ".gz"); where the table has an ending
 * twice the first line wins.  application/octet-stream for all others.
 */
const char *media_type(const struct media_table *table, const char *name);

/* A type that gets "; charset=utf-8" if the content is; else the browser guesses. */
bool media_is_text(const char *type);

/* HTML, in either syntax: what a browser shows as a page. */
bool media_is_html(const char *type);

/* Types are equal: without case; parameters of `type` do not count. */
bool media_is(const char *type, const char *other);

/* ---- What charset a text has, found while it streams by ------------------- */

#define MEDIA_DECLARATION_LEN 1024

struct media_scan {
	uint8_t missing;         /* continuation bytes still to come */
	uint8_t low, high;       /* range of the next one */
	bool invalid;
	size_t start_len;
	char start[MEDIA_DECLARATION_LEN + 1];  /* the content's first bytes */
};

void media_scan_start(struct media_scan *scan);
void media_scan_add(struct media_scan *scan, const uint8_t *data, size_t len);

/*
 * The content is UTF-8 and, if the type is markup (HTML or XML), does not itself
 * declare another charset ("charset=" or "encoding=" in its first 1024 bytes).
 */
bool media_scan_is_utf8(const struct media_scan *scan, const char *type);
