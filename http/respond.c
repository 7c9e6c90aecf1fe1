/*
 * The responder: http/respond.h.
 */
#include "http/respond.h"

#include "http/accept.h"
#include "http/acme.h"
#include "http/authority.h"
#include "http/conditions.h"
#include "http/path.h"
#include "http/range.h"
#include "http/redirect.h"

#define NO_TEXT ((struct http_text){ 0 })

/* romfs.h says so. */
#define DIGEST_LINE_LEN 69u

#define CONTENT_RANGE "Content-Range: bytes "
#define CONTENT_LENGTH "Content-Length: "
#define MULTIPART "Content-Type: multipart/byteranges; boundary="
#define NUMBER_CAP 20u      /* digits of the largest */

_Static_assert(HTTP_BEGIN_CAP + HTTP_HSTS_CAP + DIGEST_LINE_LEN +
    sizeof CONTENT_RANGE "-/\r\n" + sizeof CONTENT_LENGTH "\r\n" +
    4 * NUMBER_CAP <= HTTP_PREFIX_CAP, "the prefix of a range fits");
_Static_assert(HTTP_BEGIN_CAP + HTTP_HSTS_CAP + DIGEST_LINE_LEN +
    sizeof CONTENT_LENGTH "\r\n" + NUMBER_CAP + sizeof MULTIPART "\r\n" +
    HTTP_BOUNDARY_CAP <= HTTP_PREFIX_CAP, "and that of several");

static bool is_get(const struct http_request *req)
{
	return req->method == HTTP_METHOD_GET;
}

/* ---- Representations --------------------------------------------------------- */

/* All of `body`, or nothing after HEAD. */
static void end_with(const struct http_request *req, struct http_text head,
    struct http_text body, struct http_response *out)
{
	if (!is_get(req))
		body.len = 0;
	out->slice = head;
	out->body_len = body.len;
	if (body.at == head.at + head.len) {
		out->slice.len += body.len;
	} else if (body.len > 0) {
		out->rest = HTTP_REST_SLICE;
		out->place = 0;
		out->last = body;
	}
}

static struct http_text head_of(const struct romfs_variant *v)
{
	return (struct http_text){ v->head, v->head_len };
}

static struct http_text body_of(const struct romfs_variant *v)
{
	return (struct http_text){ v->body, v->body_len };
}

static struct http_text mark_of(const struct romfs_variant *v)
{
	return (struct http_text){ v->mark, v->mark_len };
}

/* RFC 9530, section 2: about the representation, however much of it is sent. */
static void put_digest(const struct http_request *req,
    const struct romfs_variant *v, struct http_response *out)
{
	if (http_wants_digest(req))
		http_put(out, v->digest_line, DIGEST_LINE_LEN);
}

static void put_content_range(const struct http_range *range, uint64_t len,
    struct http_response *out)
{
	HTTP_PUT(out, CONTENT_RANGE);
	if (range != NULL) {
		http_put_u64(out, range->first);
		HTTP_PUT(out, "-");
		http_put_u64(out, range->first + range->len - 1);
	} else {
		HTTP_PUT(out, "*");
	}
	HTTP_PUT(out, "/");
	http_put_u64(out, len);
	HTTP_PUT(out, "\r\n");
}

/* RFC 9110, section 15.3.7.1: the fields of the 200, with another length. */
static void answer_range(const struct http_site *site,
    const struct http_request *req, const struct romfs_variant *v,
    const struct http_range *range, struct http_response *out)
{
	const struct http_text head = {
		v->head + v->length_line_len, v->head_len - v->length_line_len
	};
	const struct http_text body = { v->body + range->first, range->len };

	http_begin(site, req, 206, out);
	put_digest(req, v, out);
	put_content_range(range, v->body_len, out);
	http_put_length(out, range->len);
	end_with(req, head, body, out);
}

/*
 * RFC 9110, section 15.3.7.2: the fields of the 200, with another length and another
 * type.  Content-Encoding is among them: the parts are ranges of the coded bytes.
 * out->parts holds the ranges.
 */
