/* Contract: lines.h. */
#include "romfs/mkromfs/lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

#include "romfs/mkromfs/memory.h"
#include "romfs/mkromfs/report.h"

void line_error(const struct line *line, const char *why)
{
	const size_t cap = strlen(line->file) + sizeof ":4294967295";
	char *const place = xmalloc(cap);

	snprintf(place, cap, "%s:%u", line->file, line->number);
	report_error(place, "%s", why);
	free(place);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static const char *check(const struct line *line)
{
	for (size_t i = 0; i < line->len; i++) {
		const uint8_t c = (uint8_t)line->at[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return "the line has a control character";
	}
	return u8_check((const uint8_t *)line->at, line->len) == NULL ? NULL :
	    "the line is not UTF-8";
}

/* One line, from start up to its LF or the text's end. */
static void read_line(struct line line, const char *end, line_reader *reader, void *context)
{
	if (end > line.at && end[-1] == '\r')
		end--;
	while (line.at < end && is_blank(*line.at))
		line.at++;
	while (end > line.at && is_blank(end[-1]))
		end--;
	line.len = (size_t)(end - line.at);
	if (line.len == 0 || *line.at == '#')
		return;

	const char *const why = check(&line);
	if (why != NULL)
		line_error(&line, why);
	else
		reader(&line, context);
}

void lines_read(const char *file, const char *text, size_t len, line_reader *reader,
    void *context)
{
	const char *const end = text + len;
	struct line line = { .file = file, .at = text };

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		line.at += 3;
	while (line.at < end) {
		const char *stop = memchr(line.at, '\n', (size_t)(end - line.at));

		if (stop == NULL)
			stop = end;
		line.number++;
		read_line(line, stop, reader, context);
		line.at = stop < end ? stop + 1 : end;
	}
}
