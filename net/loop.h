/*
 * The loop of the server, as the other files of net/ see it; see net_poll() in
 * net.h.
 */
#pragma once

#include "config/base.h"

/* The gate's clock, read once per turn. */
uint64_t loop_now_ns(void);
