/*
 * An app for tests; see tiny_app.h.
 */
#include "tests/net/tiny_app.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "config/limits.h"
#include "net/pools.h"
#include "tests/net/wire.h"

#define LINE_CAP 40

struct tiny_counters tiny_counters;
bool tiny_refuse, tiny_abort, tiny_piecewise, tiny_records, tiny_holds;
bool tiny_insists;
struct net_conn *tiny_victim, *tiny_last;

struct tiny {
	size_t sent, total;       /* of the answer's ROM part, with tiny_records of all */
	bool busy;
	bool close_after;
	bool peer_closed;
	uint8_t step;             /* how many records this answer had */
	uint8_t *record;          /* not wholly queued */
	uint32_t record_len, record_off;
	uint8_t *hold;
	uint32_t hold_len;
	void *session, *handshake;
};

_Static_assert(sizeof(struct tiny) <= LIMIT_CONN_APP_LEN, "fits into a connection");

static bool opened(void *app, struct net_conn *conn)
{
	struct tiny *t = app;

	tiny_last = conn;
	if (tiny_refuse)
		return false;
	if (wire_needs.session_len > 0) {
		t->session = net_session_take();
		if (t->session == NULL)
			return false;
		t->handshake = net_handshake_take();
	}
	tiny_counters.opened++;
	return true;
}

/* ---- Answers ------------------------------------------------------------- */

static size_t format_line(char line[LINE_CAP], size_t n)
{
	return (size_t)snprintf(line, LINE_CAP, "%zu bytes\n", n);
}

static void answered(struct tiny *t, struct net_conn *conn)
{
	t->busy = false;
	tiny_counters.answered++;
	if (t->close_after || t->peer_closed) {
		net_close(conn);
		return;
	}
	net_set_wait(conn, NET_WAIT_IDLE);
	net_resume(conn);
}

/* Bytes [at, at + len) of the answer to a request for n. */
static void copy_answer(uint8_t *to, size_t n, size_t at, size_t len)
{
	char line[LINE_CAP];
	const size_t line_len = format_line(line, n);
	size_t head = 0;

	if (at < line_len) {
		head = line_len - at < len ? line_len - at : len;
		memcpy(to, line + at, head);
	}
	memcpy(to + head, wire_info.rom + at + head - line_len, len - head);
}

/* The next record of an answer that is `all` bytes long; false: not now. */
static bool build_record(struct tiny *t, struct net_conn *conn, size_t all)
{
	static const uint8_t segments[] = { 1, 2, 4, 8, 11 };
	const size_t step = t->step < sizeof segments ? t->step : sizeof segments - 1;
	const size_t room = net_send_room(conn);
	size_t len = segments[step] * net_segment_len(conn);

	if (room == 0)
		return false;
	if (len > room)
		len = room;
	if (len > all - t->sent)
		len = all - t->sent;
	if (len > LIMIT_RECORD_LEN - 1)
		len = LIMIT_RECORD_LEN - 1;
	t->record = net_record_take(conn, len);
	if (t->record == NULL) {
		tiny_counters.records_refused++;
		return false;
	}
	tiny_counters.records++;
	memset(t->record, 0x5a, len);
	copy_answer(t->record, t->total, t->sent, len);
	t->record_len = (uint32_t)len;
	t->record_off = 0;
	if (t->step < 255)
		t->step++;
	return true;
}

/* Room was promised for all of it, unless memory for segments is short. */
static void check_promise(const struct tiny *t)
{
	assert(t->record_off == t->record_len || pool_left(POOL_SEGMENT) < 70 ||
	    pool_left(POOL_REF) < 70 || pool_left(POOL_SMALL) < 70);
}

static void send_records(struct tiny *t, struct net_conn *conn)
{
	char line[LINE_CAP];
	const size_t all = format_line(line, t->total) + t->total;

	while (t->sent < all) {
		const bool is_new = t->record == NULL;

		if (is_new && !build_record(t, conn, all))
			return;
		t->record_off += (uint32_t)net_send_static(conn,
		    t->record + t->record_off, t->record_len - t->record_off);
		if (is_new)
			check_promise(t);
		if (t->record_off < t->record_len)
			return;
		t->sent += t->record_len;
		net_record_release(t->record);
		t->record = NULL;
	}
	answered(t, conn);
}

static void send_rom(struct tiny *t, struct net_conn *conn)
{
	while (t->sent < t->total) {
		const size_t left = t->total - t->sent;
		const size_t want = tiny_piecewise && left > 7 ? 7 : left;
		const size_t n = net_send_static(conn, wire_info.rom + t->sent, want);

		t->sent += n;
		if (n < want)
			return;
	}
	answered(t, conn);
}

/* ---- Requests ------------------------------------------------------------ */

