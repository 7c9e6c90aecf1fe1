/*
 * Private streams: the functions that net calls, and the handshake; see private_int.h.
 *
 * Before the client's first byte nothing is allocated.  From then on one deadline,
 * that of a request, holds for the whole handshake.  Handshake objects are fewer
 * than connections: when none is left, the oldest handshake is reset for the new
 * one.  So who loses is who takes longest; and to push others out, one has to send
 * as many ClientHellos as there are objects within the two round trips and the
 * signature that an honest handshake takes.
 */
#include "tls/private_int.h"

#include "config/limits.h"

const struct stream_app *private_app;
struct tls_counters private_counters;
struct stream *private_current;

/* Those with a handshake object. */
static struct {
	struct tls_session *oldest, *newest;
} handshakes;

size_t private_session_len(void)
{
	return SESSION_KEYS_OFF + tls_keys_len();
}

/* ---- Handshakes by age ----------------------------------------------------- */

static void add_handshake(struct tls_session *t, struct tls_handshake *hs)
{
	t->handshake = hs;
	t->older = handshakes.newest;
	t->newer = NULL;
	if (t->older != NULL)
		t->older->newer = t;
	else
		handshakes.oldest = t;
	handshakes.newest = t;
}

/* Wipe the object and give it back, if there is one. */
static void remove_handshake(struct tls_session *t)
{
	if (t->handshake == NULL)
		return;
	tls_handshake_wipe(t->handshake);
	net_handshake_give(t->handshake);
	t->handshake = NULL;
	if (t->older != NULL)
		t->older->newer = t->newer;
	else
		handshakes.oldest = t->newer;
	if (t->newer != NULL)
		t->newer->older = t->older;
	else
		handshakes.newest = t->older;
}

static bool start_handshake(struct tls_session *t)
{
	struct tls_handshake *hs = net_handshake_take();

	if (hs == NULL && handshakes.oldest != NULL) {
		net_abort(handshakes.oldest->stream->net);
		hs = net_handshake_take();
	}
	if (hs == NULL)
		return false;
	tls_handshake_start(hs);
	add_handshake(t, hs);
	return true;
}

/* ---- The end --------------------------------------------------------------- */

/* Wipe and give back what is of no use without more of the client's bytes. */
static void forget(struct tls_session *t)
{
	if (t->state == SESSION_HANDSHAKE)
		private_counters.failed++;
	if (t->state == SESSION_OPEN)
		tls_keys_wipe(session_keys(t));
	remove_handshake(t);
	t->state = SESSION_ENDING;
}

void private_end(struct stream *s)
{
	struct tls_session *const t = s->tls;

	forget(t);
	if (t->kept_len > 0) {
		net_hold_give(s->net);
		t->kept = NULL;
		t->kept_len = 0;
	}
	if (outgoing_flush(t))
		net_close(s->net);
	else
		net_set_wait(s->net, NET_WAIT_WRITE);
}

void private_fail(struct stream *s, enum tls_alert alert)
{
	outgoing_append_alert(s->tls, true, alert);
	private_end(s);
}

/* RFC 5246, section 7.2.1: each party MUST send close_notify before it closes. */
void private_close(struct stream *s)
{
	if (s->tls->state == SESSION_ENDING)
		return;
	outgoing_append_alert(s->tls, false, TLS_CLOSE_NOTIFY);
	private_end(s);
}

void private_take_end(struct stream *s)
{
	struct tls_session *const t = s->tls;

	if (t->state == SESSION_HANDSHAKE) {
		private_end(s);
	} else if (!t->told_closed) {
		t->told_closed = true;
		private_app->peer_closed(app_of(s), s);
	}
}

/* ---- The handshake --------------------------------------------------------- */

static void open_stream(struct stream *s)
{
	struct tls_session *const t = s->tls;

	if (tls_handshake_was_resumed(t->handshake))
		private_counters.resumed++;
	else
		private_counters.full++;
	tls_handshake_finish(t->handshake, session_keys(t));
	remove_handshake(t);
	t->state = SESSION_OPEN;
	stream_set_wait(s, NET_WAIT_IDLE);
	s->is_open = true;
	if (!private_app->opened(app_of(s), s) && private_current == s) {
		s->is_open = false;
		net_abort(s->net);
	}
}

