/*
 * What connections wait for, and for how long; see conn.h.
 *
 * One list per state.  All members of a list have waited under the same limit,
 * so appending keeps it ordered by deadline, and the first is the next to
 * expire and the first to go when room is needed: the one that has waited
 * longest.
 */
#include "net/conn.h"

#include "net/counters.h"
#include "net/loop.h"
#include "net/pools.h"

#include "lwip/priv/tcp_priv.h"

static struct link waiting[NET_WAIT_STATES];

/*
 * Handshakes begun and not finished: lwIP's alone, there is no connection
 * object yet.
 */
static struct {
	struct tcp_pcb *oldest, *newest;
	uint32_t count;
} half_open;

static const uint32_t limit_ms[NET_WAIT_STATES] = {
	[NET_WAIT_IDLE] = LIMIT_IDLE_MS,
	[NET_WAIT_REQUEST] = LIMIT_REQUEST_MS,
	[NET_WAIT_WRITE] = LIMIT_WRITE_MS,
	[NET_WAIT_LINGER] = LIMIT_LINGER_MS,
};

void wait_start(void)
{
	for (size_t i = 0; i < NET_WAIT_STATES; i++)
		link_init(&waiting[i]);
}

/* ---- Moving -------------------------------------------------------------- */

static void enter_list(struct net_conn *conn, enum net_wait wait)
{
	conn->wait = (uint8_t)wait;
	conn->deadline_ms = net_now_ms() + limit_ms[wait];
	conn->span_start = conn->pcb->lastack;
	link_append(&waiting[wait], &conn->in_wait);
}

void wait_add(struct net_conn *conn, enum net_wait wait)
{
	conn->wanted = (uint8_t)wait;
	enter_list(conn, wait);
}

void wait_move(struct net_conn *conn, enum net_wait wait)
{
	conn->wanted = (uint8_t)wait;
	link_remove(&conn->in_wait);
	enter_list(conn, wait);
}

void wait_remove(struct net_conn *conn)
{
	link_remove(&conn->in_wait);
}

void wait_add_half_open(struct tcp_pcb *pcb)
{
	pcb->half_open = true;
	pcb->older = half_open.newest;
	pcb->newer = NULL;
	if (pcb->older != NULL)
		pcb->older->newer = pcb;
	else
		half_open.oldest = pcb;
	half_open.newest = pcb;
	half_open.count++;
}

void wait_remove_half_open(struct tcp_pcb *pcb)
{
	if (!pcb->half_open)
		return;
	pcb->half_open = false;
	if (pcb->older != NULL)
		pcb->older->newer = pcb->newer;
	else
		half_open.oldest = pcb->newer;
	if (pcb->newer != NULL)
		pcb->newer->older = pcb->older;
	else
		half_open.newest = pcb->older;
	half_open.count--;
}

void net_set_wait(struct net_conn *conn, enum net_wait wait)
{
	if (conn->dead || conn->closing)
		return;
	if (wait != NET_WAIT_IDLE || conn_unacked(conn) == 0) {
		wait_move(conn, wait);
		return;
	}
	if (conn->wait != NET_WAIT_WRITE)
		wait_move(conn, NET_WAIT_WRITE);
	conn->wanted = NET_WAIT_IDLE;
}

void wait_settle(struct net_conn *conn)
{
	if (conn->closing)
		wait_move(conn, NET_WAIT_LINGER);
	else if (conn->wanted != conn->wait)
		wait_move(conn, (enum net_wait)conn->wanted);
}

/* ---- Deadlines ----------------------------------------------------------- */

/* The app may say a last word; whoever it does not close is reset. */
static void expire_conn(struct net_conn *conn)
{
	const enum net_wait wait = (enum net_wait)conn->wait;

	net_counters.expired++;
	if (conn->closing) {
		net_abort(conn);
		return;
	}
	conn_enter(conn);
	conn->app->expired(conn->app_state, conn, wait);
	if (!conn->closing)
		net_abort(conn);
	(void)conn_leave(conn);
}

/* A response goes on as long as the client takes enough of it in every span. */
static bool made_progress(struct net_conn *conn)
{
	if (conn->wait != NET_WAIT_WRITE ||
	    conn->pcb->lastack - conn->span_start < LIMIT_WRITE_MIN_LEN)
		return false;
	link_remove(&conn->in_wait);
	enter_list(conn, NET_WAIT_WRITE);
	return true;
}

void wait_expire(void)
{
	const uint64_t now = net_now_ms();

	for (size_t i = 0; i < NET_WAIT_STATES; i++) {
		while (!link_empty(&waiting[i])) {
			struct net_conn *conn = conn_of(in_wait, waiting[i].next);

			if (conn->deadline_ms > now)
				break;
			if (!made_progress(conn))
				expire_conn(conn);
		}
	}
}

uint64_t wait_next_ms(void)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < NET_WAIT_STATES; i++) {
		if (!link_empty(&waiting[i])) {
			const struct net_conn *conn =
			    conn_of(in_wait, waiting[i].next);

			if (conn->deadline_ms < next)
				next = conn->deadline_ms;
		}
	}
	return next;
}

bool wait_any_work(void)
{
	return !link_empty(&waiting[NET_WAIT_REQUEST]) ||
	    !link_empty(&waiting[NET_WAIT_WRITE]);
}

