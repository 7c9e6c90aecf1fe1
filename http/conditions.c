/*
 * Conditional requests: http/conditions.h.
 */
#include "http/conditions.h"

#include "http/cursor.h"
#include "http/date.h"

struct tag {
	struct http_text opaque;    /* with its quotes */
	bool weak;
};

/* RFC 9110, section 8.8.3; "W/" is case-sensitive. */
static bool take_tag(struct rd *r, struct tag *out)
{
	out->weak = rd_take_text(r, HTTP_TEXT("W/"));

	const uint8_t *const start = r->at;
	if (!rd_take(r, '"'))
		return false;
	rd_while(r, HTTP_ETAGC);
	if (!rd_take(r, '"'))
		return false;
	out->opaque = (struct http_text){ start, (size_t)(r->at - start) };
	return true;
}

/*
 * RFC 9110, section 8.8.3.2: strong comparison wants two strong tags, and ours always is
 * one; weak comparison looks at the opaque part alone.
 */
static bool matches(const struct tag *tag, struct http_text etag, bool strongly)
{
	return !(strongly && tag->weak) && http_text_equal(tag->opaque, etag);
}

/*
 * "*", or a list that has the tag.  "*" is no element of a list; it names any
 * representation, and there is one.  What stands behind the first element that is
 * malformed is not looked at.
 */
static bool list_has(const struct http_lines *field, struct http_text etag,
    bool strongly)
{
	if (field->count == 1 &&
	    http_text_equal(field->line[0], HTTP_TEXT("*")))
		return true;
	for (uint32_t i = 0; i < field->count; i++) {
		struct rd r = rd_text(field->line[i]);

		for (;;) {
			struct tag tag;

			/* Section 5.6.1.2: empty elements do not count. */
			while (rd_sees(&r, ' ') || rd_sees(&r, ',') ||
			    rd_sees(&r, '\t'))
				r.at++;
			if (rd_at_end(&r))
				break;
			if (!take_tag(&r, &tag))
				return false;
			rd_skip_ows(&r);
			if (!rd_at_end(&r) && !rd_sees(&r, ','))
				return false;
			if (matches(&tag, etag, strongly))
				return true;
		}
	}
	return false;
}

/*
 * A condition on the date is there and counts.  Sections 13.1.3 and 13.1.4: it MUST be
 * ignored if it is no valid date, or several, or if nothing is known to compare with.
 */
static bool has_date(struct http_text field, bool repeated, int64_t modified,
    int64_t now, int64_t *date)
{
	return field.at != NULL && !repeated && modified >= 0 &&
	    http_parse_date(field, now, date);
}

enum http_condition http_check_conditions(const struct http_request *req,
    struct http_text etag, int64_t modified, int64_t now)
{
	int64_t date;

	/* RFC 9110, section 13.2.2, steps 1 and 2 */
	if (req->match.count > 0) {
		if (!list_has(&req->match, etag, true))
			return HTTP_CONDITION_FAILED;
	} else if (has_date(req->unmodified_since,
	    req->unmodified_since_repeated, modified, now, &date)) {
		if (modified > date)
			return HTTP_CONDITION_FAILED;
	}
	/* Steps 3 and 4 */
	if (req->none_match.count > 0) {
		if (list_has(&req->none_match, etag, false))
			return HTTP_CONDITION_NOT_MODIFIED;
	} else if (has_date(req->modified_since, req->modified_since_repeated,
	    modified, now, &date)) {
		if (modified <= date)
			return HTTP_CONDITION_NOT_MODIFIED;
	}
	return HTTP_CONDITION_NONE;
}

/* RFC 9110, section 13.1.5.  A value that is neither a tag nor a date is false. */
static bool if_range_holds(const struct http_request *req,
    struct http_text etag, int64_t modified, int64_t now)
{
	struct rd r = rd_text(req->if_range);
	struct tag tag;
	int64_t date;

	if (take_tag(&r, &tag))
		return rd_at_end(&r) && matches(&tag, etag, true);
	/*
	 * Section 8.8.2.2: a date is strong if we know that the representation did not
	 * change twice within its second.  This image never changes, and when that
	 * second is over no other one can be made that bears the same date.
	 */
	return has_date(req->if_range, req->if_range_repeated, modified, now,
	    &date) && date == modified && modified < now;
}

bool http_range_applies(const struct http_request *req, struct http_text etag,
    int64_t modified, int64_t now)
{
	/* Section 14.2: MUST be ignored with another method; two are no list. */
	if (req->method != HTTP_METHOD_GET || req->range.at == NULL ||
	    req->range_repeated)
		return false;
	return req->if_range.at == NULL ||
	    (!req->if_range_repeated &&
	    if_range_holds(req, etag, modified, now));
}
