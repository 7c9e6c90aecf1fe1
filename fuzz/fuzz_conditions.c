/* links: tests/host_panic.c tests/http/slow_conditions.c tests/http/slow_list.c
 * http/conditions.c http/request.c http/authority.c http/date.c http/chars.c */
/*
 * Conditions: any field lines, read by the request parser, against the slow twin.  The
 * first byte chooses what is known of the representation; each LF behind it stands
 * for CRLF.
 */
#include <stdlib.h>
#include <string.h>

#include "http/conditions.h"
#include "tests/http/slow_conditions.h"

#define DATE 784111777   /* Sun, 06 Nov 1994 08:49:37 GMT */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(bool good)
{
	if (!good)
		abort();
}

static void put(uint8_t *head, size_t *at, const void *bytes, size_t len)
{
	memcpy(head + *at, bytes, len);
	*at += len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const int64_t modified[] = { DATE, DATE - 1, DATE + 1, -1, 0 };
	static const int64_t now[] = { DATE, DATE + 1, 1900000000 };
	static const struct http_text tags[] = {
		HTTP_TEXT("\"a\""), HTTP_TEXT("\"\""), HTTP_TEXT("\"a,b\""),
		HTTP_TEXT("\"W/\""),
	};
	const char *const start = len > 0 && *data >= 240 ?
	    "HEAD / HTTP/1.1\r\nHost:\r\n" : "GET / HTTP/1.1\r\nHost:\r\n";
	struct http_request req;
	size_t at = 0;

	if (len == 0 || len > 4096)
		return 0;
	uint8_t *const head = malloc(2 * len + 64);
	check(head != NULL);
	put(head, &at, start, strlen(start));
	for (size_t i = 1; i < len; i++) {
		if (data[i] == '\n')
			put(head, &at, "\r\n", 2);
		else
			put(head, &at, data + i, 1);
	}
	put(head, &at, "\r\n\r\n", 4);
	if (http_parse_request(head, at, &req) == HTTP_OK) {
		const uint8_t pick = *data % 60;
		const struct http_text etag = tags[pick % 4];
		const int64_t known = modified[pick / 4 % 5];
		const int64_t time = now[pick / 20];

		check(http_check_conditions(&req, etag, known, time) ==
		    slow_check_conditions(&req, etag, known, time));
		check(http_range_applies(&req, etag, known, time) ==
		    slow_range_applies(&req, etag, known, time));
	}
	free(head);
	return 0;
}
