/*
 * What is queued for sending; see conn.h and net.h.
 *
 * Bytes of the ROM are queued by reference.  No more is queued than the peer's
 * window and the congestion window let go, and one segment: whatever is
 * acknowledged makes room, on_sent() asks the app for more, and lwIP sends it
 * in the same breath. So a client that does not read costs two segments,
 * however long its file is.
 *
 * Pool memory is shared by a rule that needs no bookkeeping: a connection with
 * something under way may take an eighth of what is left.  Greedy ones then
 * leave at least their own share free for everyone else, and nobody starves.
 * Record buffers are fewer and larger; so for them there is a queue, too: as long as
 * someone with nothing under way waits for one, all others wait behind.
 */
#include "net/conn.h"

#include "net/nic.h"
#include "net/pools.h"
#include "net/records.h"

#include "lwip/priv/tcp_priv.h"

/*
 * Connections with nothing under way that found a pool empty, in the order they
 * came; for each pool how many of them wait for it; and whose turn it is.
 */
static struct link starved = { &starved, &starved };
static uint32_t starving[POOL_COUNT];
static const struct net_conn *served;

/*
 * Bytes the peer and the network can take beyond what is queued, and one
 * segment.
 */
static uint32_t send_room(const struct net_conn *conn)
{
	const struct tcp_pcb *pcb = conn->pcb;
	const uint32_t window = LWIP_MIN(pcb->snd_wnd, pcb->cwnd);
	const uint32_t queued = pcb->snd_lbb - pcb->lastack;
	const uint32_t limit = window +
	    nic_segment_max(IP_IS_V6_VAL(pcb->remote_ip), pcb->mss);

	if (pcb->snd_queuelen + 2 * (UINT16_MAX / TCP_MSS + 2) > LIMIT_SEND_PBUFS)
		return 0;
	if (queued > 0 &&
	    pcb->snd_queuelen / 2u >= 2 + pool_left(POOL_SEGMENT) / 8)
		return 0;
	if (queued >= limit)
		return 0;
	return LWIP_MIN(limit - queued, pcb->snd_buf);
}

/* writable() is owed; whom no acknowledgement will bring it, waits for `pool`. */
static void want_room(struct net_conn *conn, enum pool_id pool)
{
	conn->wants_room = true;
	if (conn_unacked(conn) > 0 || conn->in_starved.next != NULL)
		return;
	link_append(&starved, &conn->in_starved);
	conn->starves_for = (uint8_t)pool;
	starving[pool]++;
}

void send_forget(struct net_conn *conn)
{
	if (conn->in_starved.next == NULL)
		return;
	link_remove(&conn->in_starved);
	starving[conn->starves_for]--;
}

bool net_send_copy(struct net_conn *conn, const void *data, size_t len)
{
	ASSERT(len > 0 && len <= NET_COPY_MAX);
	if (conn->dead || conn->closing)
		return true;
	if (send_room(conn) < len ||
	    (conn_unacked(conn) > 0 &&
	        pool_left(POOL_MEDIUM) < pool_capacity(POOL_MEDIUM) / 2) ||
	    tcp_write(conn->pcb, data, (u16_t)len, TCP_WRITE_FLAG_COPY) != ERR_OK) {
		want_room(conn, POOL_SEGMENT);
		return false;
	}
	conn->unsent = true;
	return true;
}

/*
 * The most of n bytes that let the queue end with a whole segment; all of them when
 * nothing else would come to make room for one.
 */
static uint32_t whole_segments(const struct net_conn *conn, uint32_t n)
{
	const struct tcp_pcb *pcb = conn->pcb;
	const uint32_t unsent = pcb->snd_lbb - pcb->snd_nxt;
	const uint32_t excess = (unsent + n) % pcb->mss;

	if (excess < n)
		return n - excess;
	return conn_unacked(conn) > 0 ? 0 : n;
}

/*
 * How much of len to queue at once: what there is room for, and if that is not
 * all, so that the queue ends with a whole segment.
 */
static uint16_t portion(const struct net_conn *conn, size_t len)
{
	const uint32_t n = LWIP_MIN(send_room(conn), UINT16_MAX);

	return (uint16_t)(n >= len ? len : whole_segments(conn, n));
}

size_t net_send_room(struct net_conn *conn)
{
	uint32_t n, buffers;

	if (conn->dead || conn->closing)
		return 0;
	/* What portion() takes at once, in segments of two buffers each. */
	n = LWIP_MIN(send_room(conn), UINT16_MAX);
	buffers = LIMIT_SEND_PBUFS - conn->pcb->snd_queuelen;
	if (n > 0)
		n = LWIP_MIN(n, (buffers / 2 - 2) * conn->pcb->mss);
	n = whole_segments(conn, n);
	if (n == 0)
		want_room(conn, POOL_SEGMENT);
	return n;
}

