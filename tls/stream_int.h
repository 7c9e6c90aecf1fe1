/*
 * Streams, as those see them that hand connections to them: stream.c, relayed.c.
 */
#pragma once

#include "tls/private.h"
#include "tls/stream.h"

/* net's functions for a plain stream; private.h has those for a private one. */
extern struct net_app plain_net_app;

/* Say who is above, before the first connection. */
void stream_prepare_plain(const struct stream_app *app);
void stream_prepare_private(const struct stream_app *app);
