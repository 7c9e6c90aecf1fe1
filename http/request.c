/*
 * The request parser: http/request.h.
 *
 * Reads in the order of the layout in RFC 9112, section 2.1: request line, field
 * lines, empty line; then judges what can only be judged when all of it is known
 * (finish()).  The functions return HTTP_NEED_MORE when they meet the end of the
 * bytes; only http_parse_request() knows whether that is "not yet" or "too long".
 */
#include "http/request.h"

#include "config/limits.h"
#include "http/authority.h"
#include "http/cursor.h"

/* What the head said before it is judged as a whole. */
struct head {
	struct rd r;
	struct http_request *out;
	struct http_text target;   /* path and query as sent */
};

/*
 * RFC 9112, section 2.2: a line ends in CRLF.  A lone LF could be taken as an end (MAY)
 * and a lone CR as a blank; we do neither, so that no two readers can disagree.
 */
static enum http_parse take_line_end(struct rd *r, enum http_parse otherwise)
{
	if (rd_at_end(r))
		return HTTP_NEED_MORE;
	if (!rd_take(r, '\r'))
		return otherwise;
	if (rd_at_end(r))
		return HTTP_NEED_MORE;
	return rd_take(r, '\n') ? HTTP_OK : otherwise;
}

/* ---- The request line: RFC 9112, section 3 -------------------------------- */

static enum http_parse take_method(struct head *h)
{
	struct rd *const r = &h->r;

	if (rd_take_text(r, HTTP_TEXT("GET "))) {
		h->out->method = HTTP_METHOD_GET;
		return HTTP_OK;
	}
	const struct http_text name = rd_while(r, HTTP_TOKEN);
	if (rd_at_end(r))
		return HTTP_NEED_MORE;
	if (name.len == 0 || !rd_take(r, ' '))
		return HTTP_BAD_LINE;
	if (http_text_equal(name, HTTP_TEXT("HEAD")))
		h->out->method = HTTP_METHOD_HEAD;
	else if (http_text_equal(name, HTTP_TEXT("OPTIONS")))
		h->out->method = HTTP_METHOD_OPTIONS;
	else if (http_text_equal(name, HTTP_TEXT("CONNECT")))
		h->out->method = HTTP_METHOD_CONNECT;
	return HTTP_OK;
}

static enum http_parse take_target(struct head *h)
{
	struct rd *const r = &h->r;
	const uint8_t *const start = r->at;

	h->out->path = rd_while(r, HTTP_PATH);
	if (rd_take(r, '?'))
		h->out->query = rd_while(r, HTTP_QUERY);
	h->target = (struct http_text){ start, (size_t)(r->at - start) };

	if (h->target.len > LIMIT_TARGET_LEN)
		return HTTP_LONG_TARGET;
	if (rd_at_end(r))
		return HTTP_NEED_MORE;
	if (h->target.len == 0)
		return HTTP_BAD_LINE;
	return rd_take(r, ' ') ? HTTP_OK : HTTP_BAD_TARGET;
}

/* One byte of the version, when the whole of it did not match at once. */
static enum http_parse take_digit(struct rd *r, uint8_t *value)
{
	if (rd_at_end(r))
		return HTTP_NEED_MORE;
	if (!rd_take_class(r, HTTP_DIGIT, value))
		return HTTP_BAD_VERSION;
	*value -= '0';
	return HTTP_OK;
}

/* RFC 9112, section 2.3: "HTTP/" DIGIT "." DIGIT, in capitals. */
static enum http_parse take_odd_version(struct head *h)
{
	static const uint8_t name[] = "HTTP/";
	struct rd *const r = &h->r;
	enum http_parse status;
	uint8_t major = 0;
	uint8_t minor = 0;

	for (size_t i = 0; i < sizeof name - 1; i++) {
		if (rd_at_end(r))
			return HTTP_NEED_MORE;
		if (!rd_take(r, name[i]))
			return HTTP_BAD_VERSION;
	}
	if ((status = take_digit(r, &major)) != HTTP_OK)
		return status;
	if (rd_at_end(r))
		return HTTP_NEED_MORE;
	if (!rd_take(r, '.'))
		return HTTP_BAD_VERSION;
	if ((status = take_digit(r, &minor)) != HTTP_OK)
		return status;
	if ((status = take_line_end(r, HTTP_BAD_VERSION)) != HTTP_OK)
		return status;
	if (major != 1)
		return HTTP_UNKNOWN_VERSION;