/* Returns the length of the request's line, 0 when it is not there or has to wait. */
static size_t take_request(struct tiny *t, struct net_conn *conn,
    const uint8_t *data, size_t len)
{
	const uint8_t *end = memchr(data, '\n', len);
	char line[LINE_CAP];
	size_t n = 0, i = 0;

	if (t->busy)
		return 0;
	if (end == NULL) {
		net_set_wait(conn, NET_WAIT_REQUEST);
		return 0;
	}
	while (data[i] >= '0' && data[i] <= '9' && n < 100000000)
		n = 10 * n + (size_t)(data[i++] - '0');
	if (n > wire_info.rom_len)
		n = wire_info.rom_len;
	t->close_after = data[i] == ' ';
	net_set_wait(conn, NET_WAIT_WRITE);
	t->busy = true;
	t->sent = 0;
	t->step = 0;
	t->total = n;
	if (tiny_records) {
		send_records(t, conn);
		return (size_t)(end - data) + 1;
	}
	if (!net_send_copy(conn, line, format_line(line, n))) {
		/* The line is said again when there is room. */
		t->busy = false;
		return 0;
	}
	send_rom(t, conn);
	return (size_t)(end - data) + 1;
}

/* Consume what "ends a record" into the app's own buffer; SIZE_MAX: there is none. */
static size_t fill_hold(struct tiny *t, struct net_conn *conn,
    const uint8_t *data, size_t len)
{
	while (len > 0 && data[len - 1] != '0' && data[len - 1] != '\n')
		len--;
	if (len > LIMIT_HOLD_LEN - t->hold_len)
		len = LIMIT_HOLD_LEN - t->hold_len;
	if (len == 0)
		return 0;
	if (t->hold == NULL)
		t->hold = net_hold_take(conn);
	if (t->hold == NULL)
		return SIZE_MAX;
	memcpy(t->hold + t->hold_len, data, len);
	t->hold_len += (uint32_t)len;
	return len;
}

static size_t received_held(struct tiny *t, struct net_conn *conn,
    const uint8_t *data, size_t len)
{
	const size_t used = fill_hold(t, conn, data, len);
	size_t line_len = 0;

	if (used == SIZE_MAX) {
		net_abort(conn);
		return 0;
	}
	if (t->hold_len > 0)
		line_len = take_request(t, conn, t->hold, t->hold_len);
	else if (!t->busy)
		net_set_wait(conn, NET_WAIT_REQUEST);
	t->hold_len -= (uint32_t)line_len;
	if (t->hold_len > 0) {
		memmove(t->hold, t->hold + line_len, t->hold_len);
	} else {
		net_hold_give(conn);
		t->hold = NULL;
	}
	return used;
}

static void end_victim(const struct net_conn *conn)
{
	struct net_conn *victim = tiny_victim;

	if (victim == NULL || victim == conn)
		return;
	tiny_victim = NULL;
	net_abort(victim);
}

static size_t received(void *app, struct net_conn *conn, const uint8_t *data,
    size_t len, size_t fresh)
{
	struct tiny *t = app;

	tiny_last = conn;
	tiny_counters.received_calls++;
	if (fresh > tiny_counters.fresh_max)
		tiny_counters.fresh_max = fresh;
	if (t->handshake != NULL) {
		net_handshake_give(t->handshake);
		t->handshake = NULL;
	}
	if (tiny_abort) {
		net_abort(conn);
		return 0;
	}
	end_victim(conn);
	if (tiny_insists)
		net_resume(conn);
	if (tiny_holds || t->hold != NULL)
		return received_held(t, conn, data, len);
	return take_request(t, conn, data, len);
}

/* ---- Events -------------------------------------------------------------- */

static void writable(void *app, struct net_conn *conn)
{
	struct tiny *t = app;

	tiny_last = conn;
	end_victim(conn);
	if (!t->busy)
		net_resume(conn);
	else if (tiny_records)
		send_records(t, conn);
	else
		send_rom(t, conn);
}

static void peer_closed(void *app, struct net_conn *conn)
{
	struct tiny *t = app;

	tiny_counters.peer_closed++;
	t->peer_closed = true;
	if (!t->busy)
		net_close(conn);
}

static void expired(void *app, struct net_conn *conn, enum net_wait state)
{
	(void)app;
	tiny_counters.expired[state]++;
	if (state == NET_WAIT_REQUEST && net_send_copy(conn, "late\n", 5))
		net_close(conn);
}

static void closed(void *app)
{
	struct tiny *t = app;

	if (t->record != NULL)
		net_record_release(t->record);
	if (t->handshake != NULL)
		net_handshake_give(t->handshake);
	if (t->session != NULL)
		net_session_give(t->session);
	tiny_counters.closed++;
}

const struct net_app tiny_app = {
	.app_len = sizeof(struct tiny),
	.opened = opened,
	.received = received,
	.writable = writable,
	.peer_closed = peer_closed,
	.expired = expired,
	.closed = closed,
};
