/*
 * The kernel's side of the gate: what trap.c and server.c need of it.
 */
#pragma once

#include "config/base.h"
#include "kernel/gate.h"
#include "kernel/trap.h"

/*
 * One call of the server.  Called by gate_entry only; a1..a3 are the server's
 * registers, call is the number it asked for (any value).
 * Returns what the server finds in %rax.
 */
enum gate_status gate_dispatch(uint64_t a1, uint64_t a2, uint64_t a3,
    uint64_t call);

/*
 * A server is about to run its first instruction: it has all its time before the
 * watchdog, hears of a stop that is under way, and the first tick is armed.
 */
void gate_start(void);

/*
 * A second has passed while the server ran: watchdog, power button, next tick.
 * frame is where the server was interrupted.
 */
void gate_tick(const struct trap_frame *frame);