	/* RFC 9110, section 2.5: a higher minor version is served as the highest we have. */
	h->out->minor = minor > 0;
	return HTTP_OK;
}

static enum http_parse take_version(struct head *h)
{
	if (rd_take_text(&h->r, HTTP_TEXT("HTTP/1.1\r\n"))) {
		h->out->minor = 1;
		return HTTP_OK;
	}
	return take_odd_version(h);
}

static enum http_parse take_request_line(struct head *h)
{
	enum http_parse status;

	if ((status = take_method(h)) != HTTP_OK)
		return status;
	if ((status = take_target(h)) != HTTP_OK)
		return status;
	return take_version(h);
}

/* ---- Fields: RFC 9112, section 5 ------------------------------------------ */

/*
 * The length of `name` is that of the literal, 4 or more; names are of class HTTP_TOKEN.
 * Setting bit 5 makes capitals small, and turns no other token byte into a letter, a
 * digit or '-'.  Two words that may overlap cover a name; longer ones have a middle.
 */
static inline __attribute__((always_inline)) bool is_name(struct http_text name,
    const char *low, size_t len)
{
	const uint64_t small = 0x2020202020202020u;

	if (len < 8)
		return (load_le32(name.at) | (uint32_t)small) ==
		    load_le32(low) &&
		    (load_le32(name.at + len - 4) | (uint32_t)small) ==
		    load_le32(low + len - 4);
	for (size_t i = 0; i + 8 < len; i += 8) {
		if ((load_le64(name.at + i) | small) != load_le64(low + i))
			return false;
	}
	return (load_le64(name.at + len - 8) | small) ==
	    load_le64(low + len - 8);
}

#define IS_NAME(name, low) is_name(name, low, sizeof(low) - 1)

/* RFC 9110, section 7.6.1: a list of case-insensitive options. */
static void keep_connection(struct http_request *out, struct http_text value)
{
	struct rd r = rd_text(value);

	while (!rd_at_end(&r)) {
		const struct http_text option = rd_while(&r, HTTP_TOKEN);

		if (http_text_equal_nocase(option, HTTP_TEXT("close")))
			out->close = true;
		if (http_text_equal_nocase(option, HTTP_TEXT("keep-alive")))
			out->keep_alive = true;
		if (option.len == 0)
			r.at++;
	}
}

/* RFC 9110, section 8.6: 1*DIGIT; a list of equal values MAY be refused, and is. */
static enum http_parse keep_length(struct http_request *out,
    struct http_text value)
{
	struct rd r = rd_text(value);
	uint64_t len = 0;
	uint8_t c;

	if (out->has_length || value.len == 0)
		return HTTP_BAD_LENGTH;
	while (rd_take_class(&r, HTTP_DIGIT, &c)) {
		if (len > (UINT64_MAX - 9) / 10)
			return HTTP_BAD_LENGTH;
		len = len * 10 + (c - '0');
	}
	if (!rd_at_end(&r))
		return HTTP_BAD_LENGTH;
	out->has_length = true;
	out->body_len = len;
	return HTTP_OK;
}

static enum http_parse keep_host(struct http_request *out,
    struct http_text value)
{
	struct http_authority authority;

	/* RFC 9112, section 3.2: more than one, or an invalid one, MUST be 400. */
	if (out->host.at != NULL || !http_parse_authority(value, &authority))
		return HTTP_BAD_HOST;
	out->host = value;
	return HTTP_OK;
}

static enum http_parse keep_line(struct http_lines *lines,
    struct http_text value)
{
	if (lines->count == LIMIT_FIELD_LINES)
		return HTTP_LARGE_HEAD;
	lines->line[lines->count++] = value;
	return HTTP_OK;
}

/* A field that may come once. */
static void keep_single(struct http_text *kept, bool *repeated,
    struct http_text value)
{
	*repeated |= kept->at != NULL;
	*kept = value;
}

/* Names of 4 to 12 bytes. */
static enum http_parse keep_short_field(struct http_request *out,
    struct http_text name, struct http_text value)
{
	switch (name.len) {
	case 4:
		if (IS_NAME(name, "host"))
			return keep_host(out, value);
		break;
	case 5:
		if (IS_NAME(name, "range"))
			keep_single(&out->range, &out->range_repeated, value);
		break;
	case 6:
		if (IS_NAME(name, "expect") &&
		    http_text_equal_nocase(value, HTTP_TEXT("100-continue")))
			out->expect_continue = true;
		break;
	case 7:
		if (IS_NAME(name, "referer"))
			out->referer = value;
		break;
	case 8:
		if (IS_NAME(name, "if-match"))
			return keep_line(&out->match, value);
		if (IS_NAME(name, "if-range"))
			keep_single(&out->if_range, &out->if_range_repeated,
			    value);
		break;
	case 10:
		if (IS_NAME(name, "connection"))
			keep_connection(out, value);
		else if (IS_NAME(name, "user-agent"))
			out->user_agent = value;
		break;
	}
	return HTTP_OK;
}

