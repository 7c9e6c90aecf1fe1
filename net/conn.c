/*
 * Connections: birth, received bytes, death; see conn.h for the fields.
 *
 * Everything here runs inside one turn of net_poll(): either inside lwIP's
 * input of a frame (the on_ functions below) or from a deadline.  The app may
 * end a connection inside its own call; so after each call, `dead` is looked at
 * before anything else, and lwIP is told ERR_ABRT, because the pcb is gone.
 */
#include "net/conn.h"

#include "net/counters.h"
#include "net/hooks.h"
#include "net/pools.h"
#include "net/records.h"

#include "lwip/priv/tcp_priv.h"

#define LISTENERS_CAP 4

static struct tcp_pcb_listen *listeners[LISTENERS_CAP];
static size_t listener_count;

/* ---- Death --------------------------------------------------------------- */

/* Give back the bytes that were received and not consumed. */
static void release_hold(struct net_conn *conn)
{
	if (conn->hold == NULL)
		return;
	pool_give(POOL_HOLD, conn->hold);
	conn->hold = NULL;
	conn->hold_len = 0;
}

/* It waits for nothing any more, and has nothing of ours. */
static void let_go(struct net_conn *conn)
{
	wait_remove(conn);
	send_forget(conn);
	record_disown(conn);
	release_hold(conn);
	net_hold_give(conn);
}

void conn_finish(struct net_conn *conn)
{
	ASSERT(!conn->dead);
	if (conn->pcb != NULL) {
		tcp_arg(conn->pcb, NULL);
		tcp_recv(conn->pcb, NULL);
		tcp_sent(conn->pcb, NULL);
		tcp_err(conn->pcb, NULL);
		conn->pcb = NULL;
	}
	let_go(conn);
	conn->dead = true;
	conn->app->closed(conn->app_state);
	if (!conn->busy)
		pool_give(POOL_CONN, conn);
}

void net_abort(struct net_conn *conn)
{
	struct tcp_pcb *pcb = conn->pcb;

	if (conn->dead)
		return;
	conn_finish(conn);
	tcp_abort(pcb);
}

void conn_enter(struct net_conn *conn)
{
	ASSERT(!conn->busy);
	conn->busy = true;
}

/* ---- Received bytes ------------------------------------------------------ */

/* Open the peer's window again by what the app is done with. */
static void consume(struct net_conn *conn, size_t used)
{
	if (used > 0)
		tcp_recved(conn->pcb, (u16_t)used);
}

/*
 * Keep bytes that the app did not take; false when there is no memory for them.
 */
static bool keep(struct net_conn *conn, const uint8_t *data, size_t len)
{
	if (conn->hold == NULL) {
		conn->hold = pool_take(POOL_HOLD);
		if (conn->hold == NULL)
			return false;
	}
	/* The window we offer is no larger than the buffer. */
	ASSERT(len <= LIMIT_HOLD_LEN - conn->hold_len);
	__builtin_memcpy(conn->hold + conn->hold_len, data, len);
	conn->hold_len += (uint32_t)len;
	return true;
}

/* Offer the app what is held; returns how much it took. */
static size_t offer_held(struct net_conn *conn, size_t fresh)
{
	const size_t len = conn->hold_len;
	size_t used;

	used = conn->app->received(conn->app_state, conn, conn->hold, len, fresh);
	if (conn->dead || conn->closing)
		return used;
	ASSERT(used <= len);
	conn->hold_len -= (uint32_t)used;
	if (conn->hold_len == 0)
		release_hold(conn);
	else if (used > 0)
		__builtin_memmove(conn->hold, conn->hold + used, conn->hold_len);
	consume(conn, used);
	return used;
}

/*
 * The app asked for another call: offer it what is held, as long as that leads
 * anywhere.  Whether it does, only the app knows that keeps bytes in a buffer of its
 * own; but each call has to use up a byte at least, so there is an end to it.
 */
