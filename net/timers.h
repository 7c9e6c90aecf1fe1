/*
 * lwIP's clockwork: its protocols have tick functions that want to be called at
 * fixed intervals.  Each is called only while it has something to wait for, so
 * that an idle machine sleeps.
 */
#pragma once

#include "config/base.h"

struct netif;

void timers_start(struct netif *netif);

/* Call every tick function that is due. */
void timers_run(void);

/* When the next is due, ms since boot. */
uint64_t timers_next_ms(void);
