/*
 * net.h for one connection, in memory: the test is the network and the clock.  It
 * keeps what the app did not consume and offers it again, as net.h promises, and
 * aborts when the app breaks the contract.  The app's streams are those of
 * tls/stream.c; private ones encrypt nothing here (fake_private.c).
 */
#pragma once

#include "config/limits.h"
#include "tls/stream.h"

struct fake_net {
	uint8_t out[1 << 16];     /* what the app sent */
	size_t out_len;
	size_t room;              /* bytes it may still send before the peer acknowledges */
	enum net_wait wait;
	uint32_t wait_set;        /* calls of net_set_wait() */
	bool closing;             /* net_close() was called */
	bool reset;               /* net would have reset it */
	uint8_t held[LIMIT_HOLD_LEN];
	size_t held_len;
	uint32_t received_calls;
	uint64_t unix_time;       /* 21 September 2026; 0: unknown */
	char log[4096];
	size_t log_len;
};

extern struct fake_net fake;

/* A new stream of the app with endless room; forgets everything else. */
void fake_open(const struct stream_app *app, bool is_private);

/* The peer's bytes arrive, in one segment. */
void fake_receive(const void *data, size_t len);

/* The peer acknowledges: so many more bytes may be sent, and writable() is owed. */
void fake_acknowledge(size_t room);

void fake_peer_closes(void);

/* The deadline of the current state passes. */
void fake_expire(void);
