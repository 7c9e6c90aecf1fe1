/*
 * Connections: what the layers above (TLS and HTTP) see of TCP.
 *
 * One thread, one loop, no reentry from outside: everything happens inside
 * net_poll(), which calls the app's functions below.  Pull-style: the app is
 * handed contiguous bytes and says how many it is done with; net keeps the rest
 * (at most LIMIT_HOLD_LEN a connection, which is also the TCP window).
 *
 * Every connection is always in exactly one `net_wait` state, each with a deadline
 * from config/limits.h, so no client can hold a connection for ever.
 */
#pragma once

#include "config/base.h"
#include "kernel/gate.h"

struct net_conn;

/* What the connection waits for; decides its deadline and who is evicted first. */
enum net_wait {
	NET_WAIT_IDLE = 0,  /* no byte of a next request yet: LIMIT_IDLE_MS, first to be evicted */
	NET_WAIT_REQUEST,   /* part of a request is here: LIMIT_REQUEST_MS from its first byte */
	NET_WAIT_WRITE,     /* a response is under way: LIMIT_WRITE_MS per LIMIT_WRITE_MIN_LEN acknowledged */
	NET_WAIT_LINGER,    /* all is sent and the app called net_close(): LIMIT_LINGER_MS */
};
#define NET_WAIT_STATES 4

struct net_peer {
	uint8_t addr[16];   /* network order; IPv4 uses the first 4 */
	bool is_ipv6;
	uint16_t port;      /* host order */
};

/*
 * The layer above.  `app` points at app_len bytes of its state for one connection,
 * which lie inside net's own connection object: zeroed before opened(), aligned to
 * 16, valid until closed() returns.
 */
struct net_app {
	size_t app_len;     /* 0..LIMIT_CONN_APP_LEN */

	/*
	 * A connection was established (state NET_WAIT_IDLE).
	 * Returns false to refuse it: it is reset, and closed() is not called.
	 */
	bool (*opened)(void *app, struct net_conn *conn);

	/*
	 * data[0, len) are all bytes received and not yet consumed, in order; those
	 * from data[fresh] on are new since the last call (fresh == len after
	 * net_resume()).  Valid during the call only, and no longer than until
	 * net_close() or net_abort().
	 * Returns how many bytes, from the front, are done with.
	 */
	size_t (*received)(void *app, struct net_conn *conn,
	    const uint8_t *data, size_t len, size_t fresh);

	/* There is room to send again, after a send took less than it was given. */
	void (*writable)(void *app, struct net_conn *conn);

	/* The peer sent FIN; every byte before it has been handed over. */
	void (*peer_closed)(void *app, struct net_conn *conn);

	/*
	 * The deadline of `state` passed.  The app may send a last answer and call
	 * net_close(); if it does not, the connection is reset.
	 */
	void (*expired)(void *app, struct net_conn *conn, enum net_wait state);

	/* The connection is gone, for whatever reason; after this, so is `app`. */
	void (*closed)(void *app);
};

/*
 * Start listening: connections to `port` on both address families go to `app`,
 * which is kept by reference.  Returns false when there is no listener left or
 * app_len is more than LIMIT_CONN_APP_LEN.
 */
MUST_USE bool net_listen(uint16_t port, const struct net_app *app);

/*
 * Change what the connection waits for.  Entering a state starts its deadline;
 * re-entering the same state restarts it.  NET_WAIT_IDLE may be asked for while
 * sent bytes are not yet acknowledged: until they are, the connection counts as
 * NET_WAIT_WRITE, and then becomes NET_WAIT_IDLE by itself.
 */
void net_set_wait(struct net_conn *conn, enum net_wait state);

/*
 * Queue len (1..512) bytes, copied.  All or nothing.
 * Returns false when there is no room now: writable() follows.
 */
MUST_USE bool net_send_copy(struct net_conn *conn, const void *data, size_t len);

/*
 * Queue bytes by reference: of the ROM or rodata, which stay as they are for ever,
 * or of a record buffer (below), which then must not be written any more.
 * Returns how many, from the front, were taken; if less than len, writable() follows.
 */
MUST_USE size_t net_send_static(struct net_conn *conn, const void *data, size_t len);

/*
 * How many bytes net_send_static() would take now: a whole number of segments or
 * more than there is to send.  0: none, and writable() follows (never after
 * net_close(), which goes for the functions below, too).
 */
MUST_USE size_t net_send_room(struct net_conn *conn);

/* Payload bytes of a full segment to this peer, LIMIT_MSS_MIN..1460. */
size_t net_segment_len(const struct net_conn *conn);

/*
 * Take a buffer to build a record in: LIMIT_RECORD_SMALL_LEN bytes if len is not
 * more, else LIMIT_RECORD_LEN; contents undefined; len 1..LIMIT_RECORD_LEN - 1 (the
 * last byte of a buffer is never sent).  It is the caller's until net_record_release(),
 * and lives on as long as bytes of it are queued, unacknowledged or with the NIC.
 * Returns NULL when there is none for this connection now; writable() follows.
 */
