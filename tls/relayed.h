/*
 * Streams that may come through a load balancer: connections from the addresses of
 * proxies begin with a PROXY header (net/proxy.h), plain and private ones alike, for the
 * header comes before TLS.  Once it is read the connection belongs to plain or private
 * streams as if it had just been opened by the client that it names.  Connections
 * from elsewhere are handed on at once, and nobody looks for a header in them.
 */
#pragma once

#include "config/base.h"
#include "net/range.h"
#include "tls/stream.h"

/* Since the server's start. */
struct relayed_counters {
	uint64_t accepted;     /* headers that were read */
	uint64_t refused;      /* connections that ended without: malformed, cut, late */
};

/*
 * As stream_listen_plain() and stream_listen_private().
 *
 * proxies  who has to begin with a header; kept by reference, the same for all calls
 */
MUST_USE bool relayed_listen_plain(uint16_t port, const struct stream_app *app,
    const struct net_ranges *proxies);
MUST_USE bool relayed_listen_private(uint16_t port,
    const struct stream_app *app, const struct net_ranges *proxies);

const struct relayed_counters *relayed_counters(void);
