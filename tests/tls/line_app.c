/*
 * The tiny app: tests/tls/line_app.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/limits.h"
#include "tests/tls/line_app.h"

struct conn {
	const uint8_t *rest;
	size_t rest_len;
	size_t held_len;
	uint32_t held_sum;
	bool closing, blocked, close_after, peer_closed;
};

struct line_counts line;

static void check_at(bool good, const char *what, int number)
{
	if (!good) {
		fprintf(stderr, "line app, line %d: %s\n", number, what);
		abort();
	}
}
#define check(x) check_at((x), #x, __LINE__)

const uint8_t *line_body(void)
{
	static uint8_t body[LINE_BODY_CAP];

	for (size_t i = 0; body[1] == 0 && i < sizeof body; i++)
		body[i] = (uint8_t)(i * 7 + i / 251);
	return body;
}

static uint32_t sum(const uint8_t *data, size_t len)
{
	uint32_t s = 1;

	for (size_t i = 0; i < len; i++)
		s = (s ^ data[i]) * 16777619u;
	return s;
}

struct answer {
	char head[32];
	size_t head_len, body_len;
	bool close;
};

/* Returns the request's length, 0 if it has not ended. */
static size_t parse(const uint8_t *data, size_t len, struct answer *a)
{
	const uint8_t *const end = memchr(data, '\n', len);
	const uint8_t *at = data;
	size_t number = 0;

	if (end == NULL && len < LIMIT_REQUEST_HEAD_LEN)
		return 0;
	a->close = len > 0 && *at == 'c';
	at += a->close;
	for (; end != NULL && at < end && *at >= '0' && *at <= '9'; at++)
		number = (number * 10 + (*at - '0')) % (LINE_BODY_CAP + 1);
	if (at != end) {
		a->close = true;
		a->head_len = (size_t)sprintf(a->head, "bad");
		a->body_len = 0;
		return end == NULL ? len : (size_t)(end - data) + 1;
	}
	a->head_len = (size_t)sprintf(a->head, "<%zu>", number);
	a->body_len = number;
	return (size_t)(end - data) + 1;
}

size_t line_answer(const char *requests, uint8_t *out)
{
	size_t out_len = 0, len = strlen(requests);
	struct answer a = { .close = false };

	while (len > 0 && !a.close) {
		const size_t used = parse((const uint8_t *)requests, len, &a);

		if (used == 0)
			break;
		memcpy(out + out_len, a.head, a.head_len);
		out_len += a.head_len;
		memcpy(out + out_len, line_body(), a.body_len);
		out_len += a.body_len;
		requests += used;
		len -= used;
	}
	return out_len;
}

/* ---- The app --------------------------------------------------------------- */

static bool is_busy(const struct conn *c)
{
	return c->closing || c->rest_len > 0 || c->blocked;
}

static void close_now(struct conn *c, struct stream *s)
{
	c->closing = true;
	stream_close(s);
}

static bool opened(void *app, struct stream *s)
{
	struct conn *const c = app;

	(void)s;
	check(c->rest_len == 0 && c->held_len == 0 && !is_busy(c));
	line.opened++;
	return !line.refuse;
}

static void end_answer(struct conn *c, struct stream *s)
{
	if (c->rest_len == 0 && c->close_after)
		close_now(c, s);
}

static bool send_answer(struct conn *c, struct stream *s,
    const struct answer *a)
{
	size_t taken = 0;

	if (!stream_send(s, a->head, a->head_len, line_body(), a->body_len,
	    &taken)) {
		c->blocked = true;
		stream_set_wait(s, NET_WAIT_WRITE);
		return false;
	}
	check(taken <= a->body_len);
	line.answers++;
	c->rest = line_body() + taken;
	c->rest_len = a->body_len - taken;
	c->close_after = a->close;
	if (c->rest_len > 0)
		stream_set_wait(s, NET_WAIT_WRITE);
	end_answer(c, s);
	return true;
}

static void settle(struct conn *c, struct stream *s)
{
	if (is_busy(c))
		return;
	if (c->peer_closed && !line.stays)
		close_now(c, s);
	else if (c->held_len == 0)
		stream_set_wait(s, NET_WAIT_IDLE);
	else if (s->wait != NET_WAIT_REQUEST)
		stream_set_wait(s, NET_WAIT_REQUEST);
}

static size_t received(void *app, struct stream *s,
    const uint8_t *data, size_t len, size_t fresh)
{
	struct conn *const c = app;
	size_t used = 0;

	check(!c->closing && s->is_open);
	/* All that was there, and something new or, when asked for, nothing. */
	check(fresh == c->held_len && len >= fresh && len > 0);
	check(sum(data, fresh) == c->held_sum || fresh == 0);
	if (len > line.longest_offer)
		line.longest_offer = len;
	while (used < len && !is_busy(c) && !line.is_deaf) {
		struct answer a;
		const size_t n = parse(data + used, len - used, &a);

		if (n == 0)
			break;
		if (line.abort) {
			stream_abort(s);
			return len;
		}
		if (!send_answer(c, s, &a))
			break;
		used += n;
	}
	/* After stream_close() data is gone. */
	if (c->closing)
		return used;
	if (line.always_resumes)
		stream_resume(s);
	c->held_len = len - used;
	c->held_sum = sum(data + used, len - used);
	settle(c, s);
	return used;
}

static void writable(void *app, struct stream *s)
{
	struct conn *const c = app;

	check(!c->closing);
	line.writable++;
	if (line.is_bystander)
		return;
	/* It is told when it waits, not else. */
	check(c->rest_len > 0 || c->blocked);
	if (c->rest_len > 0) {
		const size_t sent =
		    stream_send_static(s, c->rest, c->rest_len);

		c->rest += sent;
		c->rest_len -= sent;
		if (c->rest_len > 0)
			return;
		end_answer(c, s);
		if (c->closing)
			return;
	}
	c->blocked = false;
	if (c->held_len > 0)
		stream_resume(s);
	else
		settle(c, s);
}

static void peer_closed(void *app, struct stream *s)
{
	struct conn *const c = app;

	check(!c->closing && !c->peer_closed);
	line.peer_closed++;
	c->peer_closed = true;
	settle(c, s);
}

static void expired(void *app, struct stream *s, enum net_wait state)
{
	struct conn *const c = app;
	static const struct answer late = {
		.head = "late", .head_len = 4, .close = true
	};

	check(!c->closing);
	line.expired[state]++;
	if (state == NET_WAIT_IDLE)
		close_now(c, s);
	else if (state == NET_WAIT_REQUEST)
		(void)send_answer(c, s, &late);
}

static void closed(void *app)
{
	(void)app;
	line.closed++;
}

const struct stream_app line_app = {
	.app_len = sizeof(struct conn),
	.opened = opened,
	.received = received,
	.writable = writable,
	.peer_closed = peer_closed,
	.expired = expired,
	.closed = closed,
};