MUST_USE uint8_t *net_record_take(struct net_conn *conn, size_t len);

/* Let go of a record buffer; any address within it will do. */
void net_record_release(uint8_t *record);

/*
 * Take this connection's own buffer of LIMIT_HOLD_LEN bytes for what the layer above
 * has consumed but cannot use yet (decrypted bytes of an incomplete request).  At
 * most one a connection; given back by net_hold_give() or when the connection ends.
 * Whoever has one may be evicted like a connection with an incomplete request.
 * Returns NULL when there is none, and after net_close().
 */
MUST_USE uint8_t *net_hold_take(struct net_conn *conn);
void net_hold_give(struct net_conn *conn);

/*
 * Call received() again soon, if unconsumed bytes are held or the connection has a
 * net_hold_take() buffer (len is 0 if nothing is held).
 */
void net_resume(struct net_conn *conn);

/* No more will be sent: FIN after what is queued; bytes still arriving are dropped; state LINGER once all is sent. */
void net_close(struct net_conn *conn);

/*
 * Reset at once.  closed() is called before this returns.  May be called for another
 * connection than the one whose function is running.
 */
void net_abort(struct net_conn *conn);

/* The other side's address; valid as long as the connection. */
const struct net_peer *net_peer(const struct net_conn *conn);

/* Somebody who may do so says whose connection it is: net_peer() from now on. */
void net_set_peer(struct net_conn *conn, const struct net_peer *peer);

/*
 * From now on the functions of `app` are called, with the same state; opened() has to
 * be called by the caller.  app_len is not looked at.
 */
void net_set_app(struct net_conn *conn, const struct net_app *app);

/* ---- The whole ---------------------------------------------------------- */

/* What the layers above need of the pools; all 0 without TLS and syslog. */
struct net_needs {
	size_t session_len;      /* object for each connection, */
	size_t handshake_len;    /* for one of LIMIT_CONNS_PER_HANDSHAKE */
	bool records;            /* record buffers, small and large */
	uint32_t datagrams;      /* under way at once: net/datagram.h */
};

/*
 * Set up pools, interface and addresses from info->cmdline ("ip=" as in Linux's
 * nfsroot.txt, else DHCPv4; IPv6 by SLAAC).  Called once, first.
 * Returns NULL, or a sentence for the operator saying what is wrong.
 */
MUST_USE const char *net_start(const struct gate_info *info,
    const struct net_needs *needs);

/*
 * Objects of net_needs, aligned to 16, contents undefined.  NULL when there is none;
 * give back what the same function took.
 */
MUST_USE void *net_session_take(void);
void net_session_give(void *session);
MUST_USE void *net_handshake_take(void);
void net_handshake_give(void *handshake);

/*
 * One turn of the loop: collect frames, run the stack and its timers, send, and
 * sleep until something is due.  Returns true while the server should go on; false
 * once the operator asked for a stop and responses under way have ended (or
 * LIMIT_STOP_MS has passed).
 */
MUST_USE bool net_poll(void);

/* Milliseconds since boot, as of this turn of the loop. */
uint64_t net_now_ms(void);

/* Unix time in seconds, as of this turn of the loop; 0 when nobody knows. */
uint64_t net_unix_time(void);

/* The same in milliseconds. */
uint64_t net_unix_time_ms(void);

/* Print the level of every pool, one console line ("pools: ..."), for operators and leak tests. */
void net_print_pools(void);

/* Since the server's start; what lwIP counts, modulo 2^32. */
struct net_counters {
	uint64_t frames_in, frames_out;
	uint64_t frames_refused;     /* lwIP's, when LIMIT_TX_FRAMES were under way */
	uint64_t connections;        /* established */
	uint64_t evicted;            /* connections and handshakes ended for others */
	uint64_t expired;            /* connections whose deadline passed */
	uint64_t segments_in;        /* TCP, good or bad; the next four as in RFC 4022 */
	uint64_t segments_out;       /* with data, SYN or FIN; cut later by the NIC */
	uint64_t segments_again;     /* retransmitted */
	uint64_t segments_bad;       /* received and not accepted */
	uint64_t resets_out;
	uint64_t datagrams;          /* handed to lwIP by net_datagram_send() */
	uint64_t datagrams_dropped;  /* of those, or never handed over */
};
void net_read_counters(struct net_counters *out);

struct net_pool {
	const char *name;            /* letters and '_' */
	uint32_t used, peak, size;   /* elements; size 0: nobody needs it */
};

/* The pool that has an element for each connection. */
#define NET_POOL_CONNECTIONS 0

/* Read the level of pool `index`; false if there is none. */
MUST_USE bool net_read_pool(uint32_t index, struct net_pool *out);

/* An address of ours that others can reach, IPv4 if there is one; false if there is none yet. */
MUST_USE bool net_read_address(struct net_peer *out);

/* Append to the console; batched, handed to the gate at the end of the turn at the latest. */
void net_log(const char *text, size_t len);
