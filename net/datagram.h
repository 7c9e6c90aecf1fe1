/*
 * Datagrams to one address: UDP that is sent and never received, for messages that may
 * be lost.  Nothing waits: what finds no buffer, no address of our own, no way, is
 * dropped and counted; so is what waited for the next hop's address in vain, or was
 * pushed out by the next one (lwIP keeps one with IPv4, and some with IPv6).
 */
#pragma once

#include "config/base.h"
#include "net/net.h"

/*
 * Say who gets them; called once, after net_start() with net_needs.datagrams.
 * Returns false when there is no socket left.
 */
MUST_USE bool net_datagram_start(const struct net_peer *to);

/* Bytes of the longest datagram: LIMIT_SYSLOG_LEN, or what the MTU leaves. */
size_t net_datagram_max(void);

/* Send len (1..net_datagram_max()) bytes, copied. */
void net_datagram_send(const void *data, size_t len);