/* Sorted by the length of the name: one comparison finds the only candidates. */
static enum http_parse keep_field(struct http_request *out,
    struct http_text name, struct http_text value)
{
	switch (name.len) {
	case 13:
		if (IS_NAME(name, "if-none-match"))
			return keep_line(&out->none_match, value);
		break;
	case 14:
		if (IS_NAME(name, "content-length"))
			return keep_length(out, value);
		break;
	case 15:
		if (IS_NAME(name, "accept-encoding"))
			return keep_line(&out->accept_encoding, value);
		break;
	case 16:
		if (IS_NAME(name, "want-repr-digest"))
			return keep_line(&out->want_repr_digest, value);
		break;
	case 17:
		if (IS_NAME(name, "transfer-encoding"))
			out->has_coding = true;
		else if (IS_NAME(name, "if-modified-since"))
			keep_single(&out->modified_since,
			    &out->modified_since_repeated, value);
		break;
	case 19:
		if (IS_NAME(name, "if-unmodified-since"))
			keep_single(&out->unmodified_since,
			    &out->unmodified_since_repeated, value);
		break;
	default:
		return keep_short_field(out, name, value);
	}
	return HTTP_OK;
}

static enum http_parse take_field_line(struct head *h)
{
	struct rd *const r = &h->r;

	/*
	 * A line that starts with a blank has an empty name: so obs-fold is refused
	 * (RFC 9112, section 5.2) and white space behind the request line, too.  The colon
	 * follows the name at once (section 5.1: else MUST be 400).
	 */
	const struct http_text name = rd_while(r, HTTP_TOKEN);
	if (rd_at_end(r))
		return HTTP_NEED_MORE;
	if (name.len == 0 || !rd_take(r, ':'))
		return HTTP_BAD_FIELD;

	rd_skip_ows(r);
	struct http_text value = rd_value(r);
	/* RFC 9110, section 5.5: CR, LF, NUL and other controls MUST not pass. */
	const enum http_parse status = take_line_end(r, HTTP_BAD_FIELD);
	if (status != HTTP_OK)
		return status;

	while (value.len > 0 && (value.at[value.len - 1] == ' ' ||
	    value.at[value.len - 1] == '\t'))
		value.len--;
	return keep_field(h->out, name, value);
}

/* The field lines and the empty line behind them. */
static enum http_parse take_fields(struct head *h)
{
	for (uint32_t count = 0; ; count++) {
		if (rd_sees(&h->r, '\r'))
			return take_line_end(&h->r, HTTP_BAD_FIELD);
		if (rd_at_end(&h->r))
			return HTTP_NEED_MORE;
		if (count == LIMIT_REQUEST_FIELDS)
			return HTTP_LARGE_HEAD;

		const enum http_parse status = take_field_line(h);
		if (status != HTTP_OK)
			return status;
	}
}

/* ---- The head as a whole --------------------------------------------------- */

/*
 * RFC 9112, section 3.2.2: "http://authority/path".  A client MUST send the same authority
 * as Host; one that differs tells two servers two things, so it is refused.
 */
static enum http_parse judge_absolute_form(struct head *h)
{
	struct http_request *const out = h->out;
	struct rd r = rd_text(out->path);
	struct http_authority target;
	struct http_authority host;
	uint32_t default_port;

	const struct http_text scheme = rd_while(&r, HTTP_TOKEN);
	if (http_text_equal_nocase(scheme, HTTP_TEXT("http")))
		default_port = 80;
	else if (http_text_equal_nocase(scheme, HTTP_TEXT("https")))
		default_port = 443;
	else
		return HTTP_BAD_TARGET;
	if (!rd_take_text(&r, HTTP_TEXT("://")))
		return HTTP_BAD_TARGET;

	const uint8_t *const start = r.at;
	while (!rd_at_end(&r) && !rd_sees(&r, '/'))
		r.at++;
	const struct http_text authority = { start, (size_t)(r.at - start) };

