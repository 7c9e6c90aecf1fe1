/*
 * The interface between lwIP and the gate: frames in, frames out, no copies.
 */
#pragma once

#include "config/base.h"
#include "kernel/gate.h"

struct netif;

/*
 * Create lwIP's interface over the gate's NIC, without addresses, up.  Called
 * once.
 */
struct netif *nic_start(const struct gate_info *info);

/*
 * One exchange with the gate: frames waiting to be sent go out, receive buffers
 * go back, received frames go through the stack, what was sent is released.
 * Returns true when another exchange at once makes sense.
 */
bool nic_exchange(void);

/* Frames or buffers wait to be handed over. */
bool nic_pending(void);

/*
 * Payload bytes the largest segment may have on a connection, a multiple of its
 * mss.
 */
uint16_t nic_segment_max(bool is_ipv6, uint16_t mss);

/*
 * Frames in flight or queued, receive buffers not given back; for leak tests.
 */
uint32_t nic_frames_out(void);
uint32_t nic_buffers_held(void);
