/*
 * net.h for one connection, in memory: the test is the network and the clock.  It
 * keeps what the app did not consume and offers it again, as net.h promises, and
 * aborts when the app breaks the contract.
 */
#pragma once

#include "config/limits.h"
#include "net/net.h"

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
	char log[4096];
	size_t log_len;
};

extern struct fake_net fake;

/* A new connection with endless room; forgets everything else. */
void fake_open(const struct net_app *app);

/* The peer's bytes arrive, in one segment. */
void fake_receive(const void *data, size_t len);

/* The peer acknowledges: so many more bytes may be sent, and writable() is owed. */
void fake_acknowledge(size_t room);

void fake_peer_closes(void);

/* The deadline of the current state passes. */
void fake_expire(void);
