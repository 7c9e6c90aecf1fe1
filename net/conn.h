/*
 * Connections, as the files of net/ see them; the layers above see net.h.
 *
 *   conn.c   birth, received bytes, death: lwIP's callbacks and the app's
 *   send.c   what is queued for sending, and how much may be
 *   wait.c   what a connection waits for: deadlines, and who goes when room is short
 *
 * A connection object lives from lwIP's accept to the app's closed(), in
 * POOL_CONN. lwIP's pcb is attached to it for the same time, but may outlive it
 * in TIME-WAIT.
 *
 *   field       is true
 *   pcb         not NULL until the connection is dead
 *   wait        the list it is in: what it waits for as clients see it
 *   wanted      what the app asked for; differs from `wait` while a response is
 *               not wholly acknowledged (IDLE asked, WRITE in effect)
 *   hold        NULL, or a buffer with hold_len > 0 bytes received, not consumed
 *   app_hold    NULL, or the buffer of net_hold_take(), whose contents are the app's
 *   starves_for the pool it waits for while it is in `starved`
 *   opening     opened() is running: the handshake's last byte is not yet counted
 *   closing     net_close() was called: FIN is queued behind sequence number
 *               data_end, received bytes are dropped
 *   busy        one of the app's functions is running for it
 *   records_ms  when it took a record buffer with nothing under way the last time, and
 *               records_start, the peer's acknowledgement then
 *   dead        closed() was called; the object goes when it is not busy
 */
#pragma once

#include "net/net.h"
#include "config/limits.h"

#include "lwip/tcp.h"

#define NET_COPY_MAX 512

struct link {
	struct link *next, *prev;
};

struct net_conn {
	struct link in_wait;      /* in waiting[wait] */
	struct link records;      /* record buffers, of both sizes; see records.h */
	struct link in_starved;   /* next == NULL: not waiting for pool memory */
	struct tcp_pcb *pcb;
	const struct net_app *app;
	uint64_t deadline_ms;
	uint64_t records_ms;
	uint8_t *hold;
	uint8_t *app_hold;
	uint32_t hold_len;
	uint32_t data_end;
	uint32_t records_start;
	uint32_t record_count, small_record_count;
	uint32_t span_start;      /* the peer's acknowledgement when WRITE's span began */
	uint8_t wait;
	uint8_t wanted;
	uint8_t starves_for;
	bool opening;
	bool closing;
	bool busy;
	bool dead;
	bool resume;              /* net_resume() was called */
	bool wants_room;          /* writable() is owed */
	bool unsent;              /* tcp_output() is owed */
	struct net_peer peer;
	_Alignas(16) uint8_t app_state[LIMIT_CONN_APP_LEN];
};

static inline size_t conn_object_len(void)
{
	return sizeof(struct net_conn);
}

/* Bytes queued or sent that the peer has not acknowledged. */
static inline uint32_t conn_unacked(const struct net_conn *conn)
{
	const uint32_t end = conn->closing ? conn->data_end : conn->pcb->snd_lbb;
	const uint32_t unacked = end - conn->pcb->lastack - conn->opening;

	/* The acknowledgement of our FIN lies beyond data_end. */
	return unacked <= LIMIT_SEND_LEN ? unacked : 0;
}

/* ---- conn.c -------------------------------------------------------------- */

/*
 * Before and after one of the app's functions runs.  The second sends what was
 * queued; it returns false when the connection died meanwhile and is gone.
 */
void conn_enter(struct net_conn *conn);
bool conn_leave(struct net_conn *conn);

/* Stop taking new connections. */
void conn_stop_listening(void);

/* Let go of a connection whose pcb ended by itself, or goes on without us. */
void conn_finish(struct net_conn *conn);

/* ---- send.c -------------------------------------------------------------- */

/* The peer acknowledged bytes: tell the app if there is room again. */
void send_acknowledged(struct net_conn *conn);

/* Pool memory may be free again: let those go on who got none. */
void send_retry(void);

/* There is something for send_retry() to do at once. */
bool send_retry_due(void);

/* A connection is going: it waits for no memory any more. */
void send_forget(struct net_conn *conn);

/* ---- wait.c -------------------------------------------------------------- */

void wait_start(void);

/* Put a new connection into a list; move it; take it out. */
void wait_add(struct net_conn *conn, enum net_wait wait);
void wait_move(struct net_conn *conn, enum net_wait wait);
void wait_remove(struct net_conn *conn);

/*
 * A handshake has begun; it has ended, one way or the other (nothing happens
 * when it had before).
 */
void wait_add_half_open(struct tcp_pcb *pcb);
void wait_remove_half_open(struct tcp_pcb *pcb);

/* All queued bytes were acknowledged: what was asked for takes effect. */
void wait_settle(struct net_conn *conn);

/* Handle every deadline up to now. */
void wait_expire(void);

/*
 * The next deadline of any connection, ms since boot; UINT64_MAX without any.
 */
uint64_t wait_next_ms(void);

/* A request or a response is under way somewhere. */
bool wait_any_work(void);

/*
 * Called before each received frame: see that what one frame can take is there,
 * a connection, a pcb, hold buffers, by ending whoever has the least to lose.
 */
void conn_make_room(void);

/*
 * Others wait for record buffers: end the one that has been slow for longest to
 * acknowledge its own.  False when nobody is slow.
 */
bool conn_evict_slow(void);

/*
 * Called before the app can take hold buffers for another reason: the same, for
 * those alone.
 */
void conn_make_hold_room(void);

/* ---- lists --------------------------------------------------------------- */

static inline void link_init(struct link *head)
{
	head->next = head;
	head->prev = head;
}

static inline bool link_empty(const struct link *head)
{
	return head->next == head;
}

static inline void link_append(struct link *head, struct link *link)
{
	link->next = head;
	link->prev = head->prev;
	head->prev->next = link;
	head->prev = link;
}

static inline void link_remove(struct link *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	link->next = NULL;
}

#define conn_of(field, link) \
	((struct net_conn *)(void *)((char *)(link) - offsetof(struct net_conn, field)))
