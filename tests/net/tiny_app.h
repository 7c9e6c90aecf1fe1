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
	uint32_t records;             /* taken */
	uint32_t records_refused;
};

extern struct tiny_counters tiny_counters;
extern const struct net_app tiny_app;

/* How tiny_app meets the next events. */
extern bool tiny_refuse;          /* opened() says no */
extern bool tiny_abort;           /* received() calls net_abort() */
extern bool tiny_piecewise;       /* the ROM is sent in pieces of 7 bytes */

/*
 * Answers go through record buffers: of 1, 2, 4, 8, then 11 segments, as far as there is
 * room.  For a moment there is something else in them.
 */
extern bool tiny_records;

/*
 * Requests go through a buffer of net_hold_take(): all but what follows the last '0' or
 * newline is consumed at once, as if those ended an encrypted record.
 */
extern bool tiny_holds;

/* The next received() or writable() of another connection resets this one first. */
extern struct net_conn *tiny_victim;

/* received() asks to be called again each time, whatever comes of it. */
extern bool tiny_insists;

/* Whose function was called last. */
extern struct net_conn *tiny_last;
