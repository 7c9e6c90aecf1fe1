/*
 * HTTP on a stream: http/conn.h.
 *
 * Answers leave in the order of the requests, because the next request is looked at
 * only when the answer before it is wholly queued, but for what is left of its last
 * slice.  Of an answer nothing is kept but that: when one has pieces (piece.h) that are not
 * queued yet, its request is not consumed, and the same answer is made once more when there
 * is room.  What a connection remembers between two calls, `struct conn`, is in one of
 * these states (the first that fits):
 *
 *   closing    stream_close() was called; nothing follows
 *   sending    rest.len > 0: the end of a slice is not queued yet.  If `began`, the
 *              answer goes on behind it with the piece at `place`, and its request
 *              is still held.
 *   blocked    the next answer was ready, but its prefix found no room; or, if `began`,
 *              its piece at `place`.  Its request is held.
 *   skipping   skip_len > 0: bytes of a request's body are thrown away
 *   partial    the held bytes begin a request that has not ended
 *   idle       nothing is held
 *
 * Sending and blocked end in writable(), all others in received().
 */
#include "http/conn.h"

#include "config/limits.h"
#include "http/log.h"
#include "http/piece.h"
#include "http/respond.h"

struct conn {
	struct http_text rest;
	uint64_t skip_len;
	size_t held_len;          /* bytes the stream holds for us */
	uint32_t place;           /* counts only with `began`, as both below */
	uint16_t status;          /* of the answer */
	uint8_t kind;             /* enum http_rest of it */
	bool began;
	bool closing;
	bool blocked;
	bool partial;
	bool in_request;          /* NET_WAIT_REQUEST is running */
	bool in_answer;           /* NET_WAIT_WRITE is, for the answer under way */
	bool close_after;         /* the answer under way is the last */
	bool peer_closed;         /* no byte follows those that are held */
};

_Static_assert(sizeof(struct conn) <= LIMIT_CONN_APP_LEN - STREAM_LEN,
    "net keeps our state in its connection, behind the stream's");
_Static_assert(LIMIT_HOLD_LEN >= LIMIT_REQUEST_HEAD_LEN,
    "a head that is not too long can be held until it has ended");

/* What all connections share. */
static struct {
	struct http_site plain;
	struct http_site private;
	bool log;
	http_log_function *log_copy;   /* NULL: nobody else wants it */
	struct http_redirect redirect;
	struct http_now now;
	uint8_t log_date[HTTP_LOG_DATE_LEN];
	struct http_counters counters;
	uint8_t hsts[HTTP_HSTS_CAP];
	uint8_t scratch[HTTP_SCRATCH_CAP];
} server;

void http_conn_start(const struct romfs *fs,
    const struct http_settings *settings, struct http_text hosts)
{
	server.log = settings->log;
	server.now.time = -1;
	server.redirect = (struct http_redirect){
		.hosts = hosts, .port = settings->redirect_port,
	};
	server.private = (struct http_site){
		.fs = fs,
		.now = &server.now,
		.scratch = server.scratch,
	};
	server.plain = server.private;
	server.private.is_private = true;
	/* RFC 6797, section 7.2: never on a plain one. */
	server.private.hsts = (struct http_text){
		server.hsts, http_format_hsts(&settings->hsts, server.hsts)
	};
	server.plain.thumbprint = settings->thumbprint;
	if (settings->redirect_port != 0)
		server.plain.redirect = &server.redirect;
}

void http_conn_serve_status(http_status_function *status)
{
	server.plain.status = status;
	server.private.status = status;
}

void http_conn_copy_log(http_log_function *copy)
{
	server.log_copy = copy;
}

const struct http_counters *http_conn_counters(void)
{
	return &server.counters;
}

/* What this stream's answers are made from, with the texts of this second. */
static const struct http_site *site_of(const struct stream *s)
{
	struct http_site *const site =
	    stream_is_private(s) ? &server.private : &server.plain;
	const int64_t time = (int64_t)net_unix_time();

	if (time != server.now.time) {
		server.now.time = time;
		http_format_date(time, server.now.date);
		http_format_log_date(time, server.log_date);
	}
	site->peer = stream_peer(s);
	return site;
}

