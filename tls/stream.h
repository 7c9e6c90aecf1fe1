/*
 * Byte streams: what HTTP sees of a connection, plain or private.  The same shape as
 * net.h, one layer up: on a private stream the bytes are those inside the TLS
 * records, and nobody above can tell but by stream_is_private().
 *
 * Rules of net.h hold here, too: one thread, pull-style, the functions of the app are
 * called inside net_poll(), every stream is always in one `net_wait` state.  On a
 * private stream opened() comes after the handshake, which has its own deadline.
 */
#pragma once

#include "config/base.h"
#include "net/net.h"

struct tls_session;

/* The first bytes of net's app state for a connection; tls/stream.c and below only. */
struct stream {
	struct net_conn *net;
	struct tls_session *tls;    /* NULL: plain, or private and no byte came yet */
	bool is_private;
	bool is_open;               /* opened() was called and did not refuse */
	uint8_t wait;               /* enum net_wait: what the app last asked for */
};

#define STREAM_LEN 32
_Static_assert(sizeof(struct stream) <= STREAM_LEN, "the app's state lies behind it");

/* As struct net_app, with streams in place of connections. */
struct stream_app {
	size_t app_len;     /* 0..LIMIT_CONN_APP_LEN - STREAM_LEN */
	bool (*opened)(void *app, struct stream *s);
	size_t (*received)(void *app, struct stream *s,
	    const uint8_t *data, size_t len, size_t fresh);
	void (*writable)(void *app, struct stream *s);
	/*
	 * No byte follows those handed over: FIN, or on a private stream close_notify.
	 * A private stream that ends by FIN alone looks the same here: its last request
	 * may be cut off, and an incomplete request is dropped anyway.
	 */
	void (*peer_closed)(void *app, struct stream *s);
	void (*expired)(void *app, struct stream *s, enum net_wait state);
	void (*closed)(void *app);
};

/*
 * Start listening: streams to `port` go to `app`, which is kept by reference; one
 * call for plain ones, one for private ones (after tls_start()).
 * Returns false when there is no listener left or app_len is too large.
 */
MUST_USE bool stream_listen_plain(uint16_t port, const struct stream_app *app);
MUST_USE bool stream_listen_private(uint16_t port, const struct stream_app *app);

/* True inside TLS: whoever listens on the way can neither read nor change it. */
static inline bool stream_is_private(const struct stream *s)
{
	return s->is_private;
}

/* tls/private.c: the same functions for a private stream. */
bool private_send(struct stream *s, const void *head, size_t head_len,
    const void *body, size_t body_len, size_t *taken);
size_t private_send_static(struct stream *s, const void *data, size_t len);
void private_resume(struct stream *s);
void private_close(struct stream *s);

/*
 * Queue the beginning of a message: head, 1..512 bytes that are copied, all or
 * nothing; and behind it as much of body, bytes that stay as they are for ever (ROM or
 * rodata), as there is room for.
 *
 * taken    how many bytes of body, from the front; if less than body_len,
 *          writable() follows and the rest goes into stream_send_static()
 * Returns false when there is no room for the head: nothing was queued, writable() follows.
 */
MUST_USE static inline bool stream_send(struct stream *s,
    const void *head, size_t head_len,
    const void *body, size_t body_len, size_t *taken)
{
	if (s->is_private)
		return private_send(s, head, head_len, body, body_len, taken);
	if (!net_send_copy(s->net, head, head_len))
		return false;
	*taken = net_send_static(s->net, body, body_len);
	return true;
}

/* As net_send_static(), for ROM and rodata only. */
MUST_USE static inline size_t stream_send_static(struct stream *s,
    const void *data, size_t len)
{
	return s->is_private ? private_send_static(s, data, len) :
	    net_send_static(s->net, data, len);
}

static inline void stream_set_wait(struct stream *s, enum net_wait state)
{
	s->wait = (uint8_t)state;
	net_set_wait(s->net, state);
}

/* As net_resume(). */
static inline void stream_resume(struct stream *s)
{
	if (s->is_private)
		private_resume(s);
	else
		net_resume(s->net);
}

/* As net_close(); a private stream says close_notify first. */
static inline void stream_close(struct stream *s)
{
	if (s->is_private)
		private_close(s);
	else
		net_close(s->net);
}

static inline void stream_abort(struct stream *s)
{
	net_abort(s->net);
}

static inline const struct net_peer *stream_peer(const struct stream *s)
{
	return net_peer(s->net);
}
