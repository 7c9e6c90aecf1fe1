/*
 * The PROXY protocol, versions 1 and 2: what a load balancer says about the client,
 * before the client's first byte.  Pure.
 *
 * Strict, for whatever is not understood here would be taken for the client's bytes.
 * Not offered: extensions of version 2 (TLV); they are passed over, checksums too.
 *
 * Source  haproxy.org, doc/proxy-protocol.txt of 2020, sections 2.1 and 2.2
 */
#pragma once

#include "config/base.h"
#include "net/net.h"

enum proxy_parse {
	PROXY_OK = 0,
	PROXY_NEED_MORE,
	PROXY_BAD,       /* neither version's, or longer than LIMIT_PROXY_LEN */
};

struct proxy_header {
	size_t len;              /* bytes of the header; the client's follow */
	/*
	 * The client is known.  False if the proxy speaks for itself (LOCAL), or for
	 * somebody who has no TCP address (UNKNOWN, UNSPEC, UNIX, UDP).
	 */
	bool has_peer;
	struct net_peer peer;    /* as net_peer_of() leaves it */
};

/*
 * Read the header at the front of data[0, len).
 *
 * out      written on PROXY_OK only
 * Result   depends on the header's bytes alone, and what is not PROXY_NEED_MORE never
 *          changes with further bytes.  Never PROXY_NEED_MORE with LIMIT_PROXY_LEN bytes.
 */
MUST_USE enum proxy_parse proxy_parse(const uint8_t *data, size_t len,
    struct proxy_header *out);