static void write_log(const struct stream *s,
    const struct http_request *req, const struct http_response *res)
{
	const struct http_log_entry entry = {
		.peer = stream_peer(s),
		.date = server.log_date,
		.status = res->status,
		.body_len = res->body_len,
		.line = req->line,
		.referer = req->referer,
		.user_agent = req->user_agent,
	};
	char line[HTTP_LOG_LINE_CAP];
	const size_t len = http_format_log(&entry, line);

	if (server.log)
		net_log(line, len);
	if (server.log_copy != NULL)
		server.log_copy(line, len);
}

static void account(const struct stream *s,
    const struct http_request *req, const struct http_response *res)
{
	server.counters.requests++;
	/* The parser says how long a head is only if it took it. */
	server.counters.refused += req->head_len == 0;
	server.counters.by_class[res->status / 100 % 6]++;
	server.counters.body_bytes += res->body_len;
	if (server.log || server.log_copy != NULL)
		write_log(s, req, res);
}

/* ---- An answer on its way ---------------------------------------------------- */

static void keep_rest(struct conn *c, struct http_text slice, size_t sent)
{
	c->rest = (struct http_text){ slice.at + sent, slice.len - sent };
}

/* Queue the prefix, and as much of the slice as there is room for. */
static bool begin_answer(struct conn *c, struct stream *s,
    const struct http_response *res)
{
	size_t sent;

	if (!stream_send(s, res->prefix, res->prefix_len, res->slice.at,
	    res->slice.len, &sent))
		return false;
	keep_rest(c, res->slice, sent);
	c->began = true;
	c->status = res->status;
	c->kind = res->rest;
	c->place = res->place;
	c->close_after = res->close;
	return true;
}

/*
 * Queue the pieces of an answer that has begun, as far as there is room.  Returns true
 * when it has ended, but for what is left of its last slice.
 */
static bool send_pieces(struct conn *c, struct stream *s,
    const struct http_site *site, const struct http_response *res)
{
	struct http_piece piece;
	size_t sent;

	if (c->kind == HTTP_REST_NONE)
		return true;
	while (c->rest.len == 0) {
		http_make_piece(site, res, c->place, &piece);
		if (piece.text_len == 0)
			sent = stream_send_static(s, piece.slice.at,
			    piece.slice.len);
		else if (!stream_send(s, piece.text, piece.text_len,
		    piece.slice.at, piece.slice.len, &sent))
			return false;
		keep_rest(c, piece.slice, sent);
		if (piece.is_last)
			return true;
		c->place = piece.next;
	}
	return false;
}

static void close_now(struct conn *c, struct stream *s)
{
	c->closing = true;
	stream_close(s);
}

/* All of the answer is queued or in `rest`: close behind it if it was the last. */
static void end_answer(struct conn *c, struct stream *s)
{
	c->began = false;
	if (c->rest.len > 0)
		return;
	c->in_answer = false;
	if (c->close_after)
		close_now(c, s);
}

/* One deadline for all of an answer, however little room there is each time. */
static void wait_for_room(struct conn *c, struct stream *s)
{
	if (!c->in_answer)
		stream_set_wait(s, NET_WAIT_WRITE);
	c->in_answer = true;
}

/*
 * Send an answer, or go on with it where it was left.  Returns true when its request is
 * done with; the bytes of the request are gone if that was the last.
 */
static bool send_answer(struct conn *c, struct stream *s,
    const struct http_site *site, const struct http_request *req,
    const struct http_response *res)
{
	bool ended = false;

	if (!c->began) {
		if (begin_answer(c, s, res))
			account(s, req, res);
	} else if (c->status != res->status || c->kind != res->rest) {
		/* The clock went on, and the same request has another answer. */
		close_now(c, s);
		return false;
	}
	if (c->began)
		ended = send_pieces(c, s, site, res);
	c->blocked = !ended && c->rest.len == 0;
	if (!ended || c->rest.len > 0)
		wait_for_room(c, s);
	if (ended) {
		c->in_request = false;
		end_answer(c, s);
	}
	return ended;
}

/* Parse and answer the request at the front.  Returns how many bytes are done with. */
static size_t take_request(struct conn *c, struct stream *s,
    const uint8_t *data, size_t len)
{
	const struct http_site *const site = site_of(s);
	struct http_request req;
	struct http_response res;

	const enum http_parse parsed = http_parse_request(data, len, &req);
	c->partial = parsed == HTTP_NEED_MORE;
	if (c->partial)
		return 0;
	if (parsed == HTTP_OK)
		http_respond(site, &req, &res);
	else
		http_refuse(site, http_parse_status(parsed), req.method, &res);

	if (!send_answer(c, s, site, &req, &res))
		return 0;
	c->skip_len = req.body_len;
	return req.head_len;
}