bool private_take_handshake(struct stream *s,
    const uint8_t *record, size_t len)
{
	struct tls_session *const t = s->tls;
	uint8_t *const out = net_record_take(s->net, TLS_FLIGHT_MAX);
	size_t out_len = 0;

	if (out == NULL)
		return false;
	if (t->handshake == NULL && !start_handshake(t)) {
		net_record_release(out);
		net_abort(s->net);
		return false;
	}
	t->handshake_len += (uint32_t)len;
	switch (tls_handshake_take(t->handshake, record, len, out, &out_len)) {
	case TLS_MORE:
		outgoing_send(t, out, out_len);
		break;
	case TLS_DONE:
		outgoing_send(t, out, out_len);
		open_stream(s);
		break;
	case TLS_FAILED:
		outgoing_send(t, out, out_len);
		private_end(s);
		break;
	}
	return true;
}

/* ---- What net calls -------------------------------------------------------- */

static bool on_opened(void *state, struct net_conn *net)
{
	struct stream *const s = state;

	s->net = net;
	s->is_private = true;
	return true;
}

/* The client's first byte. */
static bool begin(struct stream *s)
{
	struct tls_session *const t = net_session_take();

	if (t == NULL) {
		net_abort(s->net);
		return false;
	}
	__builtin_memset(t, 0, sizeof *t);
	t->stream = s;
	s->tls = t;
	net_set_wait(s->net, NET_WAIT_REQUEST);
	return true;
}

static size_t on_received(void *state, struct net_conn *net,
    const uint8_t *data, size_t len, size_t fresh)
{
	struct stream *const s = state;

	(void)net;
	(void)fresh;
	private_current = s;
	if (s->tls == NULL && !begin(s))
		return 0;
	return incoming_take(s, data, len);
}

static void on_writable(void *state, struct net_conn *net)
{
	struct stream *const s = state;
	struct tls_session *const t = s->tls;

	private_current = s;
	if (t == NULL || !outgoing_flush(t))
		return;
	if (t->state == SESSION_ENDING) {
		net_close(net);
		return;
	}
	if (t->app_waits) {
		t->app_waits = false;
		private_app->writable(app_of(s), s);
	}
	if (is_alive(s) && t->stalled)
		net_resume(net);
}

static void on_peer_closed(void *state, struct net_conn *net)
{
	struct stream *const s = state;
	struct tls_session *const t = s->tls;

	private_current = s;
	if (t == NULL) {
		net_close(net);
		return;
	}
	t->got_fin = true;
	if (is_alive(s) && !t->stalled)
		private_take_end(s);
}

/*
 * A handshake that takes too long has no alert of its own: it is reset, and so is
 * an end that the client does not acknowledge.
 */
static void on_expired(void *state, struct net_conn *net, enum net_wait wait)
{
	struct stream *const s = state;

	private_current = s;
	if (s->tls == NULL)
		net_close(net);
	else if (s->tls->state == SESSION_OPEN)
		private_app->expired(app_of(s), s, wait);
}

static void on_closed(void *state)
{
	struct stream *const s = state;
	struct tls_session *const t = s->tls;

	if (private_current == s)
		private_current = NULL;
	if (s->is_open)
		private_app->closed(app_of(s));
	if (t == NULL)
		return;
	forget(t);
	if (t->record_left > 0)
		net_record_release(t->record);
	s->tls = NULL;
	net_session_give(t);
}

struct net_app private_net_app = {
	.opened = on_opened,
	.received = on_received,
	.writable = on_writable,
	.peer_closed = on_peer_closed,
	.expired = on_expired,
	.closed = on_closed,
};

void private_resume(struct stream *s)
{
	s->tls->resume = true;
	net_resume(s->net);
}
