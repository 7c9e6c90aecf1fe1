/* links: kernel/console.c kernel/format.c */
/*
 * The console over a serial port made of a buffer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/limits.h"
#include "kernel/console.h"
#include "kernel/format.h"
#include "kernel/uart.h"

/* ---- The port ------------------------------------------------------------ */

static char sent[4 * LIMIT_CONSOLE_RING_LEN];
static size_t sent_len;
static size_t room;          /* bytes taken without waiting */
static bool patient;         /* bytes are taken after a wait */
static bool fitted;

bool uart_init(void)
{
	return fitted;
}

bool uart_send(uint8_t byte, bool wait)
{
	if (room == 0 && !(wait && patient))
		return false;
	if (room > 0)
		room--;
	assert_true(sent_len < sizeof sent);
	sent[sent_len++] = (char)byte;
	return true;
}

void uart_finish(void)
{
}

void panic_at(const char *file, int at, const char *what)
{
	print_error("%s:%d: %s\n", file, at, what);
	abort();
}

static int port_works(void **state)
{
	(void)state;
	fitted = true;
	patient = true;
	room = SIZE_MAX;
	console_init();
	console_flush();
	console_write("\n", 1);
	sent_len = 0;
	return 0;
}

static void expect(const char *text)
{
	assert_int_equal(sent_len, strlen(text));
	assert_memory_equal(sent, text, sent_len);
	sent_len = 0;
}

static void expect_end(const char *text)
{
	const size_t len = strlen(text);

	assert_true(sent_len >= len);
	assert_memory_equal(sent + sent_len - len, text, len);
	sent_len = 0;
}

static bool append(const char *text)
{
	return console_append(text, strlen(text));
}

static void write_now(const char *text)
{
	console_write(text, strlen(text));
}

/* ---- What is shown ------------------------------------------------------- */

static void only_printable_ascii_is_shown(void **state)
{
	(void)state;
	write_now("a\tb\x1b[2J\x7f\x9b\xc3\xa9\n");
	expect("a?b?[2J????\r\n");
	assert_true(append("a\tb\x1b[2J\x7f\x9b\xc3\xa9\r\n"));
	console_flush();
	expect("a?b?[2J?????\r\n");
}

static void a_drain_sends_one_fifo_at_most(void **state)
{
	(void)state;
	assert_true(append("0123456789abcdefghijklmnopqrstuv"));
	assert_int_equal(console_drain(), CONSOLE_MORE);
	expect("0123456789abcdef");
	assert_int_equal(console_drain(), CONSOLE_EMPTY);
	expect("ghijklmnopqrstuv");
	assert_int_equal(console_drain(), CONSOLE_EMPTY);
	expect("");
}

static void a_drain_never_waits(void **state)
{
	(void)state;
	assert_true(append("hello\n"));
	room = 3;
	assert_int_equal(console_drain(), CONSOLE_BUSY);
	assert_int_equal(console_drain(), CONSOLE_BUSY);
	expect("hel");
	room = SIZE_MAX;
	assert_int_equal(console_drain(), CONSOLE_EMPTY);
	expect("lo\r\n");
}

/* ---- Two writers --------------------------------------------------------- */

static void a_kernel_line_waits_for_the_end_of_a_ring_line(void **state)
{
	(void)state;
	assert_true(append("first\nsecond\n"));
	room = 3;
	assert_int_equal(console_drain(), CONSOLE_BUSY);
	room = 0;
	write_now("kernel\n");
	expect("first\r\nkernel\r\n");
	room = SIZE_MAX;
	console_flush();
	expect("second\r\n");
}

static void a_kernel_line_breaks_a_ring_line_without_end(void **state)
{
	(void)state;
	assert_true(append("half"));
	assert_int_equal(console_drain(), CONSOLE_EMPTY);
	write_now("kernel\n");
	expect("half\r\nkernel\r\n");
	assert_true(append(" rest\n"));
	console_flush();
	expect(" rest\r\n");
}

