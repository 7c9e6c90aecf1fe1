/*
 * Record buffers: memory for bytes that are built, then sent without a copy, then used
 * again.  The NIC may still read bytes that the peer has acknowledged long ago (a
 * segment that was sent twice), and what is built next begins as plaintext; so a
 * buffer is free only when nobody refers to it any more.
 *
 * Each has a number of users: 1 for whoever took it, and 1 for each pbuf whose bytes
 * lie in it.  lwIP makes such pbufs in three places (config/lwip-users.patch) and frees
 * them in memp_free(); a pbuf lives as long as a segment or the NIC needs it.
 *
 * A connection knows how many it has, for send.c to share them out.
 */
#pragma once

#include "config/base.h"
#include "config/limits.h"
#include "net/pools.h"

struct net_conn;

/* Before each buffer in its pool's element. */
#define RECORD_HEAD_LEN 32

#define RECORD_SMALL_SIZE (RECORD_HEAD_LEN + LIMIT_RECORD_SMALL_LEN)
#define RECORD_SIZE (RECORD_HEAD_LEN + LIMIT_RECORD_LEN)

/*
 * Take a buffer of LIMIT_RECORD_SMALL_LEN (POOL_RECORD_SMALL) or LIMIT_RECORD_LEN
 * (POOL_RECORD) bytes for a connection, with one user; NULL when there is none.
 */
MUST_USE uint8_t *record_take(struct net_conn *conn, enum pool_id id);

/* The connection is going: its buffers, as long as they live, are nobody's. */
void record_disown(struct net_conn *conn);

/* One user more; one less.  `at` is any address in a record buffer. */
void record_use(const void *at);
void record_drop(const void *at);

/* Where both pools lie, set by pools_start(). */
extern struct record_span {
	uintptr_t start;
	size_t len;             /* 0: there are none */
	size_t small_len;       /* of the small ones, which come first */
} record_span;

/* Does the address lie in a record buffer?  One subtraction, for the ROM's sake. */
static inline bool record_holds(const void *at)
{
	return (uintptr_t)at - record_span.start < record_span.len;
}
