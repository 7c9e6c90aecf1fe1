/*
 * The smallest app that exercises all of net.h.  Requests are "N\n": answered
 * by a copied line "N bytes\n" and the first N bytes of the ROM.  "N close\n"
 * closes after that.  It counts what it is told.
 */
#pragma once

#include "net/net.h"

struct tiny_counters {
	uint32_t opened, closed, answered, peer_closed;
	uint32_t expired[NET_WAIT_STATES];
	uint32_t received_calls;
	size_t fresh_max;
};

extern struct tiny_counters tiny_counters;
extern const struct net_app tiny_app;

/* How tiny_app meets the next events. */
extern bool tiny_refuse;          /* opened() says no */
extern bool tiny_abort;           /* received() calls net_abort() */
extern bool tiny_piecewise;       /* the ROM is sent in pieces of 7 bytes */