static bool is_busy(const struct conn *c)
{
	return c->closing || c->rest.len > 0 || c->blocked;
}

/*
 * A parse costs a pass over all that is held, so one that has asked for more is
 * repeated only when a line has ended, or when there is no room for more: else a
 * client that sends single bytes could make us read its head thousands of times.
 */
static bool is_worth_parsing(const uint8_t *data, size_t len, size_t fresh)
{
	if (len >= LIMIT_REQUEST_HEAD_LEN)
		return true;
	for (size_t i = fresh; i < len; i++) {
		if (data[i] == '\n')
			return true;
	}
	return false;
}

/* Say what the connection waits for, once all that can be done now is done. */
static void settle(struct conn *c, struct stream *s)
{
	if (is_busy(c))
		return;
	if (c->peer_closed) {
		/* RFC 9112, section 8: the request that was cut off MAY be dropped. */
		close_now(c, s);
		return;
	}
	if (c->held_len == 0 && c->skip_len == 0) {
		c->in_request = false;
		stream_set_wait(s, NET_WAIT_IDLE);
	} else if (!c->in_request) {
		c->in_request = true;
		stream_set_wait(s, NET_WAIT_REQUEST);
	}
}

static bool on_opened(void *app, struct stream *s)
{
	(void)app;
	(void)s;
	server.counters.connections++;
	return true;
}

static size_t on_received(void *app, struct stream *s,
    const uint8_t *data, size_t len, size_t fresh)
{
	struct conn *const c = app;
	size_t used = 0;

	if (c->partial && !is_worth_parsing(data, len, fresh)) {
		c->held_len = len;
		return 0;
	}
	while (used < len && !is_busy(c)) {
		if (c->skip_len > 0) {
			const size_t left = len - used;
			const size_t skip =
			    c->skip_len < left ? (size_t)c->skip_len : left;

			c->skip_len -= skip;
			used += skip;
			continue;
		}
		const size_t taken =
		    take_request(c, s, data + used, len - used);
		if (taken == 0)
			break;
		used += taken;
	}
	c->held_len = len - used;
	settle(c, s);
	return used;
}

static void on_writable(void *app, struct stream *s)
{
	struct conn *const c = app;

	if (c->rest.len > 0) {
		const size_t sent =
		    stream_send_static(s, c->rest.at, c->rest.len);

		c->rest.at += sent;
		c->rest.len -= sent;
		if (c->rest.len > 0)
			return;
		if (!c->began)
			end_answer(c, s);
		if (c->closing)
			return;
	}
	c->blocked = false;
	/*
	 * The answer goes on, or requests that came meanwhile are next; on_received()
	 * settles after them.
	 */
	if (c->held_len > 0)
		stream_resume(s);
	else
		settle(c, s);
}

static void on_peer_closed(void *app, struct stream *s)
{
	struct conn *const c = app;

	/* What is held and answerable is answered first: the peer may still read. */
	c->peer_closed = true;
	settle(c, s);
}

/* RFC 9110, section 15.5.9: the request did not come to its end in time. */
static void refuse_late(struct conn *c, struct stream *s)
{
	const struct http_site *const site = site_of(s);
	const struct http_request nothing = { 0 };
	struct http_response res;

	http_refuse(site, 408, HTTP_METHOD_OTHER, &res);
	(void)send_answer(c, s, site, &nothing, &res);
}

static void on_expired(void *app, struct stream *s, enum net_wait state)
{
	struct conn *const c = app;

	switch (state) {
	case NET_WAIT_IDLE:
		close_now(c, s);
		break;
	case NET_WAIT_REQUEST:
		/* A body that does not come has had its answer. */
		if (c->skip_len > 0)
			close_now(c, s);
		else
			refuse_late(c, s);
		break;
	case NET_WAIT_WRITE:
	case NET_WAIT_LINGER:
		break;     /* not closed here, so it is reset */
	}
}

static void on_closed(void *app)
{
	(void)app;         /* nothing of ours lives outside the stream's state */
}

const struct stream_app http_app = {
	.app_len = sizeof(struct conn),
	.opened = on_opened,
	.received = on_received,
	.writable = on_writable,
	.peer_closed = on_peer_closed,
	.expired = on_expired,
	.closed = on_closed,
};
