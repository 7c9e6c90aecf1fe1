/*
 * The functions lwIP calls where its behaviour can be chosen.  Included by
 * lwIP's own sources after their types are known.
 */
#pragma once

#include "kernel/gate.h"
#include "net/demux.h"
#include "net/nic.h"
#include "net/records.h"

#include "lwip/ip_addr.h"

/*
 * The first sequence number of a connection: RFC 6528, section 3.  It counts up
 * every 4 microseconds, from an offset that is a keyed hash of both addresses
 * and ports, so that no one off the path can guess it.
 */
u32_t net_initial_sequence(const ip_addr_t *local, u16_t local_port,
    const ip_addr_t *remote, u16_t remote_port);

#define LWIP_HOOK_TCP_ISN net_initial_sequence

/*
 * The next hop for a destination that is on no advertised link: the router of
 * the command line (ip6=...,GATEWAY), or the one of before a crash; NULL to use
 * what routers advertise.
 */
const ip6_addr_t *net_next_hop6(const ip6_addr_t *destination);

#define LWIP_HOOK_ND6_GET_GW(netif, destination) \
	((void)(netif), net_next_hop6(destination))

/*
 * Patched in by config/lwip-tso.patch: payload of the largest segment, and
 * pbufs of one segment; a frame has one slice for each, and one more after a
 * split.
 */
#define LWIP_HOOK_TCP_SEGMENT_MAX(pcb) \
	nic_segment_max(IP_IS_V6_VAL((pcb)->remote_ip), (pcb)->mss)
#define LWIP_TCP_SEGMENT_PBUFS (GATE_FRAME_SLICES - 1)

/* Patched in by config/lwip-users.patch: a pbuf now refers to these bytes. */
#define LWIP_HOOK_TCP_REFERENCE(p) \
	do { \
		if (record_holds((p)->payload)) \
			record_use((p)->payload); \
	} while (0)

/*
 * Patched in by config/lwip-lookup.patch: a pcb can be found from now on (for
 * the second time when it enters TIME-WAIT), no longer, and which one is it.
 */
void conn_pcb_added(struct tcp_pcb *pcb);
void conn_pcb_removed(struct tcp_pcb *pcb);

#define LWIP_HOOK_TCP_ADD conn_pcb_added
#define LWIP_HOOK_TCP_REMOVE conn_pcb_removed
#define LWIP_HOOK_TCP_FIND demux_find
