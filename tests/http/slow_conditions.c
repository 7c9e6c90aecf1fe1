/*
 * The slow reference: tests/http/slow_conditions.h.  Dates are read by http/date.c, which
 * has tests of its own.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/date.h"
#include "tests/http/slow_conditions.h"
#include "tests/http/slow_list.h"

/* RFC 9110, section 8.8.3: any byte but controls, blank, quote and DEL */
#define TAG "((W/)?\"[^\x01-\x20\"\x7f]*\")"
#define TEXT 32768

enum truth { ABSENT, TRUE, FALSE };

static char room[4][TEXT];
static char *groups[4] = { room[0], room[1], room[2], room[3] };

/* The field's tags, one after the other, until one is ours or is none. */
static bool names(const struct http_lines *field, struct http_text etag,
    bool strong)
{
	char *const list = slow_join(field);
	char *const ours = strndup((const char *)etag.at, etag.len);
	char *at = list;
	bool found = strcmp(list, "*") == 0;

	assert(strlen(list) < TEXT);
	while (!found && slow_fits("^[ \t,]*" TAG "[ \t]*(,.*)?$", at,
	    groups)) {
		const bool weak = groups[0][0] == 'W';

		found = strcmp(groups[0] + (weak ? 2 : 0), ours) == 0 &&
		    !(weak && strong);
		at += strspn(at, " \t,") + strlen(groups[0]);
		at += strspn(at, " \t");
	}
	free(list);
	free(ours);
	return found;
}

static enum truth if_match(const struct http_request *req,
    struct http_text etag)
{
	if (req->match.count == 0)
		return ABSENT;
	return names(&req->match, etag, true) ? TRUE : FALSE;
}

static enum truth if_none_match(const struct http_request *req,
    struct http_text etag)
{
	if (req->none_match.count == 0)
		return ABSENT;
	return names(&req->none_match, etag, false) ? FALSE : TRUE;
}

static enum truth if_unmodified_since(const struct http_request *req,
    int64_t modified, int64_t now)
{
	int64_t date;

	if (req->unmodified_since.at == NULL || req->unmodified_since_repeated)
		return ABSENT;
	if (!http_parse_date(req->unmodified_since, now, &date))
		return ABSENT;
	if (modified == -1)
		return ABSENT;
	return modified <= date ? TRUE : FALSE;
}

static enum truth if_modified_since(const struct http_request *req,
    int64_t modified, int64_t now)
{
	int64_t date;

	if (req->modified_since.at == NULL || req->modified_since_repeated)
		return ABSENT;
	if (!http_parse_date(req->modified_since, now, &date))
		return ABSENT;
	if (modified == -1)
		return ABSENT;
	return modified <= date ? FALSE : TRUE;
}

enum http_condition slow_check_conditions(const struct http_request *req,
    struct http_text etag, int64_t modified, int64_t now)
{
	const enum truth match = if_match(req, etag);
	const enum truth unmodified = if_unmodified_since(req, modified, now);
	const enum truth none_match = if_none_match(req, etag);
	const enum truth is_modified = if_modified_since(req, modified, now);

	/* Section 13.2.2, step by step */
	if (match == TRUE)
		goto step3;
	if (match == FALSE)
		return HTTP_CONDITION_FAILED;
	if (unmodified == TRUE)
		goto step3;
	if (unmodified == FALSE)
		return HTTP_CONDITION_FAILED;
step3:
	if (none_match == TRUE)
		return HTTP_CONDITION_NONE;
	if (none_match == FALSE)
		return HTTP_CONDITION_NOT_MODIFIED;
	if (is_modified == FALSE)
		return HTTP_CONDITION_NOT_MODIFIED;
	return HTTP_CONDITION_NONE;
}

bool slow_range_applies(const struct http_request *req, struct http_text etag,
    int64_t modified, int64_t now)
{
	const struct http_lines if_range = { 1, { req->if_range } };
	int64_t date;

	if (req->method != HTTP_METHOD_GET || req->range.at == NULL)
		return false;
	if (req->range_repeated)
		return false;
	if (req->if_range.at == NULL)
		return true;
	if (req->if_range_repeated)
		return false;

	char *const value = slow_join(&if_range);
	const bool is_tag = slow_fits("^" TAG "$", value, groups);
	free(value);
	if (is_tag)
		return strlen(groups[0]) == etag.len &&
		    memcmp(groups[0], etag.at, etag.len) == 0;
	if (!http_parse_date(req->if_range, now, &date))
		return false;
	return modified != -1 && date == modified && now >= modified + 1;
}
