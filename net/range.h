/*
 * Addresses, and ranges of them, as operators and proxies write them.  Pure.
 */
#pragma once

#include "config/limits.h"
#include "net/net.h"

/*
 * "192.0.2.1": four decimal numbers of one to three digits, none with a zero in front
 * (some read that as octal), nothing else.
 * out  4 bytes in network order, written on true only
 */
MUST_USE bool net_read_ipv4(const char *text, size_t len, uint8_t *out);

/*
 * Eight groups, or fewer with one "::" for the rest; the last two may be written as
 * an IPv4 address (RFC 4291, section 2.2).
 * out  16 bytes, written on true only
 */
MUST_USE bool net_read_ipv6(const char *text, size_t len, uint8_t *out);

/*
 * ADDRESS[:PORT], an IPv6 address in brackets if a port follows: "[2001:db8::1]:514".
 * out  as net_peer_of() leaves it, written on true only
 */
MUST_USE bool net_read_endpoint(const char *text, size_t len,
    uint16_t default_port, struct net_peer *out);

/*
 * A peer, from its bytes.  An IPv4-mapped IPv6 address (RFC 4291, section 2.5.5.2) is
 * the IPv4 address: whoever is meant by a range is meant in both forms.
 * addr  4 or 16 bytes in network order
 */
struct net_peer net_peer_of(const uint8_t *addr, bool is_ipv6, uint16_t port);

/* The addresses whose first `bits` bits are those of `addr`. */
struct net_range {
	uint8_t addr[16];      /* IPv4 uses the first 4 */
	uint8_t bits;
	bool is_ipv6;
};

struct net_ranges {
	uint32_t count;
	struct net_range at[LIMIT_RANGES];
};

/*
 * ADDRESS[/BITS][,ADDRESS[/BITS]...], at least one and at most LIMIT_RANGES; without
 * BITS it is one address alone.  Bits of an address behind its first BITS mean nothing.
 * out      always written, useful on true only
 */
MUST_USE bool net_read_ranges(const char *text, size_t len,
    struct net_ranges *out);

/* Is the peer's address in one of the ranges? */
bool net_ranges_hold(const struct net_ranges *ranges,
    const struct net_peer *peer);