static void a_kernel_line_between_cr_and_lf_does_not_add_a_break(void **state)
{
	(void)state;
	assert_true(append("x\ny\n"));
	room = 2;
	assert_int_equal(console_drain(), CONSOLE_BUSY);
	expect("x\r");
	write_now("kernel\n");
	expect("\nkernel\r\n");
	room = SIZE_MAX;
	console_flush();
	expect("y\r\n");
}

static void a_ring_line_breaks_a_kernel_line_without_end(void **state)
{
	(void)state;
	write_now("half");
	assert_true(append("ring\n"));
	assert_int_equal(console_drain(), CONSOLE_EMPTY);
	expect("half\r\nring\r\n");
}

/* ---- Dropping ------------------------------------------------------------ */

/* Fill the ring with lines of 64 bytes until one is refused. */
static void fill(void)
{
	char text[64];

	memset(text, '.', sizeof text);
	text[62] = '\n';         /* 64 bytes with its '\r' */
	room = 0;
	for (size_t i = 0; i < LIMIT_CONSOLE_RING_LEN / 64; i++)
		assert_true(console_append(text, 63));
	assert_false(console_append(text, 63));
}

/* Let the port take n bytes, in as many drains as it needs; forget them. */
static void drain_bytes(size_t n)
{
	for (room = n; room > 0; )
		(void)console_drain();
	sent_len = 0;
}

static void full_ring_drops_calls_and_counts_lines(void **state)
{
	const uint64_t before = console_dropped();

	(void)state;
	fill();
	assert_false(append("two\nlines\n"));
	assert_false(append("x"));
	assert_false(append("x"));
	assert_false(append("x\n"));
	assert_int_equal(console_dropped() - before, 4);
	drain_bytes(LIMIT_CONSOLE_RING_LEN / 2 - 16);
	assert_false(append("five\n"));
	drain_bytes(16);
	assert_true(append("taken\n"));
	drain_bytes(LIMIT_CONSOLE_RING_LEN / 2);
	room = SIZE_MAX;
	console_flush();
	expect("console: 5 lines dropped\r\ntaken\r\n");
}

static void the_rest_of_a_dropped_line_is_dropped(void **state)
{
	(void)state;
	fill();
	assert_false(append("begin"));
	drain_bytes(LIMIT_CONSOLE_RING_LEN);
	assert_true(append(" end\nnext\n"));
	room = SIZE_MAX;
	console_flush();
	expect("console: 2 lines dropped\r\nnext\r\n");
}

static void the_notice_does_not_wait_for_a_next_line(void **state)
{
	(void)state;
	fill();
	drain_bytes(LIMIT_CONSOLE_RING_LEN);
	room = SIZE_MAX;
	(void)console_drain();
	(void)console_drain();
	expect("console: 1 lines dropped\r\n");
	console_flush();
	expect("");
}

static void the_notice_stands_on_its_own_line(void **state)
{
	(void)state;
	fill();
	drain_bytes(LIMIT_CONSOLE_RING_LEN);
	room = SIZE_MAX;
	console_flush();
	sent_len = 0;
	fill();
	drain_bytes(16);
	room = SIZE_MAX;
	console_flush();         /* the second fill's notice */
	sent_len = 0;

	assert_true(append("half a line"));
	for (size_t i = 0; i < LIMIT_CONSOLE_RING_LEN; i += 1024) {
		char text[1024];

		memset(text, '-', sizeof text);
		(void)console_append(text, sizeof text);
	}
	room = SIZE_MAX;
	console_flush();
	assert_true(append("\nnew\n"));
	console_flush();
	expect_end("--\r\nconsole: 1 lines dropped\r\nnew\r\n");
}

/* ---- A port that is not there, or stuck ---------------------------------- */

static void without_a_port_text_vanishes(void **state)
{
	(void)state;
	fitted = false;
	console_init();
	for (size_t i = 0; i < LIMIT_CONSOLE_RING_LEN; i++)
		assert_true(append("ring\n"));
	write_now("kernel\n");
	assert_int_equal(console_drain(), CONSOLE_EMPTY);
	console_flush();
	expect("");
}

