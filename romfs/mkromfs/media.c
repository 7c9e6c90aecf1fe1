/* Contract: media.h. */
#define _GNU_SOURCE 1  /* strcasestr */
#include "romfs/mkromfs/media.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "romfs/mkromfs/memory.h"
#include "romfs/mkromfs/report.h"

struct ending {
	char *text;              /* without the dot */
	char *type;
	size_t line;             /* the first one wins */
};

struct media_table {
	struct ending *endings;  /* sorted by text, each once */
	size_t count, cap;
};

static int compare_endings(const void *a, const void *b)
{
	const struct ending *ea = a, *eb = b;
	const int order = strcasecmp(ea->text, eb->text);

	return order != 0 ? order : (ea->line > eb->line) - (ea->line < eb->line);
}

static bool is_type(const char *type)
{
	const char *slash = strchr(type, '/');

	if (slash == NULL || slash == type || slash[1] == '\0' ||
	    strlen(type) > MEDIA_TYPE_CAP)
		return false;
	for (; *type != '\0'; type++)
		if (!isalnum((unsigned char)*type) &&
		    strchr("/!#$&-^_.+", *type) == NULL)
			return false;
	return true;
}

/* "type ending ending ..."; '#' starts a comment. */
static void read_line(struct media_table *table, char *line, size_t number)
{
	static const char blank[] = " \t\r\n";
	char *rest = NULL;
	const char *type, *text;

	line[strcspn(line, "#")] = '\0';
	type = strtok_r(line, blank, &rest);
	if (type == NULL || !is_type(type))
		return;
	while ((text = strtok_r(NULL, blank, &rest)) != NULL) {
		table->endings = xgrow(table->endings, &table->cap,
		    table->count + 1, sizeof *table->endings);
		table->endings[table->count++] = (struct ending){
			xstrdup(text), xstrdup(type), number,
		};
	}
}

struct media_table *media_load(const char *file)
{
	struct media_table *table;
	FILE *in = fopen(file, "r");
	char *line = NULL;
	size_t cap = 0, number = 0, kept = 0;

	if (in == NULL) {
		report_error(file, "%s; the table of content types is in Debian's "
		    "package media-types", strerror(errno));
		return NULL;
	}
	table = xmalloc(sizeof *table);
	*table = (struct media_table){ 0 };
	while (getline(&line, &cap, in) >= 0)
		read_line(table, line, ++number);
	free(line);
	if (ferror(in) || table->count == 0) {
		report_error(file, "no table of content types");
		fclose(in);
		return NULL;
	}
	fclose(in);
	qsort(table->endings, table->count, sizeof *table->endings, compare_endings);
	for (size_t i = 1; i < table->count; i++)
		if (strcasecmp(table->endings[kept].text, table->endings[i].text) != 0)
			table->endings[++kept] = table->endings[i];
	table->count = kept + 1;
	return table;
}

const char *media_type(const struct media_table *table, const char *name)
{
	const char *dot = name;

	while ((dot = strchr(dot, '.')) != NULL) {
		const struct ending key = { .text = (char *)++dot };
		size_t low = 0, high = table->count;

		while (low < high) {
			const size_t middle = low + (high - low) / 2;

			if (compare_endings(&table->endings[middle], &key) < 0)
				low = middle + 1;
			else
				high = middle;
		}
		if (low < table->count &&
		    strcasecmp(table->endings[low].text, key.text) == 0)
			return table->endings[low].type;
	}
	return "application/octet-stream";
}

/* Of a type without its parameters. */
static size_t essence_len(const char *type)
{
	return strcspn(type, "; \t");
}

static bool ends_with(const char *type, const char *end)
{
	const size_t len = essence_len(type), end_len = strlen(end);

	return len >= end_len && strncasecmp(type + len - end_len, end, end_len) == 0;
}

bool media_is(const char *type, const char *other)
{
	const size_t len = essence_len(type);

	return len == strlen(other) && strncasecmp(type, other, len) == 0;
}

bool media_is_html(const char *type)
{
	return media_is(type, "text/html") || media_is(type, "application/xhtml+xml");
}

static bool is_markup(const char *type)
{
	return media_is(type, "text/html") || ends_with(type, "/xml") ||
	    ends_with(type, "+xml");
}

bool media_is_text(const char *type)
{
	return strncasecmp(type, "text/", 5) == 0 || is_markup(type) ||
	    ends_with(type, "/javascript") || ends_with(type, "/json") ||
	    ends_with(type, "+json");
}

void media_scan_start(struct media_scan *scan)
{
	*scan = (struct media_scan){ 0 };
}

/* Unicode 15, table 3-7: what may follow each first byte. */
static void scan_first(struct media_scan *scan, uint8_t byte)
{
	scan->low = 0x80;
	scan->high = 0xbf;
	if (byte < 0x80)
		return;
	if (byte >= 0xc2 && byte <= 0xdf) {
		scan->missing = 1;
	} else if (byte >= 0xe0 && byte <= 0xef) {
		scan->missing = 2;
		scan->low = byte == 0xe0 ? 0xa0 : 0x80;
		scan->high = byte == 0xed ? 0x9f : 0xbf;
	} else if (byte >= 0xf0 && byte <= 0xf4) {
		scan->missing = 3;
		scan->low = byte == 0xf0 ? 0x90 : 0x80;
		scan->high = byte == 0xf4 ? 0x8f : 0xbf;
	} else {
		scan->invalid = true;
	}
}

void media_scan_add(struct media_scan *scan, const uint8_t *data, size_t len)
{
	size_t i = 0;

	if (scan->start_len < MEDIA_DECLARATION_LEN) {
		const size_t room = MEDIA_DECLARATION_LEN - scan->start_len;
		const size_t taken = len < room ? len : room;

		memcpy(scan->start + scan->start_len, data, taken);
		scan->start_len += taken;
	}
	while (i < len && !scan->invalid) {
		if (scan->missing == 0 && len - i >= 8 &&
		    (load_le64(data + i) & 0x8080808080808080u) == 0) {
			i += 8;
			continue;
		}
		if (scan->missing == 0) {
			scan_first(scan, data[i++]);
			continue;
		}
		if (data[i] < scan->low || data[i] > scan->high)
			scan->invalid = true;
		scan->low = 0x80;
		scan->high = 0xbf;
		scan->missing--;
		i++;
	}
}

/* Somewhere `word`, '=' and the name of something else than UTF-8 follow each other. */
static bool declares_other(const char *text, const char *word)
{
	while ((text = strcasestr(text, word)) != NULL) {
		text += strlen(word);
		text += strspn(text, " \t\r\n");
		if (*text != '=')
			continue;
		text++;
		text += strspn(text, " \t\r\n\"'");
		if (strncasecmp(text, "utf-8", 5) != 0 &&
		    strncasecmp(text, "utf8", 4) != 0)
			return true;
	}
	return false;
}

bool media_scan_is_utf8(const struct media_scan *scan, const char *type)
{
	char start[MEDIA_DECLARATION_LEN + 1];

	if (scan->invalid || scan->missing != 0)
		return false;
	if (!is_markup(type))
		return true;
	/* A NUL must not hide what follows it. */
	for (size_t i = 0; i < scan->start_len; i++)
		start[i] = scan->start[i] == '\0' ? ' ' : scan->start[i];
	start[scan->start_len] = '\0';
	return !declares_other(start, "charset") && !declares_other(start, "encoding");
}
