/*
 * The gate's checks, without its effects: the kernel and the Linux body refuse the
 * same calls for the same reasons.  Pure: no I/O, no state.
 *
 * What is checked here is always a copy in the caller's own memory, never the
 * server's: a device could be writing there.
 */
#pragma once

#include "config/base.h"
#include "kernel/gate.h"

/* What the server may ask for with an address in a range. */
#define GATE_RANGE_READ  (1u << 0)   /* the call may read from it */
#define GATE_RANGE_WRITE (1u << 1)   /* the call may write to it */
#define GATE_RANGE_SEND  (1u << 2)   /* the NIC may read from it */

/* Contiguous memory, virtually and (in the kernel) physically. */
struct gate_range {
	uint64_t start;
	uint64_t len;
	uint64_t pa;         /* of start; 0 in the Linux body */
	uint32_t rights;     /* GATE_RANGE_* */
};

struct gate_ranges {
	const struct gate_range *range;
	uint32_t count;
};

/*
 * The range that holds all of [addr, addr + len) and grants `rights`.
 * Returns NULL when there is none, or len is 0.
 */
const struct gate_range *gate_find_range(const struct gate_ranges *ranges,
    uint64_t addr, uint64_t len, uint32_t rights);

/*
 * The counts of a gate_net() call.
 * Errors  GATE_BAD_VALUE
 */
MUST_USE enum gate_status gate_check_counts(const struct gate_net *counts);

/*
 * One frame to send.
 *
 * tx, slices    copies; slices[0, slice_count) are all slices of the call
 * nic_features  GATE_NIC_*: an offload that is not offered is refused
 * pa            pa[tx->first_slice ...] receive the slices' physical addresses
 * Errors        GATE_BAD_RANGE, GATE_BAD_VALUE as in gate_net()
 */
MUST_USE enum gate_status gate_check_frame(const struct gate_tx *tx,
    const struct gate_slice *slices, uint32_t slice_count,
    const struct gate_ranges *ranges, uint32_t nic_features, uint64_t *pa);

/*
 * What gate_sign() is asked for.
 *
 * sign    a copy
 * info    key_count and key_kind say which keys there are
 * Errors  GATE_BAD_VALUE as in gate_sign()
 */
MUST_USE enum gate_status gate_check_sign(const struct gate_sign *sign,
    const struct gate_info *info);
