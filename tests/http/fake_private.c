/*
 * Private streams without secrets: as tls/stream.c's plain ones, but that they say they
 * are private.  What stands in the place of tls/private.c where HTTP is tested.
 */
#include "tls/private.h"

const struct stream_app *private_app;

static struct stream *stream_of(void *state)
{
	return state;
}

static void *app_of(void *state)
{
	return (uint8_t *)state + STREAM_LEN;
}

static bool opened(void *state, struct net_conn *net)
{
	struct stream *const s = stream_of(state);

	s->net = net;
	s->is_private = true;
	s->is_open = true;
	return private_app->opened(app_of(state), s);
}

static size_t received(void *state, struct net_conn *net,
    const uint8_t *data, size_t len, size_t fresh)
{
	(void)net;
	return private_app->received(app_of(state), stream_of(state), data,
	    len, fresh);
}

static void writable(void *state, struct net_conn *net)
{
	(void)net;
	private_app->writable(app_of(state), stream_of(state));
}

static void peer_closed(void *state, struct net_conn *net)
{
	(void)net;
	private_app->peer_closed(app_of(state), stream_of(state));
}

static void expired(void *state, struct net_conn *net, enum net_wait wait)
{
	(void)net;
	private_app->expired(app_of(state), stream_of(state), wait);
}

static void closed(void *state)
{
	private_app->closed(app_of(state));
}

struct net_app private_net_app = {
	.opened = opened,
	.received = received,
	.writable = writable,
	.peer_closed = peer_closed,
	.expired = expired,
	.closed = closed,
};

bool private_send(struct stream *s, const void *head, size_t head_len,
    const void *body, size_t body_len, size_t *taken)
{
	if (!net_send_copy(s->net, head, head_len))
		return false;
	*taken = net_send_static(s->net, body, body_len);
	return true;
}

size_t private_send_static(struct stream *s, const void *data, size_t len)
{
	return net_send_static(s->net, data, len);
}

void private_resume(struct stream *s)
{
	net_resume(s->net);
}

void private_close(struct stream *s)
{
	net_close(s->net);
}
