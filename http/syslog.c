/*
 * Syslog messages: http/syslog.h.
 */
#include "http/syslog.h"

#include "http/date.h"
#include "net/text.h"

#define PRI_AND_VERSION "<134>1 "
#define APP_TO_DATA " stele - access - "
#define HOST_MAX 255       /* RFC 5424, section 6: HOSTNAME */

_Static_assert(sizeof PRI_AND_VERSION + HTTP_TIMESTAMP_LEN + 1 + HOST_MAX +
    sizeof APP_TO_DATA + sizeof "..." <= HTTP_SYSLOG_HEAD_CAP,
    "the head fits, and the mark of a line that is cut");

/* RFC 5424, section 6: what is not known is "-". */
static void add_time(struct text *t, uint64_t time_ms)
{
	uint8_t timestamp[HTTP_TIMESTAMP_LEN];

	if (time_ms == 0) {
		text_add_char(t, '-');
		return;
	}
	http_format_timestamp(time_ms, timestamp);
	for (size_t i = 0; i < sizeof timestamp; i++)
		text_add_char(t, (char)timestamp[i]);
}

/* PRINTUSASCII alone: a blank would end the field. */
static void add_host(struct text *t, struct http_text host)
{
	if (host.len == 0)
		text_add_char(t, '-');
	for (size_t i = 0; i < host.len && i < HOST_MAX; i++) {
		const bool good = host.at[i] > 0x20 && host.at[i] < 0x7f;

		text_add_char(t, good ? (char)host.at[i] : '?');
	}
}

size_t http_format_syslog(const struct http_syslog_entry *entry, char *out,
    size_t cap)
{
	struct text t = text_start(out, cap);
	struct http_text line = entry->line;
	bool is_cut;

	ASSERT(cap > HTTP_SYSLOG_HEAD_CAP);
	text_add(&t, PRI_AND_VERSION);
	add_time(&t, entry->time_ms);
	text_add_char(&t, ' ');
	add_host(&t, entry->host);
	text_add(&t, APP_TO_DATA);

	if (line.len > 0 && line.at[line.len - 1] == '\n')
		line.len--;
	is_cut = line.len > cap - t.len;
	if (is_cut)
		line.len = cap - t.len - 3;
	__builtin_memcpy(out + t.len, line.at, line.len);
	t.len += line.len;
	if (is_cut)
		text_add(&t, "...");
	return t.len;
}
