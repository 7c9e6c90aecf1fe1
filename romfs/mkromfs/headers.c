/* Contract: headers.h.  Names that are refused are in headers_refused.c. */
#include "romfs/mkromfs/headers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "romfs/mkromfs/headers_refused.h"
#include "romfs/mkromfs/lines.h"
#include "romfs/mkromfs/memory.h"
#include "romfs/mkromfs/pattern.h"
#include "romfs/rules.h"

/* One line of a block: a field, or (value.at NULL) the removal of one. */
struct field {
	unsigned line;
	bool is_reported;        /* that it collides with another rule's */
	char *name;
	struct rule_bytes value; /* NUL k stands for capture k */
};

struct block {
	unsigned line;
	struct rule_bytes pattern;
	struct field *fields;
	size_t count, cap;
};

struct header_rules {
	char *file;
	struct block *blocks;
	size_t count, cap;
	struct rule_names names; /* of the block that is being read */
	bool skips;              /* the path was an error: its fields are not read */
	bool has_error;          /* the block has one, so nothing is said about its being empty */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* ---- Reading ------------------------------------------------------------- */

static char *copy_text(const char *at, size_t len)
{
	char *const copy = xmalloc(len + 1);

	memcpy(copy, at, len);
	copy[len] = '\0';
	return copy;
}

/* RFC 9110, section 5.6.2. */
static bool is_token(const char *at, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		const char c = at[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') ||
		    (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL)))
			return false;
	}
	return len > 0;
}

/* Put marks in the place of placeholders that the pattern has; others are text. */
static struct rule_bytes read_value(const struct rule_names *names, const char *at,
    size_t len)
{
	struct rule_bytes out = { .at = xmalloc(len + 1) };

	for (size_t i = 0; i < len; ) {
		const size_t name = pattern_placeholder_len(at + i, len - i);
		const size_t which = name == 0 ? 0 :
		    pattern_find_name(names, at + i + 1, name - 1);

		if (which == 0) {
			out.at[out.len++] = (uint8_t)at[i++];
			continue;
		}
		out.at[out.len++] = 0;
		out.at[out.len++] = (uint8_t)which;
		i += name;
	}
	return out;
}

static const char *read_block(struct header_rules *rules, const struct line *line)
{
	struct rule_bytes pattern;

	rules->names.count = 0;
	if (memchr(line->at, ' ', line->len) != NULL ||
	    memchr(line->at, '\t', line->len) != NULL)
		return "a path has no blanks; write \"%20\" for a space, and put fields and "
		    "comments on lines of their own";
	if (memchr(line->at, '?', line->len) != NULL)
		return "a path has no '?': fields are the same whatever the query is";
	const char *const why = pattern_read_source(&pattern, &rules->names, line->at,
	    line->len, STAR_FOLDER);
	if (why != NULL) {
		free(pattern.at);
		return why;
	}
	/* A '/' at the end does not matter: headers_for() asks without, too. */
	if (pattern.len > 1 && pattern.at[pattern.len - 1] == '/' &&
	    memchr(line->at, '*', line->len) == NULL)
		pattern.len--;
	rules->blocks = xgrow(rules->blocks, &rules->cap, rules->count + 1,
	    sizeof *rules->blocks);
	rules->blocks[rules->count++] =
	    (struct block){ .line = line->number, .pattern = pattern };
	return NULL;
}

/* name is what stands before the ':', or behind the '!'. */
static const char *check_name(const struct block *block, const char *name, size_t len,
    bool is_removal)
{
	if (len == 0)
		return is_removal ? "the name of a field is missing behind '!'" :
		    "the name of a field is missing before ':'";
	if (!is_token(name, len))
		return "the name of a field has only letters, digits and !#$%&'*+-.^_`|~ "
		    "(RFC 9110, section 5.6.2)";
	const char *const why = headers_refused(name, len, is_removal);
	if (why != NULL || is_removal || !headers_is_single(name, len))
		return why;
	for (size_t i = 0; i < block->count; i++) {
		const struct field *const other = &block->fields[i];

		if (other->value.at != NULL && strlen(other->name) == len &&
		    strncasecmp(other->name, name, len) == 0)
			return "this field cannot be given twice: it has one value";
	}
	return NULL;
}