/* ---- Making room --------------------------------------------------------- */

static void evict_conn(struct net_conn *conn)
{
	net_counters.evicted++;
	net_abort(conn);
}

/* End the connection that has waited longest in a state; false without any. */
static bool evict(enum net_wait wait)
{
	if (link_empty(&waiting[wait]))
		return false;
	evict_conn(conn_of(in_wait, waiting[wait].next));
	return true;
}

/* Forget the oldest handshake that was not finished. */
static bool evict_half_open(void)
{
	if (half_open.oldest == NULL)
		return false;
	net_counters.evicted++;
	tcp_abandon(half_open.oldest, 0);
	return true;
}

/*
 * Has it acknowledged less than LIMIT_RECORD_LEN bytes in LIMIT_RECORD_MS?  `acked` is how
 * many since begin_ms.
 */
static bool is_slow_since(uint64_t begin_ms, uint32_t acked, uint64_t now)
{
	return now - begin_ms >= LIMIT_RECORD_MS &&
	    (uint64_t)acked * LIMIT_RECORD_MS < (now - begin_ms) * LIMIT_RECORD_LEN;
}

static uint64_t span_begin_ms(const struct net_conn *conn)
{
	return conn->deadline_ms - limit_ms[conn->wait];
}

static bool is_holder(const struct net_conn *conn)
{
	return conn->hold != NULL || conn->app_hold != NULL;
}

/*
 * End who holds a buffer and is slow to take its response.  Else a few who hardly read, and
 * asked for more than they read, would leave no buffer for anybody's request.
 */
static bool evict_slow_holder(void)
{
	struct link *head = &waiting[NET_WAIT_WRITE];
	const uint64_t now = net_now_ms();

	for (struct link *at = head->next; at != head; at = at->next) {
		struct net_conn *conn = conn_of(in_wait, at);
		const uint64_t begin_ms = span_begin_ms(conn);

		/* Those behind it have waited less. */
		if (now - begin_ms < LIMIT_RECORD_MS)
			return false;
		if (is_holder(conn) && conn_unacked(conn) > 0 &&
		    is_slow_since(begin_ms, conn->pcb->lastack - conn->span_start, now)) {
			evict_conn(conn);
			return true;
		}
	}
	return false;
}

static bool evict_holder_of(enum net_wait wait)
{
	struct link *head = &waiting[wait];

	for (struct link *at = head->next; at != head; at = at->next) {
		struct net_conn *conn = conn_of(in_wait, at);

		if (is_holder(conn)) {
			evict_conn(conn);
			return true;
		}
	}
	return false;
}

/*
 * End who holds a buffer and has waited longest: of those who are done, else a response that
 * hardly goes on, else a request, else a response.
 */
static bool evict_holder(void)
{
	return evict_holder_of(NET_WAIT_LINGER) || evict_slow_holder() ||
	    evict_holder_of(NET_WAIT_REQUEST) || evict_holder_of(NET_WAIT_IDLE) ||
	    evict_holder_of(NET_WAIT_WRITE);
}

/*
 * Does it hold record buffers, and is slow to acknowledge, since its span began or since it
 * got the first of them?
 */
static bool is_slow(const struct net_conn *conn, uint64_t now)
{
	uint64_t begin_ms = span_begin_ms(conn);
	uint32_t begin = conn->span_start;

	if (link_empty(&conn->records) || conn_unacked(conn) == 0)
		return false;
	if (conn->records_ms > begin_ms) {
		begin_ms = conn->records_ms;
		begin = conn->records_start;
	}
	return is_slow_since(begin_ms, conn->pcb->lastack - begin, now);
}

static bool evict_slow_of(enum net_wait wait, uint64_t now)
{
	struct link *head = &waiting[wait];

	for (struct link *at = head->next; at != head; at = at->next) {
		struct net_conn *conn = conn_of(in_wait, at);

		if (is_slow(conn, now)) {
			evict_conn(conn);
			return true;
		}
	}
	return false;
}

bool conn_evict_slow(void)
{
	const uint64_t now = net_now_ms();

	/* A flight of a handshake is part of what the layer above calls a request. */
	return evict_slow_of(NET_WAIT_WRITE, now) ||
	    evict_slow_of(NET_WAIT_REQUEST, now);
}

/* One for what the app consumed, and one for the rest. */
#define HOLDS_PER_CONN 2

void conn_make_hold_room(void)
{
	while (pool_left(POOL_HOLD) < HOLDS_PER_CONN) {
		if (!evict_holder())
			return;
	}
}

void conn_make_room(void)
{
	if (pool_left(POOL_HOLD) < HOLDS_PER_CONN)
		conn_make_hold_room();
	if (half_open.count >= LIMIT_HALF_OPEN)
		(void)evict_half_open();
	if (pool_left(POOL_CONN) > 0 &&
	    (pool_left(POOL_PCB) > 0 || tcp_tw_pcbs != NULL))
		return;
	if (evict(NET_WAIT_LINGER) || evict(NET_WAIT_IDLE) || evict_half_open() ||
	    evict(NET_WAIT_REQUEST) || evict(NET_WAIT_WRITE))
		return;
}
