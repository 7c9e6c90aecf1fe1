/* Contract: head.h. */
#include "romfs/mkromfs/head.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "romfs/mkromfs/memory.h"

/* A field as it will be written; the list is in the order of the lines. */
struct field {
	const char *name;
	const char *value;       /* NULL: removed */
};

struct fields {
	struct field *list;
	size_t count, cap;
	char *vary;              /* owned, if it had to be put together */
};

/* RFC 9110, section 15.4.5: those of the 200 that the 304 has to repeat. */
static const char *const repeated[] = {
	"ETag", "Cache-Control", "Content-Location", "Expires", "Vary",
};

__attribute__((format(printf, 2, 3)))
static void add(struct head *head, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(head->text + head->len, sizeof head->text - head->len,
	    format, args);
	va_end(args);
	ASSERT(len >= 0);
	if ((size_t)len >= sizeof head->text - head->len)
		head->too_long = true;
	else
		head->len = (uint16_t)(head->len + len);
}

/* IMF-fixdate (RFC 9110, section 5.6.7), in English whatever the locale. */
static void write_date(char *out, size_t cap, int64_t at)
{
	static const char days[7][4] = {
		"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat",
	};
	static const char months[12][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun",
		"Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
	};
	const time_t seconds = (time_t)at;
	struct tm tm;

	if (gmtime_r(&seconds, &tm) == NULL || tm.tm_year + 1900 > 9999)
		die("a time of modification is out of range");
	snprintf(out, cap, "%s, %02d %s %04d %02d:%02d:%02d GMT",
	    days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900,
	    tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* ---- The list of fields ---------------------------------------------------- */

static struct field *find_field(const struct fields *fields, const char *name)
{
	for (size_t i = 0; i < fields->count; i++)
		if (strcasecmp(fields->list[i].name, name) == 0)
			return &fields->list[i];
	return NULL;
}

/* Without a value: nothing is put in. */
static void put_field(struct fields *fields, const char *name, const char *value)
{
	if (value == NULL)
		return;
	fields->list = xgrow(fields->list, &fields->cap, fields->count + 1,
	    sizeof *fields->list);
	fields->list[fields->count++] = (struct field){ name, value };
}

/* The list's elements, separated by commas, have this one. */
static bool list_has(const char *list, const char *element)
{
	const size_t len = strlen(element);

	while (*list != '\0') {
		list += strspn(list, ", \t");
		if (strncasecmp(list, element, len) == 0 &&
		    strchr(", \t", list[len]) != NULL)
			return true;
		list += strcspn(list, ",");
	}
	return false;
}

/*
 * RFC 9110, section 12.5.5: what decided about the answer has to be in Vary,
 * whatever else a site says there.
 */
static void put_vary(struct fields *fields, const char *given, bool varies)
{
	static const char ours[] = "Accept-Encoding";
	size_t cap;

	if (!varies || given == NULL) {
		put_field(fields, "Vary", varies ? ours : given);
		return;
	}
	if (list_has(given, "*") || list_has(given, ours)) {
		put_field(fields, "Vary", given);
		return;
	}
	cap = sizeof ours + 2 + strlen(given);
	fields->vary = xmalloc(cap);
	snprintf(fields->vary, cap, "%s, %s", ours, given);
	put_field(fields, "Vary", fields->vary);
}

/* Not for a list: they have a place of their own. */
static bool is_placed(const char *name)
{
	static const char *const placed[] = {
		"Content-Type", "Vary", "Strict-Transport-Security",
	};

	for (size_t i = 0; i < ARRAY_LEN(placed); i++)
		if (strcasecmp(name, placed[i]) == 0)
			return true;
	return false;
}

static void apply_edit(struct fields *fields, const struct header_edit *edit)
{
	struct field *field = find_field(fields, edit->name);

	if (is_placed(edit->name))
		return;
	if (field == NULL)
		put_field(fields, edit->name, edit->value);
	else
		field->value = edit->value;
}

static const struct header_edit *find_edit(const struct header_edits *edits,
    const char *name)
{
	for (size_t i = 0; edits != NULL && i < edits->count; i++)
		if (strcasecmp(edits->edits[i].name, name) == 0)
			return &edits->edits[i];
	return NULL;
}

/* All fields but Content-Length and Content-Type. */
static void make_fields(struct fields *fields, const struct head_facts *facts,
    char *date, size_t date_cap)
{
	const struct header_edit *vary = find_edit(facts->edits, "Vary");

	*fields = (struct fields){ 0 };
	put_field(fields, "Content-Encoding", facts->coding);
	put_field(fields, "Location", facts->location);
	put_field(fields, "ETag", facts->etag);
	if (facts->modified >= 0) {
		write_date(date, date_cap, facts->modified);
		put_field(fields, "Last-Modified", date);
	}
	if (facts->status == 200)
		put_field(fields, "Accept-Ranges", "bytes");
	put_field(fields, "Cache-Control", facts->cache_control);
	put_vary(fields, vary == NULL ? NULL : vary->value, facts->varies);
	/* Browsers shall believe our Content-Type (Fetch standard). */
	put_field(fields, "X-Content-Type-Options", "nosniff");
	put_field(fields, "Referrer-Policy", "strict-origin-when-cross-origin");
	put_field(fields, "Content-Security-Policy", facts->csp);
	for (size_t i = 0; facts->edits != NULL && i < facts->edits->count; i++)
		apply_edit(fields, &facts->edits->edits[i]);
}

static void free_fields(struct fields *fields)
{
	free(fields->vary);
	free(fields->list);
}

/* ---- Heads ----------------------------------------------------------------- */

static bool is_repeated(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(repeated); i++)
		if (strcasecmp(name, repeated[i]) == 0)
			return true;
	return false;
}

static void add_field(struct head *head, const struct field *field, const char *mark)
{
	if (field->value == NULL)
		return;
	add(head, "%s: ", field->name);
	if (strcasecmp(field->name, mark) == 0) {
		head->mark_at = head->len;
		head->mark_len = (uint16_t)strlen(field->value);
	}
	add(head, "%s\r\n", field->value);
}

void head_render(struct head *head, const struct head_facts *facts)
{
	const char *mark = facts->location != NULL ? "Location" : "ETag";
	struct fields fields;
	char date[32];

	head->len = 0;
	head->mark_at = head->mark_len = 0;
	head->too_long = false;
	/* First of all lines, so that an answer with another length can leave it out. */
	add(head, "Content-Length: %llu\r\n", (unsigned long long)facts->body_len);
	head->length_line_len = (uint8_t)head->len;
	add(head, "Content-Type: %s\r\n", facts->content_type);
	head->type_len = (uint16_t)strlen(facts->content_type);
	make_fields(&fields, facts, date, sizeof date);
	for (size_t i = 0; i < fields.count; i++)
		add_field(head, &fields.list[i], mark);
	free_fields(&fields);
	add(head, "\r\n");
}

void head_render_not_modified(struct head *head, const struct head_facts *facts)
{
	struct fields fields;
	char date[32];

	head->len = 0;
	head->too_long = false;
	make_fields(&fields, facts, date, sizeof date);
	for (size_t i = 0; i < fields.count; i++)
		if (is_repeated(fields.list[i].name))
			add_field(head, &fields.list[i], "");
	free_fields(&fields);
	add(head, "\r\n");
}

const char *head_given_type(const struct header_edits *edits)
{
	const struct header_edit *edit = find_edit(edits, "Content-Type");

	return edit == NULL ? NULL : edit->value;
}

bool head_has_hsts(const struct header_edits *edits)
{
	const struct header_edit *edit = find_edit(edits, "Strict-Transport-Security");

	return edit != NULL && edit->value != NULL;
}

/* `digits` characters of 6 bits each from len bytes; bits beyond the end are 0. */
static void write_base64(char *out, size_t digits, const uint8_t *bytes, size_t len,
    const char *last_two)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

	for (size_t i = 0; i < digits; i++) {
		const size_t bit = 6 * i;
		const unsigned high = bytes[bit / 8];
		const unsigned low = bit / 8 + 1 < len ? bytes[bit / 8 + 1] : 0;
		const unsigned digit = ((high << 8 | low) >> (10 - bit % 8)) & 63;

		out[i] = digit < 62 ? alphabet[digit] : last_two[digit - 62];
	}
}

void head_etag(char out[ETAG_CAP], const uint8_t digest[SHA256_LEN])
{
	/* 22 characters hold 128 bits. */
	write_base64(out + 1, 22, digest, 16, "-_");
	out[0] = out[23] = '"';
	out[24] = '\0';
}

void head_digest_line(char out[ROM_DIGEST_LINE_LEN], const uint8_t digest[SHA256_LEN])
{
	static const char begin[] = "Repr-Digest: sha-256=:", end[] = "=:\r\n";
	const size_t at = sizeof begin - 1;

	_Static_assert(sizeof begin - 1 + 43 + sizeof end - 1 == ROM_DIGEST_LINE_LEN,
	    "43 digits and a '=' are 256 bits");
	memcpy(out, begin, at);
	write_base64(out + at, 43, digest, SHA256_LEN, "+/");
	memcpy(out + at + 43, end, sizeof end - 1);
}
