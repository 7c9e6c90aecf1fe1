/*
 * The server's life: its memory, its start, its crashes.
 */
#pragma once

#include "config/base.h"
#include "kernel/gate.h"
#include "kernel/gate_check.h"
#include "kernel/handoff.h"
#include "kernel/trap.h"

/*
 * Map the server's image and give it stack, receive buffers, pools, the ROM and the
 * public part of the instance bundle; open the vault with the secret part.  Takes all
 * RAM that is left.  After vnet_start() and entropy_init(), before map_seal().
 *
 * h   its bundle, if there is one, passed bundle_check()
 *
 * Returns NULL, or a sentence: there is not enough memory
 */
MUST_USE const char *server_prepare(const struct handoff *h);

/* Put a bar of the boot chart and the machine's name where the server finds them. */
void server_add_phase(const char *name, uint64_t end_ns);
void server_set_machine(const char *text);

/* Enter ring 3 for the first time, after map_seal(). */
NORETURN void server_run(void);

/* The server did something forbidden; frame says what and where. */
NORETURN void server_crashed_trap(const struct trap_frame *frame);

/* The server made no gate call for LIMIT_HANG_TICKS seconds. */
NORETURN void server_crashed_hang(const struct trap_frame *frame);

/* The server found itself wrong (GATE_STOP_FAULT); text is its own account. */
NORETURN void server_crashed_text(const char *text, size_t len);

/* What the server may name in gate calls; fixed once server_prepare() is done. */
const struct gate_ranges *server_ranges(void);

/* The page that the server was told everything by: what the NIC offers, which keys there are. */
const struct gate_info *server_info(void);

/* The command line, and the server's first instruction. */
const char *server_cmdline(void);
uint64_t server_entry(void);

/* Bring the clock page up to date. */
void server_refresh_clock(void);
