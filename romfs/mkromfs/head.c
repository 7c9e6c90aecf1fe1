/* Contract: head.h. */
#include "romfs/mkromfs/head.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "config/limits.h"
#include "romfs/mkromfs/memory.h"

_Static_assert(HEAD_CAP >= LIMIT_TARGET_LEN + 512, "a redirect's head fits");

const char page_not_found[] =
	"<!DOCTYPE html>\n"
	"<html lang=\"en\">\n"
	"<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<meta name=\"color-scheme\" content=\"light dark\">\n"
	"<title>Not found</title>\n"
	"<style>\n"
	"body { margin: 0; min-height: 100vh; display: grid; place-content: center;\n"
	"  font: 1.125rem/1.6 system-ui, sans-serif; text-align: center; padding: 1rem;\n"
	"  box-sizing: border-box }\n"
	"h1 { font-size: clamp(4rem, 20vw, 8rem); line-height: 1; margin: 0;\n"
	"  letter-spacing: .04em; opacity: .25 }\n"
	"p { margin: 1rem 0 0 }\n"
	"</style>\n"
	"<h1>404</h1>\n"
	"<p>There is no page at this address.</p>\n"
	"<p><a href=\"/\">Go to the start page</a></p>\n";

__attribute__((format(printf, 2, 3)))
static void add(struct head *head, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(head->text + head->len, HEAD_CAP - head->len, format, args);
	va_end(args);
	ASSERT(len >= 0 && (size_t)len < HEAD_CAP - head->len);
	head->len += (uint32_t)len;
}

/* Browsers shall believe our Content-Type (Fetch standard, "X-Content-Type-Options"). */
static void end(struct head *head)
{
	add(head, "X-Content-Type-Options: nosniff\r\n\r\n");
}

static void add_etag(struct head *head, const uint8_t digest[SHA256_LEN])
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	char tag[ETAG_LEN + 1] = "\"";

	/* 22 characters of 6 bits hold 128 bits; the last has 4 bits of padding. */
	for (size_t i = 0; i < ETAG_LEN - 2; i++) {
		const size_t bit = 6 * i;
		const unsigned high = digest[bit / 8];
		const unsigned low = bit / 8 + 1 < 16 ? digest[bit / 8 + 1] : 0;

		tag[1 + i] = alphabet[((high << 8 | low) >> (10 - bit % 8)) & 63];
	}
	tag[ETAG_LEN - 1] = '"';
	add(head, "ETag: ");
	head->etag_at = (uint16_t)head->len;
	head->etag_len = ETAG_LEN;
	add(head, "%s\r\n", tag);
}

/* IMF-fixdate (RFC 9110, section 5.6.7), in English whatever the locale. */
static void add_last_modified(struct head *head, int64_t modified)
{
	static const char days[7][4] = {
		"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat",
	};
	static const char months[12][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun",
		"Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
	};
	const time_t seconds = (time_t)modified;
	struct tm tm;

	if (gmtime_r(&seconds, &tm) == NULL)
		die("a time of modification is out of range");
	add(head, "Last-Modified: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n",
	    days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900,
	    tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* First of all lines, so that an answer with another length can leave it out. */
static void begin(struct head *head, const char *content_type, uint64_t body_len)
{
	head->len = 0;
	head->etag_at = 0;
	head->etag_len = 0;
	add(head, "Content-Length: %llu\r\nContent-Type: %s\r\n",
	    (unsigned long long)body_len, content_type);
}

void head_content_type(char *out, size_t cap, const char *type, bool is_utf8)
{
	snprintf(out, cap, "%s%s", type, is_utf8 ? "; charset=utf-8" : "");
}

void head_file(struct head *head, const char *content_type, uint64_t body_len,
    int64_t modified, const uint8_t digest[SHA256_LEN])
{
	begin(head, content_type, body_len);
	add_etag(head, digest);
	add_last_modified(head, modified);
	end(head);
}

void head_not_modified(struct head *head, const uint8_t digest[SHA256_LEN])
{
	head->len = 0;
	add_etag(head, digest);
	add(head, "\r\n");
}

void head_not_found(struct head *head, const char *content_type, uint64_t body_len)
{
	begin(head, content_type, body_len);
	end(head);
}

char *head_redirect(struct head *head, const char *url)
{
	static const char page[] =
	    "<!DOCTYPE html>\n"
	    "<html lang=\"en\">\n"
	    "<meta charset=\"utf-8\">\n"
	    "<title>Moved</title>\n"
	    "<p>This page is at <a href=\"%s\">%s</a>.</p>\n";
	const size_t cap = sizeof page + 2 * strlen(url);
	char *body = xmalloc(cap);

	snprintf(body, cap, page, url, url);
	begin(head, PAGE_CONTENT_TYPE, strlen(body));
	add(head, "Location: %s\r\n", url);
	end(head);
	return body;
}
