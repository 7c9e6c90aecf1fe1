/*
 * Private streams: net's functions for a connection that speaks TLS.
 */
#pragma once

#include "tls/stream.h"

/* The functions for net_listen(); app_len is set by stream_listen_private(). */
extern struct net_app private_net_app;

/* Who is above; set once. */
extern const struct stream_app *private_app;
