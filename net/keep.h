/*
 * Addresses that outlive a crash of the server: a record in the gate's keep
 * page.  It was written by a server that then went wrong, so it is read with
 * suspicion: magic, version, checksum, and the shape of every address.  Pure
 * but for the page.
 */
#pragma once

#include "config/base.h"
#include "kernel/gate.h"

#define KEEP_ADDRS6 3

/* All addresses in network order; zero where there is none. */
struct keep {
	uint8_t addr4[4];
	uint8_t netmask4[4];
	uint8_t gateway4[4];
	uint8_t addr6[KEEP_ADDRS6][16];   /* global ones, without gaps */
	uint8_t router6[16];              /* link-local */
};

/* Write the record into a page of GATE_KEEP_LEN bytes. */
void keep_write(uint8_t *page, const struct keep *keep);

/*
 * Read it; false, and *keep is zero, when there is none that can be believed.
 */
MUST_USE bool keep_read(const uint8_t *page, struct keep *keep);