static void answer_parts(const struct http_site *site,
    const struct http_request *req, const struct romfs_variant *v,
    struct http_response *out)
{
	const uint8_t *const end = v->type + v->type_len + 2;
	uint8_t boundary[HTTP_BOUNDARY_CAP];

	http_begin(site, req, 206, out);
	put_digest(req, v, out);
	out->body_len = http_parts_len(&out->parts);
	http_put_length(out, out->body_len);
	HTTP_PUT(out, MULTIPART);
	http_put(out, boundary, http_format_boundary(&out->parts, boundary));
	HTTP_PUT(out, "\r\n");
	out->slice = (struct http_text){
		end, v->head_len - (size_t)(end - v->head)
	};
	out->rest = HTTP_REST_PARTS;
	out->place = 0;
}

/* False if all is to be sent. */
static bool answer_ranges(const struct http_site *site,
    const struct http_request *req, const struct romfs_variant *v,
    struct http_response *out)
{
	struct http_parts *const parts = &out->parts;

	parts->etag = mark_of(v);
	parts->type = (struct http_text){ v->type, v->type_len };
	parts->body = body_of(v);
	switch (http_parse_ranges(req->range, v->body_len, parts->ranges,
	    &parts->count)) {
	case HTTP_RANGES_NONE:
		return false;
	case HTTP_RANGES_OUTSIDE:
		http_begin(site, req, 416, out);
		put_content_range(NULL, v->body_len, out);
		http_end_built_in(req->method, out);
		return true;
	case HTTP_RANGES_SOME:
		break;
	}
	if (parts->count == 1)
		answer_range(site, req, v, &parts->ranges[0], out);
	else if (parts->type.len <= LIMIT_PART_TYPE_LEN)
		answer_parts(site, req, v, out);
	else
		return false;
	return true;
}

/* What is answered with 200 if the client sets no conditions. */
static void answer_file(const struct http_site *site,
    const struct http_request *req, const struct romfs_variant *v,
    int64_t modified, struct http_response *out)
{
	const int64_t now = site->now->time;

	switch (http_check_conditions(req, mark_of(v), modified, now)) {
	case HTTP_CONDITION_NONE:
		break;
	case HTTP_CONDITION_NOT_MODIFIED:
		http_begin(site, req, 304, out);
		out->slice = (struct http_text){
			v->not_modified, v->not_modified_len
		};
		out->body_len = 0;
		return;
	case HTTP_CONDITION_FAILED:
		http_answer_built_in(site, req, 412, out);
		return;
	}
	/* A file that keeps its date may be compressed to other bytes. */
	if (v->coding != ROMFS_IDENTITY)
		modified = -1;
	if (http_range_applies(req, mark_of(v), modified, now) &&
	    answer_ranges(site, req, v, out))
		return;
	http_begin(site, req, 200, out);
	put_digest(req, v, out);
	end_with(req, head_of(v), body_of(v), out);
}

/* ---- Redirects --------------------------------------------------------------- */

static void answer_location(const struct http_site *site,
    const struct http_request *req, uint16_t status,
    const struct http_location *location, struct http_response *out)
{
	http_begin(site, req, status, out);
	HTTP_PUT(out, "Location: ");
	http_end_redirect(req->method, location, out);
}

/* The image's answer with the request's query in its Location, before the fragment. */
static void answer_with_query(const struct http_site *site,
    const struct http_request *req, const struct romfs_variant *v,
    struct http_response *out)
{
	const uint8_t *const mark_end = v->mark + v->mark_len;
	const uint8_t *at = v->mark;

	while (at < mark_end && *at != '#')
		at++;
	http_begin(site, req, v->status, out);
	end_with(req, head_of(v), body_of(v), out);
	/* The head is cut in two, and the query comes between. */
	out->body = out->rest == HTTP_REST_SLICE ? out->last : HTTP_TEXT("");
	out->last = (struct http_text){
		at, out->slice.len - (size_t)(at - v->head)
	};
	out->slice.len -= out->last.len;
	out->rest = HTTP_REST_LOCATION;
	out->place = 0;
	out->location = (struct http_location){ .query = req->query };
}

