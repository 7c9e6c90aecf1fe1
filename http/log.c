/*
 * The access log's lines: http/log.h.
 */
#include "http/log.h"

#include "config/limits.h"
#include "http/date.h"
#include "net/text.h"

/* The address, the fixed parts and two numbers, with room to spare. */
#define LOG_REST_LEN 160

_Static_assert(LIMIT_LOG_LINE_LEN + 2 * LIMIT_LOG_FIELD_LEN + LOG_REST_LEN <=
    HTTP_LOG_LINE_CAP, "the longest line fits, so nothing is ever cut silently");

static bool is_shown(uint8_t c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* A quoted text of a stranger's; cap counts characters of the log. */
static void add_quoted(struct text *t, struct http_text text, size_t cap)
{
	static const char digits[] = "0123456789ABCDEF";
	const size_t start = t->len + 1;

	text_add(t, " \"");
	if (text.len == 0)
		text_add_char(t, '-');
	for (size_t i = 0; i < text.len; i++) {
		const uint8_t c = text.at[i];

		if (t->len - start + sizeof "\\xNN..." > cap) {
			text_add(t, "...");
			break;
		}
		if (is_shown(c)) {
			text_add_char(t, (char)c);
			continue;
		}
		text_add(t, "\\x");
		text_add_char(t, digits[c >> 4]);
		text_add_char(t, digits[c & 15]);
	}
	text_add_char(t, '"');
}

size_t http_format_log(const struct http_log_entry *entry, char *out)
{
	struct text t = text_start(out, HTTP_LOG_LINE_CAP);

	if (entry->peer->is_ipv6)
		text_add_ipv6(&t, entry->peer->addr);
	else
		text_add_ipv4(&t, entry->peer->addr);
	text_add(&t, " - - [");
	for (size_t i = 0; i < HTTP_LOG_DATE_LEN; i++)
		text_add_char(&t, (char)entry->date[i]);
	text_add_char(&t, ']');
	add_quoted(&t, entry->line, LIMIT_LOG_LINE_LEN);
	text_add_char(&t, ' ');
	text_add_u64(&t, entry->status);
	text_add_char(&t, ' ');
	text_add_u64(&t, entry->body_len);
	add_quoted(&t, entry->referer, LIMIT_LOG_FIELD_LEN);
	add_quoted(&t, entry->user_agent, LIMIT_LOG_FIELD_LEN);
	text_add_char(&t, '\n');
	return t.len;
}
