/*
 * All memory of the server: pools of elements of fixed size, cut once from the
 * memory the gate gave us.  Taking and giving back are a few instructions;
 * nothing is ever split, merged or moved, so nothing can fragment.
 *
 * lwIP's mem_malloc() and memp_malloc() are bodies over these pools.
 */
#pragma once

#include "config/base.h"
#include "config/limits.h"
#include "net/net.h"

#include "lwip/pbuf.h"

enum pool_id {
	POOL_CONN = 0,  /* our connection objects */
	POOL_PCB,       /* lwIP's: the same number, and those in TIME-WAIT */
	POOL_SEGMENT,   /* segments queued or not yet acknowledged */
	POOL_REF,       /* references to bytes in the ROM or in a record buffer */
	POOL_SMALL,     /* packets without a body: headers, ARP, acknowledgements */
	POOL_MEDIUM,    /* headers with up to 512 copied bytes; DHCP messages */
	POOL_FRAME,     /* whole frames: answers to ping */
	POOL_HOLD,      /* received bytes that were not yet consumed */
	POOL_SESSION,   /* what the layer above keeps of a connection; none without TLS, */
	POOL_HANDSHAKE, /* and of a handshake */
	POOL_RECORD_SMALL,    /* see net/records.h; these two lie side by side */
	POOL_RECORD,
	POOL_DATAGRAM,  /* datagrams of our own; none unless somebody sends some */
	POOL_OTHER,     /* listeners, UDP sockets, multicast groups, queued for ND */
	POOL_COUNT,
};

/* An element of POOL_DATAGRAM; net/datagram.c. */
struct datagram {
	struct pbuf_custom pbuf;
	size_t len;
	_Alignas(16) uint8_t bytes[PBUF_TRANSPORT + 16 + LIMIT_SYSLOG_LEN];
};

/*
 * Cut all pools from [memory, memory + len), which is aligned to 4096.
 * Returns the number of connections they serve, 0 if len is too small for any.
 */
MUST_USE uint32_t pools_start(uint8_t *memory, uint64_t len,
    const struct net_needs *needs);

/*
 * Take an element, aligned to 16, contents undefined; NULL when the pool is
 * empty.
 */
void *pool_take(enum pool_id id);

/* Give back an element that pool_take() of the same pool returned. */
void pool_give(enum pool_id id, void *element);

/* Elements that can be taken now; all of them; those in use. */
uint32_t pool_left(enum pool_id id);
uint32_t pool_capacity(enum pool_id id);
uint32_t pool_level(enum pool_id id);

/*
 * Write "pools: conn 0/1024 peak 64, ..." with the newline into text; a pool without
 * elements is left out.
 * Returns its length, at most cap; a text that does not fit is cut.
 */
size_t pools_format(char *text, size_t cap);
