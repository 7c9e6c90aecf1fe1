/*
 * The interface's addresses: where they come from, saying them to the operator,
 * and keeping them over a crash of the server.
 */
#pragma once

#include "config/base.h"
#include "kernel/gate.h"

struct netif;

/*
 * Bring the interface up and its addresses on the way, as the command line
 * says. After a crash the addresses of before are in force at once, and DHCP
 * and router solicitation confirm them behind the scenes. Returns NULL, or a
 * sentence for the operator saying what is wrong.
 */
MUST_USE const char *address_start(const struct gate_info *info,
    struct netif *netif);