static void a_stuck_port_keeps_the_ring_and_loses_kernel_lines(void **state)
{
	(void)state;
	room = 0;
	patient = false;
	assert_true(append("ring\n"));
	write_now("kernel\n");
	console_flush();
	expect("");
	room = SIZE_MAX;
	patient = true;
	console_flush();
	expect("ring\r\n");
}

/* ---- Formatting ---------------------------------------------------------- */

__attribute__((format(printf, 2, 3)))
static void expect_format(const char *expected, const char *format, ...)
{
	char out[64];
	va_list args;
	size_t len;

	va_start(args, format);
	len = format_text(out, sizeof out, format, args);
	va_end(args);
	assert_int_equal(len, strlen(expected));
	assert_memory_equal(out, expected, len);
}

static void conversions(void **state)
{
	(void)state;
	expect_format("a 1 -2 3 ff", "%c %d %d %u %x", 'a', 1, -2, 3u, 255u);
	expect_format("-2147483648", "%d", -2147483647 - 1);
	expect_format("-9223372036854775808", "%ld", INT64_MIN);
	expect_format("18446744073709551615", "%lu", UINT64_MAX);
	expect_format("ffffffffffffffff", "%lx", UINT64_MAX);
	expect_format("7 8", "%llu %zu", 7ull, (size_t)8);
	expect_format("0x1234", "%p", (void *)0x1234);
	expect_format("100%", "%u%%", 100u);
}

static void widths_and_precision(void **state)
{
	(void)state;
	expect_format("[   42]", "[%5d]", 42);
	expect_format("[42   ]", "[%-5d]", 42);
	expect_format("[00042]", "[%05d]", 42);
	expect_format("[-0042]", "[%05d]", -42);
	expect_format("[        7]", "[%9d]", 7);
	expect_format("[  -42]", "[%5d]", -42);
	expect_format("[  abc]", "[%5s]", "abc");
	expect_format("[abc  ]", "[%-5s]", "abc");
	expect_format("[ab]", "[%.2s]", "abc");
	expect_format("[ab]", "[%.*s]", 2, "abc");
	expect_format("[   7]", "[%*u]", 4, 7u);
	expect_format("[0000000000001000]", "[%016lx]", 4096ul);
}

static void mistakes_are_shown(void **state)
{
	const char *unknown = "%q %";    /* hidden from the compiler's check */
	const char *volatile none = NULL;
	char out[16];
	va_list args;

	(void)state;
	expect_format("(null)", "%s", none);
	memset(&args, 0, sizeof args);
	assert_int_equal(format_text(out, sizeof out, unknown, args), 4);
	assert_memory_equal(out, "%q %", 4);
}

static void long_text_is_cut_off(void **state)
{
	char out[4] = "....";
	va_list args;

	(void)state;
	memset(&args, 0, sizeof args);
	assert_int_equal(format_text(out, 3, "abcdef", args), 3);
	assert_memory_equal(out, "abc.", 4);
	assert_int_equal(format_line(out, sizeof out, "abcdef"), 3);
	assert_memory_equal(out, "abc", 4);
	console_printf("%1000d\n", 1);
	assert_int_equal(sent_len, LIMIT_CONSOLE_LINE_LEN);
	sent_len = 0;
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup(f, port_works)
	const struct CMUnitTest tests[] = {
		CASE(only_printable_ascii_is_shown),
		CASE(a_drain_sends_one_fifo_at_most),
		CASE(a_drain_never_waits),
		CASE(a_kernel_line_waits_for_the_end_of_a_ring_line),
		CASE(a_kernel_line_breaks_a_ring_line_without_end),
		CASE(a_kernel_line_between_cr_and_lf_does_not_add_a_break),
		CASE(a_ring_line_breaks_a_kernel_line_without_end),
		CASE(full_ring_drops_calls_and_counts_lines),
		CASE(the_rest_of_a_dropped_line_is_dropped),
		CASE(the_notice_does_not_wait_for_a_next_line),
		CASE(the_notice_stands_on_its_own_line),
		CASE(without_a_port_text_vanishes),
		CASE(a_stuck_port_keeps_the_ring_and_loses_kernel_lines),
		CASE(conversions),
		CASE(widths_and_precision),
		CASE(mistakes_are_shown),
		CASE(long_text_is_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
