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
 */
#include "net/conn.h"

#include "net/nic.h"
#include "net/pools.h"

#include "lwip/priv/tcp_priv.h"

/* Connections with nothing under way that found a pool empty. */
static struct link starved = { &starved, &starved };

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
	    nic_segment_max(conn->peer.is_ipv6, pcb->mss);

	if (pcb->snd_queuelen + 2 * (UINT16_MAX / TCP_MSS + 2) > LIMIT_SEND_PBUFS)
		return 0;
	if (queued > 0 &&
	    pcb->snd_queuelen / 2u >= 2 + pool_left(POOL_SEGMENT) / 8)
		return 0;
	if (queued >= limit)
		return 0;
	return LWIP_MIN(limit - queued, pcb->snd_buf);
}

static void want_room(struct net_conn *conn)
{
	conn->wants_room = true;
	if (conn_unacked(conn) == 0 && conn->in_starved.next == NULL)
		link_append(&starved, &conn->in_starved);
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
		want_room(conn);
		return false;
	}
	conn->unsent = true;
	return true;
}

/*
 * How much of len to queue at once: what there is room for, and if that is not
 * all, so that the queue ends with a whole segment.
 */
static uint16_t portion(const struct net_conn *conn, size_t len)
{
	const struct tcp_pcb *pcb = conn->pcb;
	const uint32_t unsent = pcb->snd_lbb - pcb->snd_nxt;
	uint32_t n = LWIP_MIN(send_room(conn), UINT16_MAX);
	uint32_t excess;

	if (n >= len)
		return (uint16_t)len;
	excess = (unsent + n) % pcb->mss;
	if (excess < n)
		n -= excess;
	else if (conn_unacked(conn) > 0)
		n = 0;
	return (uint16_t)n;
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
			want_room(conn);
			break;
		}
		done += n;
		conn->unsent = true;
	}
	return done;
}

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

void send_retry(void)
{
	/* Each at most once: who is refused again goes to the end. */
	const struct link *last = starved.prev;

	while (!link_empty(&starved)) {
		struct link *first = starved.next;
		struct net_conn *conn = conn_of(in_starved, first);

		link_remove(first);
		conn_enter(conn);
		offer_room(conn);
		if (!conn->dead && conn->wants_room && conn->in_starved.next == NULL)
			link_append(&starved, &conn->in_starved);
		(void)conn_leave(conn);
		if (first == last)
			break;
	}
}
