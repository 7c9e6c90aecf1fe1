/*
 * The console: the first serial port, written in two ways.
 *
 * Kernel messages (console_write, console_printf) go out at once and wait for
 * the port.  The server's text (console_append) goes into a ring and leaves
 * from the idle path, a FIFO at a time: a slow console never slows a response.
 * The two never share a line: each finishes or breaks the other's line first.
 *
 * What is shown is printable ASCII and '\n' (sent as "\r\n"); every other byte
 * appears as '?': control bytes, and all from 0x7F on, where the control bytes
 * of 8-bit terminals hide.  A machine without the port, or with one
 * that stops accepting bytes, loses the text and nothing else: no call hangs.
 */
#pragma once

#include "config/base.h"

/*
 * Find and set up the port.  The first call of this module; text written before
 * it is dropped.  Calling it again is allowed (boot may have written before).
 */
void console_init(void);

/*
 * Print len (any) bytes now.  If the ring's line is half sent, its rest goes
 * first; whole lines still in the ring come after (see console_flush()).
 */
void console_write(const char *text, size_t len);

/*
 * Print formatted text now.  One call is at most LIMIT_CONSOLE_LINE_LEN bytes,
 * the rest is cut off.  Conversions: format.h.
 */
void console_printf(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/*
 * Put len bytes at the end of the ring; never waits.  All or nothing: when the
 * ring is full the call is dropped, as are all that follow until half of the
 * ring is free again; then "console: N lines dropped" stands in their place.
 * Returns whether the text was taken.
 */
bool console_append(const char *text, size_t len);

/* What is left after a drain. */
enum console_left {
	CONSOLE_EMPTY = 0,   /* nothing */
	CONSOLE_MORE,        /* bytes that the port may take at once */
	CONSOLE_BUSY,        /* bytes; the port is full for CONSOLE_BUSY_NS */
};

/* A real port sends its 16 bytes in 1.4 ms; one that nobody reads, never. */
#define CONSOLE_BUSY_NS 1500000

/* The idle path: send what the port takes without waiting, 16 bytes at most. */
enum console_left console_drain(void);

/*
 * Before a panic report, a stop or a restart: send all of the ring and wait
 * until the port has sent it.  Bounded by the ring and the port's patience.
 */
void console_flush(void);

/* Console lines dropped since boot. */
uint64_t console_dropped(void);
