/*
 * Reading the command line: http/settings.h.
 */
#include "http/settings.h"

#include "http/cursor.h"

#define STATS_MAX_S 86400

static bool read_seconds(struct rd r, uint32_t *out)
{
	uint32_t value = 0;
	uint8_t c;

	while (rd_take_class(&r, HTTP_DIGIT, &c)) {
		value = value * 10 + (c - '0');
		if (value > STATS_MAX_S)
			return false;
	}
	if (!rd_at_end(&r) || value == 0)
		return false;
	*out = value;
	return true;
}

/* One word; returns as http_read_settings(). */
static const char *read_word(struct http_text word, struct http_settings *out)
{
	struct rd r = rd_text(word);

	if (rd_take_text(&r, HTTP_TEXT("log="))) {
		const struct http_text value = { r.at, rd_left(&r) };

		if (http_text_equal(value, HTTP_TEXT("off")))
			out->log = false;
		else if (http_text_equal(value, HTTP_TEXT("on")))
			out->log = true;
		else
			return "log= takes on or off; the access log is on";
	} else if (rd_take_text(&r, HTTP_TEXT("stats="))) {
		if (!read_seconds(r, &out->stats_s))
			return "stats= takes 1 to 86400 seconds; there will be none";
	}
	return NULL;
}

const char *http_read_settings(const char *cmdline, struct http_settings *out)
{
	const char *complaint = NULL;

	*out = (struct http_settings){ .log = true };
	while (*cmdline != 0) {
		const char *end = cmdline;

		while (*end != 0 && *end != ' ')
			end++;
		const char *const said = read_word((struct http_text){
		    (const uint8_t *)cmdline, (size_t)(end - cmdline) }, out);
		if (said != NULL)
			complaint = said;
		cmdline = *end == 0 ? end : end + 1;
	}
	return complaint;
}
