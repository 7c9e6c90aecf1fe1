/*
 * Numbers nobody off the path can guess: for ports, identifiers, and the first
 * sequence numbers of connections (net/hooks.h).  lwIP asks through
 * net/arch/cc.h.
 */
#pragma once

#include "config/base.h"

/* Draw the key of the sequence numbers.  Called once, before lwIP starts. */
void random_start(void);
