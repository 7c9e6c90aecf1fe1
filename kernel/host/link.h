/*
 * How Ethernet frames leave and reach the Linux body: a TAP interface, or the
 * stream socket of passt, which needs no rights.
 */
#pragma once

#include "config/base.h"
#include "kernel/gate.h"

struct link {
	int fd;                  /* readable when a frame may be waiting */
	uint32_t nic_features;   /* GATE_NIC_* */
	char name[32];

	/*
	 * Send one frame; its slices are slices[tx->first_slice ...].
	 * Returns false when there is no room now; everything else that goes
	 * wrong drops the frame, as a wire would.
	 */
	bool (*send)(struct link *link, const struct gate_tx *tx,
	    const struct gate_slice *slices);

	/*
	 * Receive one frame of at most cap bytes; longer ones are dropped.
	 * Returns its length, 0 when none is waiting; *csum is an enum
	 * gate_rx_csum.
	 */
	size_t (*receive)(struct link *link, uint8_t *frame, size_t cap,
	    uint16_t *csum);
};

/* Both print why and exit when the link cannot be opened. */
struct link *link_open_tap(const char *interface);
struct link *link_open_passt(const char *socket_path);

/* Print "stele: ..." to standard error and exit with 1. */
NORETURN void host_fail(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
