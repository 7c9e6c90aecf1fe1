/*
 * net.h in memory, for several connections at once and with pools that can be
 * empty: the test is the network, the clock and the operator.  As the real one it
 * keeps what the app did not consume, offers it again, and tells of room when that
 * is owed and not else.  It aborts when the app breaks the contract: writes into a
 * record that is queued, gives back what it has not, speaks after its end.
 *
 * All memory it hands out is an allocation of its own of just the length promised, so
 * that a sanitizer sees each byte too many.
 */
#pragma once

#include "config/limits.h"
#include "net/net.h"

/* Bytes that a connection can send; -D says otherwise. */
#ifndef FAKE_OUT_CAP
#define FAKE_OUT_CAP (4u << 20)
#endif
#define FAKE_QUEUED_CAP 4096

/* Bytes sent by reference that the peer has not acknowledged. */
struct fake_queued {
	struct fake_record *record;
	const uint8_t *at;
	size_t out_off, len;
};

struct net_conn {
	const struct net_app *app;
	struct net_peer peer;
	uint8_t *out;             /* what TCP took, in order */
	size_t out_len;
	size_t room;              /* bytes it takes before more is acknowledged */
	enum net_wait wait;
	uint64_t wait_since;      /* fake.now_ms when it was set */
	bool closing;             /* net_close() was called */
	bool dead;                /* closed() was called */
	bool was_reset;           /* by us: net_abort(), or net for us */
	bool busy;
	bool resume;
	bool wants_room;          /* writable() is owed */
	uint8_t held[LIMIT_HOLD_LEN];
	size_t held_len;
	uint32_t received_calls;
	uint8_t *offered;         /* gone after the call, and after net_close() */
	uint8_t *hold;
	struct fake_queued queued[FAKE_QUEUED_CAP];
	size_t queued_count;
	_Alignas(16) uint8_t state[LIMIT_CONN_APP_LEN];
};

struct fake_pool {
	size_t cap, used;
};

struct fake_net {
	uint64_t now_ms;
	size_t segment_len;
	size_t static_max;        /* net_send_static() takes no more: memory is short */
	size_t session_len, handshake_len;
	struct fake_pool sessions, handshakes, holds, small, large;
	const struct net_app *listening;   /* the last net_listen() */
	bool is_plain;            /* net_send_static() takes what is no record, too */
	struct net_peer peer;     /* of the next connection; 192.0.2.1 at first */
};

extern struct fake_net fake;

/* Pools of 64 each, segments of 1460 bytes. */
void fake_net_start(size_t session_len, size_t handshake_len);

/* A new connection for who listens, with endless room. */
struct net_conn *fake_open(void);

/* After it died, or to be reset by the peer. */
void fake_free(struct net_conn *c);

/* The peer's bytes arrive in one segment; dropped when they no longer matter. */
void fake_receive(struct net_conn *c, const void *data, size_t len);

/* How many of the peer's bytes fit into the window. */
size_t fake_window(const struct net_conn *c);

/* The peer acknowledges all that was sent, and there is so much room from now on. */
void fake_acknowledge(struct net_conn *c, size_t room);

/* The peer's FIN. */
void fake_peer_closes(struct net_conn *c);

/* The deadline of the current state passes. */
void fake_expire(struct net_conn *c);

/* Nothing is taken from any pool. */
bool fake_is_idle(void);
