/*
 * Writing where a redirect points to: http/location.h.
 *
 * A location is a sequence of runs of bytes of one kind each; a step is a byte of one.
 * Nearly every step writes its byte or the byte's escape.
 */
#include "http/location.h"

#include "http/chars.h"

enum kind {
	KIND_READY,        /* of the image */
	KIND_SENT_PATH,    /* escapes stay escapes */
	KIND_SENT_QUERY,
	KIND_PATH_BYTES,   /* captured, decoded: '%' and '?' are bytes like others */
	KIND_VALUE,        /* captured, one value of a query, as sent */
};

struct run {
	struct http_text bytes;
	enum kind kind;
};

/* How far the runs were taken. */
struct walk {
	const struct http_location *l;
	struct http_text text;    /* what is left of it */
	uint32_t ends_taken;      /* runs behind the text */
	bool in_query;            /* a '?' of the text was passed */
	/*
	 * All that was passed is slashes, and was written as one: with a second, the
	 * name of a host would begin.
	 */
	bool at_start;
};

static struct walk start_walk(const struct http_location *l)
{
	const struct http_text t = l->text;
	const bool is_path = t.len > 0 && t.at[0] == '/';
	/* A site may lead to "//host" by its own words. */
	const bool is_host = t.len > 1 && t.at[1] == '/';

	return (struct walk){
		.l = l, .text = t, .at_start = !l->is_sent && is_path && !is_host,
	};
}

static struct http_text take(struct http_text *from, size_t len)
{
	const struct http_text taken = { from->at, len };

	from->at += len;
	from->len -= len;
	return taken;
}

/* Up to the next capture. */
static struct run take_literal(struct walk *w)
{
	size_t len = 0;

	for (; len < w->text.len; len++) {
		if (w->text.at[len] == 0 && w->l->capture_count > 0)
			break;
		w->in_query |= w->text.at[len] == '?';
	}
	return (struct run){ take(&w->text, len), KIND_READY };
}

static struct run take_capture(struct walk *w)
{
	ASSERT(w->text.len >= 2);
	const struct http_text mark = take(&w->text, 2);
	const uint32_t k = mark.at[1] - 1u;

	ASSERT(k < w->l->capture_count);
	const struct romfs_capture *const c = &w->l->captures[k];
	return (struct run){ { c->at, c->len },
	    k < w->l->path_captures ? KIND_PATH_BYTES : KIND_VALUE };
}

/* Runs may be empty; false at the end. */
static bool take_run(struct walk *w, struct run *out)
{
	const struct http_location *const l = w->l;
	const struct http_text mark =
	    l->query.at != NULL ? HTTP_TEXT("?") : HTTP_TEXT("");

	if (w->text.len > 0) {
		if (l->is_sent)
			*out = (struct run){
				take(&w->text, w->text.len), KIND_SENT_PATH
			};
		else if (l->capture_count > 0 && w->text.at[0] == 0)
			*out = take_capture(w);
		else
			*out = take_literal(w);
		return true;
	}
	switch (w->ends_taken++) {
	case 0:
		*out = (struct run){ mark, KIND_READY };
		return true;
	case 1:
		*out = (struct run){ l->query, KIND_SENT_QUERY };
		return true;
	case 2:
		*out = (struct run){ l->tail, KIND_READY };
		return true;
	default:
		return false;
	}
}

size_t http_location_len(const struct http_location *l)
{
	struct walk w = start_walk(l);
	struct run run;
	size_t len = 0;

	while (take_run(&w, &run))
		len += run.bytes.len;
	return len;
}

/* RFC 3986, section 2.2 */
static bool is_sub_delim(uint8_t c)
{
	switch (c) {
	case '!': case '$': case '&': case '\'': case '(': case ')':
	case '*': case '+': case ',': case ';': case '=':
		return true;
	default:
		return false;
	}
}

/* RFC 3986, section 3.3: pchar / "/"; section 3.4: and "?". */
static bool is_allowed(enum kind kind, bool in_query, uint8_t c)
{
	const bool in_path = http_is(c, HTTP_HOST) || c == '/' || c == ':' ||
	    c == '@';

	switch (kind) {
	case KIND_READY:
		return true;
	case KIND_SENT_PATH:
		return in_path || c == '%';
	case KIND_SENT_QUERY:
		return in_path || c == '%' || c == '?';
	case KIND_PATH_BYTES:
		/* What separates one field of a form from the next is no part of it. */
		return in_path && !(in_query && is_sub_delim(c));
	case KIND_VALUE:
		return in_path || c == '%' || (c == '?' && in_query);
	}
	return false;
}

static bool is_slashes(const uint8_t *at, size_t len)
{
	while (len > 0 && at[len - 1] == '/')
		len--;
	return len == 0;
}

/* One byte of a run: as it is, or escaped (section 2.1). */
static size_t write_byte(const struct run *run, bool in_query, uint8_t c,
    uint8_t out[3])
{
	static const char digits[] = "0123456789ABCDEF";

	if (is_allowed(run->kind, in_query, c)) {
		out[0] = c;
		return 1;
	}
	if (c == 0 && run->kind == KIND_PATH_BYTES)
		c = '/';
	out[0] = '%';
	out[1] = (uint8_t)digits[c >> 4];
	out[2] = (uint8_t)digits[c & 15];
	return 3;
}

size_t http_write_location(const struct http_location *l, size_t *at,
    uint8_t *out, size_t cap)
{
	struct walk w = start_walk(l);
	struct run run;
	size_t passed = 0;
	size_t len = 0;

	while (take_run(&w, &run)) {
		size_t i = 0;

		/* What was written before: only whether it was all slashes matters. */
		if (passed < *at) {
			i = *at - passed;
			if (i > run.bytes.len)
				i = run.bytes.len;
			w.at_start = w.at_start && is_slashes(run.bytes.at, i);
		}
		for (; i < run.bytes.len; i++, ++*at) {
			uint8_t written[3];

			if (w.at_start && *at > 0 && run.bytes.at[i] == '/')
				continue;
			const size_t n = write_byte(&run, w.in_query,
			    run.bytes.at[i], written);
			if (n > cap - len)
				return len;
			__builtin_memcpy(out + len, written, n);
			len += n;
			w.at_start = w.at_start && *at == 0;
		}
		passed += run.bytes.len;
	}
	return len;
}
