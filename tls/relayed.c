/*
 * Connections that may begin with a PROXY header; see relayed.h.
 *
 * Until the header has been read a connection's state is `struct relayed`; then it is
 * cleared, and net calls the functions of the stream below the app in place of these.
 * So what is done here costs nothing afterwards.
 */
#include "tls/relayed.h"

#include "net/proxy.h"
#include "tls/stream_int.h"

struct relayed {
	const struct net_app *next;    /* plain or private streams */
	bool began;                    /* a byte of the header came */
};

_Static_assert(sizeof(struct relayed) <= STREAM_LEN,
    "it lies where the stream will be");

static const struct net_ranges *trusted;
static struct relayed_counters counters;

/* The connection is the stream's from here on, with nothing of ours in its state. */
static bool hand_on(void *state, struct net_conn *conn,
    const struct net_app *next)
{
	__builtin_memset(state, 0, sizeof(struct relayed));
	net_set_app(conn, next);
	return next->opened(state, conn);
}

static bool open_for(void *state, struct net_conn *conn,
    const struct net_app *next)
{
	struct relayed *const r = state;

	if (!net_ranges_hold(trusted, net_peer(conn)))
		return hand_on(state, conn, next);
	r->next = next;
	/* A proxy speaks at once: its silence is not that of an idle client. */
	net_set_wait(conn, NET_WAIT_REQUEST);
	return true;
}

static bool on_opened_plain(void *state, struct net_conn *conn)
{
	return open_for(state, conn, &plain_net_app);
}

static bool on_opened_private(void *state, struct net_conn *conn)
{
	return open_for(state, conn, &private_net_app);
}

static void on_closed(void *state)
{
	(void)state;
}

/* Of a connection that is reset at once. */
static const struct net_app refused_app = { .closed = on_closed };

static size_t on_received(void *state, struct net_conn *conn,
    const uint8_t *data, size_t len, size_t fresh)
{
	struct relayed *const r = state;
	const struct net_app *const next = r->next;
	struct proxy_header header;

	(void)fresh;
	r->began = true;
	switch (proxy_parse(data, len, &header)) {
	case PROXY_NEED_MORE:
		return 0;
	case PROXY_BAD:
		counters.refused++;
		net_abort(conn);
		return 0;
	case PROXY_OK:
		break;
	}
	counters.accepted++;
	if (header.has_peer)
		net_set_peer(conn, &header.peer);
	net_set_wait(conn, NET_WAIT_IDLE);
	if (!hand_on(state, conn, next)) {
		/* Who refuses a connection does not hear of its end. */
		net_set_app(conn, &refused_app);
		net_abort(conn);
		return 0;
	}
	if (header.len == len)
		return len;
	/* All that follows is new to the stream. */
	return header.len +
	    next->received(state, conn, data + header.len, len - header.len, 0);
}

/* Nothing was sent, so nobody waits for room. */
static void on_writable(void *state, struct net_conn *conn)
{
	(void)state;
	(void)conn;
}

/* Without a byte it was a look whether somebody listens: proxies do that, too. */
static void on_peer_closed(void *state, struct net_conn *conn)
{
	const struct relayed *const r = state;

	if (r->began)
		counters.refused++;
	net_close(conn);
}

/* It is reset. */
static void on_expired(void *state, struct net_conn *conn, enum net_wait wait)
{
	(void)state;
	(void)conn;
	(void)wait;
	counters.refused++;
}

#define FUNCTIONS \
	.received = on_received, \
	.writable = on_writable, \
	.peer_closed = on_peer_closed, \
	.expired = on_expired, \
	.closed = on_closed

static struct net_app relayed_plain = {
	.opened = on_opened_plain, FUNCTIONS
};
static struct net_app relayed_private = {
	.opened = on_opened_private, FUNCTIONS
};

bool relayed_listen_plain(uint16_t port, const struct stream_app *app,
    const struct net_ranges *proxies)
{
	trusted = proxies;
	stream_prepare_plain(app);
	relayed_plain.app_len = plain_net_app.app_len;
	return net_listen(port, &relayed_plain);
}

bool relayed_listen_private(uint16_t port, const struct stream_app *app,
    const struct net_ranges *proxies)
{
	trusted = proxies;
	stream_prepare_private(app);
	relayed_private.app_len = private_net_app.app_len;
	return net_listen(port, &relayed_private);
}

const struct relayed_counters *relayed_counters(void)
{
	return &counters;
}