static void answer_target(const struct http_site *site,
    const struct http_request *req, const struct romfs_target *target,
    struct http_response *out)
{
	struct http_location location = {
		.text = { target->text, target->text_len },
		.query = target->keeps_query ? req->query : NO_TEXT,
		.tail = { target->tail, target->tail_len },
		.path_captures = target->path_captures,
		.capture_count = target->capture_count,
	};

	for (uint32_t i = 0; i < target->capture_count; i++)
		location.captures[i] = target->captures[i];
	answer_location(site, req, target->status, &location, out);
}

/* ---- From the request to one of them ----------------------------------------- */

static void answer_entry(const struct http_site *site,
    const struct http_request *req, const struct romfs_entry *entry,
    struct http_response *out)
{
	struct romfs_variant v;
	uint32_t chosen = 0;

	const bool acceptable = http_choose_coding(req, entry->codings,
	    entry->variant_count, &chosen);
	romfs_variant(site->fs, entry, acceptable ? chosen : 0, &v);
	if (v.status == 200 && !acceptable) {
		http_answer_built_in(site, req, 406, out);
	} else if (v.status == 200) {
		answer_file(site, req, &v, entry->modified, out);
	} else if (entry->keeps_query && req->query.at != NULL) {
		answer_with_query(site, req, &v, out);
	} else {
		/*
		 * RFC 9110, section 13.2.1: conditions count only where the answer would
		 * be 2xx; section 12.4.1: who refuses every coding may get one.
		 */
		http_begin(site, req, v.status, out);
		end_with(req, head_of(&v), body_of(&v), out);
	}
}

static void answer_from_rom(const struct http_site *site,
    const struct http_request *req, uint32_t which,
    struct http_response *out)
{
	struct romfs_answer answer;
	struct http_text key;

	if (http_normalise_path(req->path, site->scratch, LIMIT_TARGET_LEN,
	    &key) == HTTP_PATH_BAD) {
		http_answer_built_in(site, req, 400, out);
		return;
	}
	romfs_resolve(site->fs, which, key.at, key.len,
	    req->query.at, req->query.len, site->scratch + LIMIT_TARGET_LEN,
	    LIMIT_TARGET_LEN, &answer);
	if (answer.target.status != 0)
		answer_target(site, req, &answer.target, out);
	else
		answer_entry(site, req, &answer.entry, out);
}

/*
 * Which site of the image is asked for.  Returns false if that was answered: there is none
 * (RFC 9110, section 15.5.20), or it wants to be asked under another name.
 */
static bool find_site(const struct http_site *site,
    const struct http_request *req, uint32_t *which,
    struct http_response *out)
{
	struct http_authority sent = { .host = HTTP_TEXT("") };
	struct romfs_host host;

	*which = 0;
	if (site->fs->name_count == 0)
		return true;
	/* The parser has refused what is not an authority. */
	if (req->host.at != NULL && !http_parse_authority(req->host, &sent))
		sent.host.len = 0;
	if (!romfs_host(site->fs, sent.host.at, sent.host.len, &host)) {
		http_answer_built_in(site, req, 421, out);
		return false;
	}
	if (host.canonical != NULL) {
		http_answer_canonical(site, req, sent.port, (struct http_text){
		    host.canonical, host.canonical_len }, out);
		return false;
	}
	*which = host.site;
	return true;
}

void http_respond(const struct http_site *site,
    const struct http_request *req, struct http_response *out)
{
	uint32_t which;

	if (!is_get(req) && req->method != HTTP_METHOD_HEAD) {
		http_answer_built_in(site, req, 405, out);
		return;
	}
	if (site->thumbprint.len > 0 && http_answer_acme(site, req, out))
		return;
	if (site->status != NULL && site->status(site, req, site->peer, out))
		return;
	if (site->redirect != NULL)
		http_answer_redirect(site, req, out);
	else if (find_site(site, req, &which, out))
		answer_from_rom(site, req, which, out);
}
