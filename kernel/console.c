/*
 * Console: see console.h.
 *
 * Two writers share the port, and `line` says whose unfinished line is on the
 * screen.  Whoever comes next ends it first: the kernel by sending the rest of
 * the ring's line (or a line break, if the ring does not hold the rest), the
 * ring by a line break.
 *
 * The ring holds bytes exactly as they go out ("\r\n" already made):
 *   ring[(head + i) % RING], i < used   waits, oldest first
 *   tail_open   the last byte put in was not a line's end
 * Dropping goes by whole calls of console_append():
 *   dropping    since a call found no room; ends when half of the ring is free
 *   drop_open   the last byte dropped was not a line's end: the line's rest,
 *               which comes with a later call, is dropped too
 *   drop_lines  lines of which something was dropped, not yet reported
 */
#include "config/limits.h"
#include "kernel/console.h"
#include "kernel/format.h"
#include "kernel/uart.h"

#define RING LIMIT_CONSOLE_RING_LEN
#define NOTICE_CAP 64

enum line_owner {
	LINE_NONE = 0,
	LINE_KERNEL,
	LINE_RING,
};

static bool present;
static enum line_owner line;

static uint8_t ring[RING];
static size_t head;
static size_t used;
static bool tail_open;
static bool dropping;
static bool drop_open;
static uint64_t drop_lines;
static uint64_t drop_total;

void console_init(void)
{
	present = uart_init();
}

/* What is shown of a byte that is not a line's end. */
static uint8_t visible(char c)
{
	return c >= 0x20 && c < 0x7F ? (uint8_t)c : '?';
}

/* ---- The ring ------------------------------------------------------------ */

/* Bytes that text takes in the ring. */
static size_t ring_len_of(const char *text, size_t len)
{
	size_t n = len;

	for (size_t i = 0; i < len; i++)
		n += text[i] == '\n';
	return n;
}

static void ring_put(uint8_t byte)
{
	ASSERT(used < RING);
	ring[(head + used) % RING] = byte;
	used++;
	tail_open = byte != '\n';
}

/* The caller has checked that there is room. */
static void ring_put_text(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n')
			ring_put('\r');
		ring_put(text[i] == '\n' ? '\n' : visible(text[i]));
	}
}

/* Send the ring's oldest byte.  Returns whether the port took it. */
static bool ring_send(bool wait)
{
	const uint8_t byte = ring[head];

	if (!uart_send(byte, wait))
		return false;
	head = (head + 1) % RING;
	used--;
	line = byte == '\n' ? LINE_NONE : LINE_RING;
	return true;
}

/* ---- Dropping ------------------------------------------------------------ */

static void drop(const char *text, size_t len)
{
	dropping = true;
	for (size_t i = 0; i < len; i++) {
		if (!drop_open) {
			drop_lines++;
			drop_total++;
		}
		drop_open = text[i] != '\n';
	}
}

/* Put the notice where the dropped lines would be.  At least half is free. */
static void end_dropping(void)
{
	char notice[NOTICE_CAP];
	size_t len;

	len = format_line(notice, sizeof notice,
	    "%sconsole: %lu lines dropped\n",
	    tail_open ? "\n" : "", drop_lines);
	ring_put_text(notice, len);
	dropping = false;
	drop_lines = 0;
}

bool console_append(const char *text, size_t len)
{
	size_t skip = 0;

	if (!present)
		return true;
	if (dropping && used > RING / 2) {
		drop(text, len);
		return false;
	}
	while (drop_open && skip < len)
		drop_open = text[skip++] != '\n';
	if (dropping)
		end_dropping();
	if (ring_len_of(text + skip, len - skip) > RING - used) {
		drop(text + skip, len - skip);
		return false;
	}
	ring_put_text(text + skip, len - skip);
	return true;
}

uint64_t console_dropped(void)
{
	return drop_total;
}

/* ---- Out to the port ----------------------------------------------------- */

/* End the line that the other writer has left open. */
static void break_line(void)
{
	(void)uart_send('\r', true);
	(void)uart_send('\n', true);
	line = LINE_NONE;
}

enum console_left console_drain(void)
{
	bool busy = false;

	if (used == 0 && dropping)
		end_dropping();
	if (used > 0 && line == LINE_KERNEL)
		break_line();
	for (unsigned i = 0; used > 0 && i < UART_FIFO_LEN && !busy; i++)
		busy = !ring_send(false);
	if (used == 0)
		return CONSOLE_EMPTY;
	return busy ? CONSOLE_BUSY : CONSOLE_MORE;
}

void console_write(const char *text, size_t len)
{
	if (!present || len == 0)
		return;
	while (line == LINE_RING && used > 0) {
		if (!ring_send(true))
			break;
	}
	if (line == LINE_RING)
		break_line();
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n')
			break_line();
		else
			(void)uart_send(visible(text[i]), true);
	}
	line = text[len - 1] == '\n' ? LINE_NONE : LINE_KERNEL;
}

void console_printf(const char *format, ...)
{
	char text[LIMIT_CONSOLE_LINE_LEN];
	va_list args;
	size_t len;

	va_start(args, format);
	len = format_text(text, sizeof text, format, args);
	va_end(args);
	console_write(text, len);
}

void console_flush(void)
{
	while (console_drain() != CONSOLE_EMPTY) {
		if (!ring_send(true))
			break;
	}
	uart_finish();
}

_Static_assert(RING / 2 >= NOTICE_CAP * 2,
    "half of the ring holds the notice, whatever its line breaks take");