static void resume(struct net_conn *conn)
{
	for (uint32_t calls = 0; calls < 2 * LIMIT_HOLD_LEN; calls++) {
		size_t used = 0;

		if (!conn->resume || conn->dead || conn->closing)
			return;
		conn->resume = false;
		if (conn->hold != NULL)
			used = offer_held(conn, conn->hold_len);
		else if (conn->app_hold != NULL)
			(void)conn->app->received(conn->app_state, conn,
			    conn->app_hold, 0, 0);
		if (used == 0 && conn->app_hold == NULL)
			return;
	}
}

bool conn_leave(struct net_conn *conn)
{
	if (conn->resume && conn->hold == NULL && conn->app_hold == NULL)
		conn->resume = false;
	if (conn->resume)
		resume(conn);
	conn->busy = false;
	if (conn->dead) {
		pool_give(POOL_CONN, conn);
		return false;
	}
	if (conn->unsent) {
		conn->unsent = false;
		(void)tcp_output(conn->pcb);
	}
	return true;
}

/*
 * A segment arrived: its bytes go to the app in place if nothing older is held.
 */
static void take_segment(struct net_conn *conn, const struct pbuf *p)
{
	const uint8_t *data = p->payload;
	const size_t len = p->len;
	size_t used;

	if (conn->hold != NULL) {
		const size_t fresh = conn->hold_len;

		if (keep(conn, data, len))
			(void)offer_held(conn, fresh);
		return;
	}
	used = conn->app->received(conn->app_state, conn, data, len, 0);
	if (conn->dead)
		return;
	ASSERT(used <= len);
	if (conn->closing) {
		consume(conn, len);
		return;
	}
	if (used < len && !keep(conn, data + used, len - used)) {
		net_abort(conn);
		return;
	}
	consume(conn, used);
}

/* The state of `conn` after the app's call, for lwIP. */
static err_t leave_with_verdict(struct net_conn *conn)
{
	/* The app may be called once more, and end it then. */
	return conn_leave(conn) ? ERR_OK : ERR_ABRT;
}

static err_t on_fin(struct net_conn *conn)
{
	if (conn->closing)
		return ERR_OK;
	conn_enter(conn);
	conn->app->peer_closed(conn->app_state, conn);
	return leave_with_verdict(conn);
}

static err_t on_received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	struct net_conn *conn = arg;

	(void)pcb;
	ASSERT(conn != NULL && err == ERR_OK);
	if (p == NULL)
		return on_fin(conn);
	if (conn->closing) {
		consume(conn, p->tot_len);
		pbuf_free(p);
		return ERR_OK;
	}
	conn_enter(conn);
	/* A frame is one buffer, and segments are not put together again. */
	ASSERT(p->next == NULL);
	take_segment(conn, p);
	pbuf_free(p);
	return leave_with_verdict(conn);
}

static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t len)
{
	struct net_conn *conn = arg;

	(void)pcb;
	(void)len;
	conn_enter(conn);
	send_acknowledged(conn);
	return leave_with_verdict(conn);
}

/*
 * lwIP ended the connection: reset by the peer, given up, or closed on both
 * sides.
 */
static void on_error(void *arg, err_t err)
{
	struct net_conn *conn = arg;

	(void)err;
	conn->pcb = NULL;
	conn_finish(conn);
}

/*
 * Both sides have closed: the pcb stays to keep late segments out, without us.
 */
void conn_pcb_added(struct tcp_pcb *pcb)
{
	demux_add(pcb);
	if (pcb->state == SYN_RCVD)
		wait_add_half_open(pcb);
	if (pcb->state == TIME_WAIT && pcb->callback_arg != NULL)
		conn_finish(pcb->callback_arg);
}

void conn_pcb_removed(struct tcp_pcb *pcb)
{
	demux_remove(pcb);
	wait_remove_half_open(pcb);
}

/* ---- Birth --------------------------------------------------------------- */

static struct net_peer peer_of(const struct tcp_pcb *pcb)
{
	struct net_peer peer = { .port = pcb->remote_port };

	if (IP_IS_V6_VAL(pcb->remote_ip)) {
		peer.is_ipv6 = true;
		__builtin_memcpy(peer.addr, ip_2_ip6(&pcb->remote_ip)->addr, 16);
	} else {
		__builtin_memcpy(peer.addr, ip_2_ip4(&pcb->remote_ip), 4);
	}
	return peer;
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
	const struct net_app *app = arg;
	struct net_conn *conn;
	bool accepted;