size_t net_segment_len(const struct net_conn *conn)
{
	return conn->dead ? LIMIT_MSS_MIN : conn->pcb->mss;
}

size_t net_send_static(struct net_conn *conn, const void *data, size_t len)
{
	const uint8_t *at = data;
	size_t done = 0;

	if (conn->dead || conn->closing)
		return len;
	while (done < len) {
		const uint16_t n = portion(conn, len - done);
		const u8_t more = done + n < len ? TCP_WRITE_FLAG_MORE : 0;

		if (n == 0 || tcp_write(conn->pcb, at + done, n, more) != ERR_OK) {
			want_room(conn, POOL_SEGMENT);
			break;
		}
		done += n;
		conn->unsent = true;
	}
	return done;
}

/* ---- Record buffers ------------------------------------------------------ */

/*
 * Whoever has nothing under way gets one in its turn.  The others get one only for what
 * can leave at once, and as long as what they have is little for what is left.
 */
static bool may_take_record(const struct net_conn *conn, enum pool_id pool)
{
	const uint32_t count = pool == POOL_RECORD ?
	    conn->record_count : conn->small_record_count;
	const uint32_t unacked = conn_unacked(conn);
	const struct tcp_pcb *pcb = conn->pcb;

	if (unacked == 0)
		return starving[pool] == 0 || conn == served;
	return starving[pool] == 0 &&
	    unacked < LWIP_MIN(pcb->snd_wnd, pcb->cwnd) &&
	    count < 2 + pool_left(pool) / 8;
}

uint8_t *net_record_take(struct net_conn *conn, size_t len)
{
	const enum pool_id pool = len <= LIMIT_RECORD_SMALL_LEN ?
	    POOL_RECORD_SMALL : POOL_RECORD;
	uint8_t *record = NULL;

	ASSERT(len > 0 && len < LIMIT_RECORD_LEN);
	if (conn->dead || conn->closing)
		return NULL;
	if (may_take_record(conn, pool))
		record = record_take(conn, pool);
	if (record == NULL) {
		want_room(conn, pool);
	} else if (conn_unacked(conn) == 0) {
		conn->records_ms = net_now_ms();
		conn->records_start = conn->pcb->lastack;
	}
	return record;
}

void net_record_release(uint8_t *record)
{
	record_drop(record);
}

/* ---- Room again ---------------------------------------------------------- */

static void offer_room(struct net_conn *conn)
{
	if (!conn->wants_room || conn->closing || conn->dead ||
	    send_room(conn) < LWIP_MIN(conn->pcb->mss, LIMIT_WRITE_MIN_LEN))
		return;
	conn->wants_room = false;
	conn->app->writable(conn->app_state, conn);
}

void send_acknowledged(struct net_conn *conn)
{
	offer_room(conn);
	if (!conn->dead && conn_unacked(conn) == 0)
		wait_settle(conn);
}

/* Someone waits for a record buffer of a kind of which there are some, or none. */
static bool waits_for_record(bool there_are)
{
	return (starving[POOL_RECORD_SMALL] > 0 &&
	        (pool_left(POOL_RECORD_SMALL) > 0) == there_are) ||
	    (starving[POOL_RECORD] > 0 &&
	        (pool_left(POOL_RECORD) > 0) == there_are);
}

static void serve(struct net_conn *conn)
{
	const enum pool_id pool = (enum pool_id)conn->starves_for;

	send_forget(conn);
	served = conn;
	conn_enter(conn);
	offer_room(conn);
	if (!conn->dead && conn->wants_room)
		want_room(conn, pool);
	(void)conn_leave(conn);
	served = NULL;
}

/* Rare: kept out of the turn that has nobody to serve. */
static __attribute__((noinline)) void serve_all(void)
{
	struct link end;

	while (waits_for_record(false)) {
		if (!conn_evict_slow())
			break;
	}
	/* Each at most once: who is refused again goes behind the end. */
	link_append(&starved, &end);
	for (;;) {
		/* This may end anyone, also the first. */
		conn_make_hold_room();
		if (starved.next == &end)
			break;
		serve(conn_of(in_starved, starved.next));
	}
	link_remove(&end);
}

void send_retry(void)
{
	if (!link_empty(&starved))
		serve_all();
}

bool send_retry_due(void)
{
	return !link_empty(&starved) && waits_for_record(true);
}