	/* RFC 9110, section 4.2.1: an empty host MUST be refused. */
	if (!http_parse_authority(authority, &target) || target.host.len == 0)
		return HTTP_BAD_TARGET;
	if (out->host.at != NULL) {
		if (!http_parse_authority(out->host, &host) ||
		    !http_authority_equal(&target, &host, default_port))
			return HTTP_BAD_HOST;
	} else {
		out->host = authority;
	}
	/* RFC 3986, section 6.2.3: an empty path is "/". */
	out->path = rd_at_end(&r) ? HTTP_TEXT("/") :
	    (struct http_text){ r.at, rd_left(&r) };
	return HTTP_OK;
}

static enum http_parse judge_target(struct head *h)
{
	const struct http_request *const out = h->out;
	struct http_authority authority;

	/* RFC 9112, section 3.2.3: CONNECT has the authority form, and nothing else has. */
	if (out->method == HTTP_METHOD_CONNECT)
		return http_parse_authority(h->target, &authority) &&
		    authority.host.len > 0 && authority.port > 0 ?
		    HTTP_OK : HTTP_BAD_TARGET;
	if (out->path.len > 0 && out->path.at[0] == '/')
		return HTTP_OK;
	/* RFC 9112, section 3.2.4: only OPTIONS has the asterisk form. */
	if (http_text_equal(h->target, HTTP_TEXT("*")))
		return out->method == HTTP_METHOD_OPTIONS ?
		    HTTP_OK : HTTP_BAD_TARGET;
	return judge_absolute_form(h);
}

static enum http_parse finish(struct head *h)
{
	const struct http_request *const out = h->out;

	/* RFC 9112, section 3.2: an HTTP/1.1 request without Host MUST be 400. */
	if (out->minor >= 1 && out->host.at == NULL)
		return HTTP_BAD_HOST;
	/*
	 * RFC 9112, sections 6.1 and 6.3: with Content-Length, or in HTTP/1.0, the framing is
	 * faulty.  Not offered: chunked requests, since no request of ours has a
	 * meaning for its content.
	 */
	if (out->has_coding && (out->has_length || out->minor == 0))
		return HTTP_BAD_FRAMING;
	if (out->has_coding)
		return HTTP_UNKNOWN_CODING;
	return judge_target(h);
}

/* Nothing was sent.  What is behind a count of 0 is never read and stays as it is. */
static void forget_all(struct http_request *out)
{
	__builtin_memset(out, 0, offsetof(struct http_request, accept_encoding));
	out->accept_encoding.count = 0;
	out->match.count = 0;
	out->none_match.count = 0;
	out->want_repr_digest.count = 0;
}

enum http_parse http_parse_request(const uint8_t *data, size_t len,
    struct http_request *out)
{
	const bool full = len >= LIMIT_REQUEST_HEAD_LEN;
	struct head h = {
		.r = rd_open(data, full ? LIMIT_REQUEST_HEAD_LEN : len),
		.out = out,
	};
	enum http_parse status;

	forget_all(out);
	out->line.at = data;

	/* RFC 9112, section 2.2: one empty line before a request SHOULD be ignored. */
	if (rd_sees(&h.r, '\r')) {
		status = take_line_end(&h.r, HTTP_BAD_LINE);
		if (status != HTTP_OK)
			return status;
	}
	out->line.at = h.r.at;
	status = take_request_line(&h);
	out->line.len = (size_t)(h.r.at - out->line.at);
	if (status != HTTP_OK)
		return status == HTTP_NEED_MORE && full ?
		    HTTP_LONG_TARGET : status;
	out->line.len -= 2;

	status = take_fields(&h);
	if (status != HTTP_OK)
		return status == HTTP_NEED_MORE && full ?
		    HTTP_LARGE_HEAD : status;
	out->head_len = (size_t)(h.r.at - data);
	return finish(&h);
}

uint16_t http_parse_status(enum http_parse why)
{
	switch (why) {
	case HTTP_OK:
	case HTTP_NEED_MORE:
		return 0;
	case HTTP_BAD_LINE:
	case HTTP_BAD_VERSION:
	case HTTP_BAD_TARGET:
	case HTTP_BAD_FIELD:
	case HTTP_BAD_HOST:
	case HTTP_BAD_LENGTH:
	case HTTP_BAD_FRAMING:
		return 400;
	case HTTP_LONG_TARGET:
		return 414;
	case HTTP_LARGE_HEAD:
		return 431;
	case HTTP_UNKNOWN_CODING:
		return 501;
	case HTTP_UNKNOWN_VERSION:
		return 505;
	}
	panic("a refusal without a status");
}