/* RFC 9110, section 8.3.1: the reader, and parts of a multipart answer, rely on it. */
static const char *check_value(const char *name, size_t len, const char *at,
    const char *end)
{
	static const char type[] = "Content-Type";

	if (len != sizeof type - 1 || strncasecmp(name, type, len) != 0)
		return NULL;
	for (; at < end; at++) {
		if (*at < ' ' || *at > '~')
			return "a content type has only ASCII characters, and no tabs";
	}
	return NULL;
}

static const char *read_field(struct header_rules *rules, const struct line *line)
{
	struct block *const block = &rules->blocks[rules->count - 1];
	const char *const end = line->at + line->len;
	const char *const colon = memchr(line->at, ':', line->len);
	const bool is_removal = *line->at == '!';
	const char *name = line->at + is_removal;
	const char *name_end = colon != NULL ? colon : end;
	const char *value = colon != NULL ? colon + 1 : end;

	if (is_removal && colon != NULL)
		return "what removes a field has no value: ! Name";
	if (!is_removal && colon == NULL)
		return "a line is a path, \"Name: value\", or \"! Name\"";
	while (name < name_end && is_blank(*name))
		name++;
	while (value < end && is_blank(*value))
		value++;

	const size_t len = (size_t)(name_end - name);
	const char *why = check_name(block, name, len, is_removal);
	if (why == NULL)
		why = check_value(name, len, value, end);
	if (why != NULL)
		return why;
	if (!is_removal && value == end)
		return "the value is missing behind ':'; \"! Name\" removes a field";
	block->fields = xgrow(block->fields, &block->cap, block->count + 1,
	    sizeof *block->fields);
	block->fields[block->count++] = (struct field){
		.line = line->number,
		.name = copy_text(name, len),
		.value = is_removal ? (struct rule_bytes){ 0 } :
		    read_value(&rules->names, value, (size_t)(end - value)),
	};
	return NULL;
}

/* Letters and "://": a URL, which is no field's name. */
static bool is_url(const struct line *line)
{
	size_t n = 0;

	while (n < line->len && ((line->at[n] | 0x20) >= 'a' && (line->at[n] | 0x20) <= 'z'))
		n++;
	return n > 0 && line->len - n >= 3 && memcmp(line->at + n, "://", 3) == 0;
}

static void check_block(const struct header_rules *rules)
{
	const struct block *last;

	if (rules->count == 0 || rules->has_error)
		return;
	last = &rules->blocks[rules->count - 1];
	if (last->count == 0)
		line_error(&(struct line){ .file = rules->file, .number = last->line },
		    "the path has no fields; indent them below it");
}

static void read_line(const struct line *line, void *context)
{
	struct header_rules *const rules = context;
	const char *why = NULL;

	if (*line->at == '/') {
		check_block(rules);
		why = read_block(rules, line);
		rules->skips = rules->has_error = why != NULL;
	} else if (is_url(line)) {
		check_block(rules);
		rules->skips = rules->has_error = true;
		why = "a path has no host: fields are the same for every name of the site; "
		    "give a name that answers otherwise a folder of its own in SITES";
	} else if (rules->skips) {
		return;
	} else if (rules->count == 0) {
		why = "a path has to come before fields";
	} else {
		why = read_field(rules, line);
		rules->has_error |= why != NULL;
	}
	if (why != NULL)
		line_error(line, why);
}

struct header_rules *headers_read(const char *name, const char *text, size_t len)
{
	struct header_rules *const rules = xmalloc(sizeof *rules);

	*rules = (struct header_rules){ .file = xstrdup(name) };
	lines_read(name, text, len, read_line, rules);
	check_block(rules);
	return rules;
}

void headers_free(struct header_rules *rules)
{
	if (rules == NULL)
		return;
	for (size_t i = 0; i < rules->count; i++) {
		struct block *const block = &rules->blocks[i];

		for (size_t k = 0; k < block->count; k++) {
			free(block->fields[k].name);
			free(block->fields[k].value.at);
		}
		free(block->fields);
		free(block->pattern.at);
	}
	free(rules->blocks);
	free(rules->file);
	free(rules);
}

/* ---- Asking -------------------------------------------------------------- */

/* A '/' at the end of a path does not matter. */
static bool matches(const struct block *block, const uint8_t *path, size_t len,
    struct romfs_capture *captures)
{
	const struct romfs_pattern pattern = { block->pattern.at, block->pattern.len };
	uint8_t count = 0;