	if (err != ERR_OK || pcb == NULL)
		return ERR_VAL;
	wait_remove_half_open(pcb);
	conn = pool_take(POOL_CONN);
	if (conn == NULL)
		return ERR_MEM;

	__builtin_memset(conn, 0, sizeof *conn);
	conn->app = app;
	conn->pcb = pcb;
	link_init(&conn->records);
	conn->peer = peer_of(pcb);
	tcp_arg(pcb, conn);
	tcp_recv(pcb, on_received);
	tcp_sent(pcb, on_sent);
	tcp_err(pcb, on_error);
	/*
	 * A response is queued whole and then sent: nothing to gather by
	 * waiting.
	 */
	tcp_nagle_disable(pcb);
	wait_add(conn, NET_WAIT_IDLE);
	net_counters.connections++;

	conn_enter(conn);
	conn->opening = true;
	accepted = app->opened(conn->app_state, conn);
	conn->opening = false;
	if (!accepted && !conn->dead) {
		tcp_arg(pcb, NULL);
		tcp_err(pcb, NULL);
		let_go(conn);
		pool_give(POOL_CONN, conn);
		return ERR_MEM;   /* lwIP resets it */
	}
	return leave_with_verdict(conn);
}

bool net_listen(uint16_t port, const struct net_app *app)
{
	struct tcp_pcb *pcb, *listener;

	if (app->app_len > LIMIT_CONN_APP_LEN || listener_count == LISTENERS_CAP)
		return false;
	pcb = tcp_new_ip_type(IPADDR_TYPE_ANY);
	if (pcb == NULL)
		return false;
	if (tcp_bind(pcb, IP_ANY_TYPE, port) != ERR_OK) {
		tcp_abort(pcb);
		return false;
	}
	listener = tcp_listen(pcb);
	if (listener == NULL) {
		tcp_abort(pcb);
		return false;
	}
	/*
	 * lwIP hands the argument through as it is; on_accept() only reads it.
	 */
	tcp_arg(listener, (void *)(uintptr_t)app);
	tcp_accept(listener, on_accept);
	listeners[listener_count++] = (struct tcp_pcb_listen *)(void *)listener;
	return true;
}

void conn_stop_listening(void)
{
	for (size_t i = 0; i < listener_count; i++)
		(void)tcp_close((struct tcp_pcb *)(void *)listeners[i]);
	listener_count = 0;
}

/* ---- What the app asks --------------------------------------------------- */

void net_resume(struct net_conn *conn)
{
	conn->resume = true;
}

uint8_t *net_hold_take(struct net_conn *conn)
{
	ASSERT(conn->app_hold == NULL);
	if (!conn->dead && !conn->closing)
		conn->app_hold = pool_take(POOL_HOLD);
	return conn->app_hold;
}

void net_hold_give(struct net_conn *conn)
{
	if (conn->app_hold == NULL)
		return;
	pool_give(POOL_HOLD, conn->app_hold);
	conn->app_hold = NULL;
}

void net_close(struct net_conn *conn)
{
	if (conn->dead || conn->closing)
		return;
	conn->data_end = conn->pcb->snd_lbb;
	conn->closing = true;
	conn->wants_room = false;
	consume(conn, conn->hold_len);
	release_hold(conn);
	/*
	 * Half of it: the peer's FIN is still to come.  Cannot fail in this
	 * state.
	 */
	if (tcp_shutdown(conn->pcb, 0, 1) != ERR_OK)
		panic("lwIP refused to close");
	conn->unsent = true;
	if (conn_unacked(conn) == 0)
		wait_move(conn, NET_WAIT_LINGER);
	else if (conn->wait != NET_WAIT_WRITE)
		wait_move(conn, NET_WAIT_WRITE);
}

const struct net_peer *net_peer(const struct net_conn *conn)
{
	return &conn->peer;
}

void net_set_peer(struct net_conn *conn, const struct net_peer *peer)
{
	conn->peer = *peer;
}

void net_set_app(struct net_conn *conn, const struct net_app *app)
{
	conn->app = app;
}
