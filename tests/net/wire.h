/*
 * A world for the server on this machine: the gate over memory, a clock that
 * moves only when nothing else can, and a cable with two ends.
 *
 * What the server sends is checked as the kernel would, and like a NIC's driver
 * would want it: bytes of a frame stay the same until its cookie went back,
 * checksums are right, what is to be cut is a whole and correct TCP segment.
 * Then it is cut, and each piece handed to on_frame() as it would be seen on
 * the wire.
 */
#pragma once

#include "config/base.h"
#include "kernel/gate.h"
#include "net/net.h"

#define WIRE_FRAME_CAP 1600

struct wire_options {
	uint32_t nic_features;
	const char *cmdline;
	size_t pool_len;
	const uint8_t *rom;
	size_t rom_len;
	uint32_t restarts;
	const uint8_t *keep;         /* NULL: zero */
	uint64_t seed;
};

extern struct gate_info wire_info;

/* What net_start() is told of the layer above; nothing by default. */
extern struct net_needs wire_needs;

/* Prepare wire_info for net_start().  Once per process. */
void wire_start(const struct wire_options *options);

/* Nanoseconds since the start. */
uint64_t wire_now_ns(void);

/* Put a frame on the cable towards the server; dropped when 256 are waiting. */
void wire_deliver(const uint8_t *frame, size_t len, enum gate_rx_csum csum);

/* Each frame from the server, whole, with its checksums complete. */
extern void (*wire_on_frame)(const uint8_t *frame, size_t len);

/*
 * What the world outside waits for: when the server sleeps, the clock goes no
 * further than this.  UINT64_MAX: nothing.
 */
extern uint64_t wire_next_event_ns;

/*
 * Frames the NIC keeps back before it reports them sent, while the server is
 * awake.
 */
extern uint32_t wire_nic_delay;

/* The NIC reports nothing sent, whoever sleeps. */
extern bool wire_nic_stuck;

/* Frames the NIC takes at most in one exchange. */
extern uint32_t wire_nic_room;

/* Console text goes to standard error. */
extern bool wire_verbose;

/* The operator asks for a stop. */
extern bool wire_stop;

/* A repeatable random number, and one below `bound`. */
uint64_t wire_random(void);
uint32_t wire_random_below(uint32_t bound);

/* Let random numbers, and those of the server, begin anew. */
void wire_seed(uint64_t seed);

/* Sum of `len` bytes as 16-bit big-endian words, RFC 1071, byte by byte. */
uint16_t wire_sum(const uint8_t *data, size_t len, uint32_t start);