	if (romfs_match_path(pattern, path, len, captures, &count))
		return true;
	count = 0;
	return len > 1 && path[len - 1] == '/' &&
	    romfs_match_path(pattern, path, len - 1, captures, &count);
}

/*
 * The value with its captures, percent-encoded as in a URL: the name of a file may hold bytes
 * that no field may.  Without blanks around it; empty if the captures were all it had.
 */
static char *expand(const struct rule_bytes *value, const struct romfs_capture *captures)
{
	size_t cap = value->len + 1;
	uint8_t *out;
	size_t len = 0, start;

	for (size_t i = 0; i < value->len; i++) {
		if (value->at[i] == 0)
			cap += 3 * captures[value->at[++i] - 1].len;
	}
	out = xmalloc(cap);
	for (size_t i = 0; i < value->len; i++) {
		const struct romfs_capture *capture;

		if (value->at[i] != 0) {
			out[len++] = value->at[i];
			continue;
		}
		capture = &captures[value->at[++i] - 1];
		for (size_t k = 0; k < capture->len; k++) {
			if (capture->at[k] != '?') {
				len += pattern_put_uri(out + len, capture->at[k]);
				continue;
			}
			memcpy(out + len, "%3F", 3);
			len += 3;
		}
	}
	while (len > 0 && is_blank((char)out[len - 1]))
		len--;
	out[len] = '\0';
	start = 0;
	while (is_blank((char)out[start]))
		start++;
	memmove(out, out + start, len - start + 1);
	return (char *)out;
}

static struct header_edit *find_edit(struct header_edits *out, const char *name)
{
	for (size_t i = 0; i < out->count; i++) {
		if (strcasecmp(out->edits[i].name, name) == 0)
			return &out->edits[i];
	}
	out->edits = xgrow(out->edits, &out->cap, out->count + 1, sizeof *out->edits);
	out->edits[out->count] = (struct header_edit){ .name = name };
	return &out->edits[out->count++];
}

static void set(struct header_edit *edit, char *value)
{
	char *const old = (char *)(uintptr_t)edit->value;

	if (old != NULL && value != NULL) {
		const size_t cap = strlen(old) + strlen(value) + sizeof ", ";
		char *const both = xmalloc(cap);

		snprintf(both, cap, "%s, %s", old, value);
		free(value);
		value = both;
	}
	free(old);
	edit->value = value;
}

static void report_twice(const struct header_rules *rules, struct field *field)
{
	if (!field->is_reported)
		line_error(&(struct line){ .file = rules->file, .number = field->line },
		    "another rule gives the same path this field, which has one value; write "
		    "\"! Name\" before it to replace the other's");
	field->is_reported = true;
}

/* A value that is empty is not given. */
static void give(const struct header_rules *rules, struct field *field, char *value,
    struct header_edits *out)
{
	struct header_edit *edit;

	if (value[0] == '\0') {
		free(value);
		return;
	}
	edit = find_edit(out, field->name);
	if (edit->value != NULL && headers_is_single(field->name, strlen(field->name))) {
		report_twice(rules, field);
		free(value);
		return;
	}
	set(edit, value);
}

/* What a block removes goes before what it sets, wherever it stands in it. */
static void apply(const struct header_rules *rules, const struct block *block,
    const struct romfs_capture *captures, struct header_edits *out)
{
	for (size_t i = 0; i < block->count; i++) {
		if (block->fields[i].value.at == NULL)
			set(find_edit(out, block->fields[i].name), NULL);
	}
	for (size_t i = 0; i < block->count; i++) {
		struct field *const field = &block->fields[i];

		if (field->value.at != NULL)
			give(rules, field, expand(&field->value, captures), out);
	}
}

void headers_for(const struct header_rules *rules, const uint8_t *path, size_t len,
    struct header_edits *out)
{
	struct romfs_capture captures[ROM_CAPTURE_CAP];

	*out = (struct header_edits){ 0 };
	if (rules == NULL)
		return;
	for (size_t i = 0; i < rules->count; i++) {
		if (matches(&rules->blocks[i], path, len, captures))
			apply(rules, &rules->blocks[i], captures, out);
	}
}

void header_edits_free(struct header_edits *edits)
{
	for (size_t i = 0; i < edits->count; i++)
		free((char *)(uintptr_t)edits->edits[i].value);
	free(edits->edits);
	*edits = (struct header_edits){ 0 };
}
