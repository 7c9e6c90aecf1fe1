/*
 * An app for tests; see tiny_app.h.
 */
#include "tests/net/tiny_app.h"

#include <stdio.h>
#include <string.h>

#include "tests/net/wire.h"

struct tiny_counters tiny_counters;
bool tiny_refuse, tiny_abort, tiny_piecewise;

struct tiny {
	size_t sent, total;
	bool busy;
	bool close_after;
	bool peer_closed;
};

static bool opened(void *app, struct net_conn *conn)
{
	(void)app;
	(void)conn;
	if (tiny_refuse)
		return false;
	tiny_counters.opened++;
	return true;
}

static void go_on(struct tiny *t, struct net_conn *conn)
{
	while (t->sent < t->total) {
		const size_t left = t->total - t->sent;
		const size_t want = tiny_piecewise && left > 7 ? 7 : left;
		const size_t n = net_send_static(conn, wire_info.rom + t->sent, want);

		t->sent += n;
		if (n < want)
			return;
	}
	t->busy = false;
	tiny_counters.answered++;
	if (t->close_after || t->peer_closed) {
		net_close(conn);
		return;
	}
	net_set_wait(conn, NET_WAIT_IDLE);
	net_resume(conn);
}

static size_t received(void *app, struct net_conn *conn, const uint8_t *data,
    size_t len, size_t fresh)
{
	struct tiny *t = app;
	const uint8_t *end = memchr(data, '\n', len);
	char line[40];
	size_t n = 0, i = 0;

	tiny_counters.received_calls++;
	if (fresh > tiny_counters.fresh_max)
		tiny_counters.fresh_max = fresh;
	if (tiny_abort) {
		net_abort(conn);
		return 0;
	}
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
	n = n > 0 ? n : 0;
	snprintf(line, sizeof line, "%zu bytes\n", n);
	net_set_wait(conn, NET_WAIT_WRITE);
	t->busy = true;
	t->sent = 0;
	t->total = n;
	if (!net_send_copy(conn, line, strlen(line))) {
		/* The line is said again when there is room. */
		t->busy = false;
		return 0;
	}
	go_on(t, conn);
	return (size_t)(end - data) + 1;
}

static void writable(void *app, struct net_conn *conn)
{
	struct tiny *t = app;

	if (t->busy)
		go_on(t, conn);
	else
		net_resume(conn);
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
	(void)app;
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
