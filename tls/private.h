/*
 * Private streams: net's functions for a connection that speaks TLS.
 */
#pragma once

#include "tls/stream.h"
#include "tls/tls.h"

/* The functions for net_listen(); app_len is set by stream_listen_private(). */
extern struct net_app private_net_app;

/* Who is above; set once. */
extern const struct stream_app *private_app;

/* Counted here, shown by tls_counters(). */
extern struct tls_counters private_counters;

/* Bytes of the object that each connection needs: net_needs.session_len. */
size_t private_session_len(void);
