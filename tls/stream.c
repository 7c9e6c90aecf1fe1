/*
 * Plain streams, and who listens; see stream.h.  A plain stream adds nothing to a
 * connection: each function hands on to the app what net handed to it.
 */
#include "tls/stream.h"

#include "config/limits.h"
#include "tls/stream_int.h"

static const struct stream_app *plain_app;

static inline void *app_of(struct stream *s)
{
	return (uint8_t *)s + STREAM_LEN;
}

static bool plain_opened(void *state, struct net_conn *net)
{
	struct stream *const s = state;

	s->net = net;
	s->is_open = true;
	return plain_app->opened(app_of(s), s);
}

static size_t plain_received(void *state, struct net_conn *net,
    const uint8_t *data, size_t len, size_t fresh)
{
	struct stream *const s = state;

	(void)net;
	return plain_app->received(app_of(s), s, data, len, fresh);
}

static void plain_writable(void *state, struct net_conn *net)
{
	struct stream *const s = state;

	(void)net;
	plain_app->writable(app_of(s), s);
}

static void plain_peer_closed(void *state, struct net_conn *net)
{
	struct stream *const s = state;

	(void)net;
	plain_app->peer_closed(app_of(s), s);
}

static void plain_expired(void *state, struct net_conn *net,
    enum net_wait wait)
{
	struct stream *const s = state;

	(void)net;
	plain_app->expired(app_of(s), s, wait);
}

static void plain_closed(void *state)
{
	plain_app->closed(app_of(state));
}

struct net_app plain_net_app = {
	.opened = plain_opened,
	.received = plain_received,
	.writable = plain_writable,
	.peer_closed = plain_peer_closed,
	.expired = plain_expired,
	.closed = plain_closed,
};

void stream_prepare_plain(const struct stream_app *app)
{
	plain_app = app;
	plain_net_app.app_len = STREAM_LEN + app->app_len;
}

void stream_prepare_private(const struct stream_app *app)
{
	private_app = app;
	private_net_app.app_len = STREAM_LEN + app->app_len;
}

bool stream_listen_plain(uint16_t port, const struct stream_app *app)
{
	stream_prepare_plain(app);
	return net_listen(port, &plain_net_app);
}

bool stream_listen_private(uint16_t port, const struct stream_app *app)
{
	stream_prepare_private(app);
	return net_listen(port, &private_net_app);
}
