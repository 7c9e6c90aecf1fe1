/*
 * Conditional requests: http/conditions.h.
 */
#include "http/conditions.h"

#include "http/cursor.h"
#include "http/date.h"

/* One entity tag without its "W/", or no bytes if none comes next. */
static struct http_text take_tag(struct rd *r)
{
	rd_take_text(r, HTTP_TEXT("W/"));

	const uint8_t *const start = r->at;
	if (!rd_take(r, '"'))
		return (struct http_text){ 0 };
	rd_while(r, HTTP_ETAGC);
	if (!rd_take(r, '"'))
		return (struct http_text){ 0 };
	return (struct http_text){ start, (size_t)(r->at - start) };
}

/*
 * RFC 9110, section 5.6.1.2: a recipient MUST accept a reasonable number of empty list
 * elements.  What stands behind the first malformed one is not looked at.
 */
static bool list_has(struct http_text list, struct http_text etag)
{
	struct rd r = rd_text(list);

	if (http_text_equal(list, HTTP_TEXT("*")))
		return true;
	for (;;) {
		do
			rd_skip_ows(&r);
		while (rd_take(&r, ','));

		const struct http_text tag = take_tag(&r);
		if (tag.len == 0)
			return false;
		if (http_text_equal(tag, etag))
			return true;
		rd_skip_ows(&r);
		if (!rd_take(&r, ','))
			return false;
	}
}

bool http_not_modified(const struct http_request *req, struct http_text etag,
    int64_t modified, int64_t now)
{
	int64_t since;

	if (req->none_match_count > 0) {
		for (uint32_t i = 0; i < req->none_match_count; i++) {
			if (list_has(req->none_match[i], etag))
				return true;
		}
		return false;
	}
	if (req->modified_since.at == NULL || req->since_repeated ||
	    modified < 0)
		return false;
	return http_parse_date(req->modified_since, now, &since) &&
	    modified <= since;
}
