/*
 * Which connection does a segment belong to?  A hash table of all pcbs that can
 * receive one, called by lwIP through net/hooks.h (config/lwip-lookup.patch).
 */
#pragma once

#include "config/base.h"

#include "lwip/ip_addr.h"

struct tcp_pcb;

/* Draw the table's key.  Called once, before lwIP starts. */
void demux_start(void);

/* Put a pcb in, by its addresses and ports; take it out. */
void demux_add(struct tcp_pcb *pcb);
void demux_remove(struct tcp_pcb *pcb);

/* The pcb with exactly these addresses and ports, or NULL. */
struct tcp_pcb *demux_find(const ip_addr_t *local, u16_t local_port,
    const ip_addr_t *remote, u16_t remote_port);
