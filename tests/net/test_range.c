/* links: net/range.c net/text.c */
/*
 * Addresses and ranges as text: what is one, what is none, and who is in it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include <cmocka.h>

#include "net/range.h"
#include "net/text.h"

/* Exactly so many bytes, so that sanitizers see a read behind them. */
static char *exact(const char *text, size_t len)
{
	char *copy = malloc(len + 1);

	assert_non_null(copy);
	memcpy(copy, text, len);
	return realloc(copy, len > 0 ? len : 1);
}

static bool reads_ranges(const char *text, struct net_ranges *out)
{
	const size_t len = strlen(text);
	char *copy = exact(text, len);
	const bool good = net_read_ranges(copy, len, out);

	free(copy);
	return good;
}

static struct net_peer peer(const char *text)
{
	struct net_peer p;

	assert_true(net_read_endpoint(text, strlen(text), 1, &p));
	return p;
}

static void addresses_are_those_of_the_c_library(void **state)
{
	static const char *const texts[] = {
		"0.0.0.0", "255.255.255.255", "192.0.2.1", "1.2.3", "1.2.3.4.5",
		"1.2.3.", ".1.2.3", "256.1.1.1", "1..2.3", "", "1.2.3.4 ", "a.b.c.d",
		"::", "::1", "1::", "2001:db8::1", "2001:DB8::a:b", ":1", "1:", ":::",
		"1::2::3", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7::",
		"::2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8:9", "::1.2.3.4",
		"::ffff:192.0.2.1", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4",
		"1:2:3:4:5::1.2.3.4", "1:2:3:4:5:1.2.3.4", "1.2.3.4::", "12345::",
		"g::", "::1.2.3", "fe80::1%eth0", "::1.2.3.4:5", "1:::2",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const size_t len = strlen(texts[i]);
		char *copy = exact(texts[i], len);
		uint8_t ours[16] = { 0 }, theirs[16] = { 0 };

		const bool is4 = net_read_ipv4(copy, len, ours);
		assert_int_equal(is4, inet_pton(AF_INET, texts[i], theirs));
		assert_true(!is4 || memcmp(ours, theirs, 4) == 0);
		const bool is6 = net_read_ipv6(copy, len, ours);
		assert_int_equal(is6, inet_pton(AF_INET6, texts[i], theirs));
		assert_true(!is6 || memcmp(ours, theirs, 16) == 0);
		free(copy);
	}
}

static void octal_numbers_are_refused(void **state)
{
	uint8_t addr[4];

	(void)state;
	assert_false(net_read_ipv4("010.0.0.1", 9, addr));
	assert_false(net_read_ipv4("10.0.0.00", 9, addr));
}

static void endpoints_have_a_port_or_the_default_one(void **state)
{
	static const struct {
		const char *text, *addr;
		uint16_t port;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.1", 514 },
		{ "192.0.2.1:5514", "192.0.2.1", 5514 },
		{ "192.0.2.1:65535", "192.0.2.1", 65535 },
		{ "2001:db8::1", "2001:db8::1", 514 },
		{ "::1", "::1", 514 },
		{ "[2001:db8::1]", "2001:db8::1", 514 },
		{ "[2001:db8::1]:1", "2001:db8::1", 1 },
		{ "[::ffff:192.0.2.1]:9", "192.0.2.1", 9 },
		{ "", NULL, 0 }, { "[", NULL, 0 }, { "[]", NULL, 0 },
		{ "[::1", NULL, 0 }, { "[::1]x", NULL, 0 }, { "[::1]:", NULL, 0 },
		{ "[192.0.2.1]:1", NULL, 0 }, { "192.0.2.1:", NULL, 0 },
		{ "192.0.2.1:0", NULL, 0 }, { "192.0.2.1:65536", NULL, 0 },
		{ "192.0.2.1:1a", NULL, 0 }, { ":514", NULL, 0 },
		{ "host:514", NULL, 0 }, { "192.0.2.1:01", NULL, 0 },
		{ ":", NULL, 0 }, { "::", "::", 514 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const size_t len = strlen(cases[i].text);
		char *copy = exact(cases[i].text, len), buf[64];
		struct text t = text_start(buf, sizeof buf);
		struct net_peer p;

		const bool good = net_read_endpoint(copy, len, 514, &p);
		free(copy);
		assert_int_equal(good, cases[i].addr != NULL);
		if (!good)
			continue;
		if (p.is_ipv6)
			text_add_ipv6(&t, p.addr);
		else
			text_add_ipv4(&t, p.addr);
		assert_int_equal(t.len, strlen(cases[i].addr));
		assert_memory_equal(t.at, cases[i].addr, t.len);
		assert_int_equal(p.port, cases[i].port);
	}
}

static void a_range_holds_its_addresses_and_no_others(void **state)
{
	static const struct {
		const char *ranges, *peer;
		bool holds;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "192.0.2.0", false },
		{ "192.0.2.1/32", "192.0.2.1", true },
		{ "192.0.2.0/31", "192.0.2.1", true },
		{ "192.0.2.0/31", "192.0.2.2", false },
		{ "10.0.0.0/8", "10.255.255.255", true },
		{ "10.0.0.0/8", "11.0.0.0", false },
		{ "10.64.0.0/10", "10.127.0.1", true },
		{ "10.64.0.0/10", "10.128.0.1", false },
		{ "10.1.2.3/8", "10.9.9.9", true },
		{ "0.0.0.0/0", "203.0.113.7", true },
		{ "0.0.0.0/0", "2001:db8::1", false },
		{ "::/0", "2001:db8::1", true },
		{ "::/0", "203.0.113.7", false },
		{ "2001:db8::/32", "2001:db8:ffff::1", true },
		{ "2001:db8::/32", "2001:db9::1", false },
		{ "2001:db8::/33", "2001:db8:7fff::", true },
		{ "2001:db8::/33", "2001:db8:8000::", false },
		{ "2001:db8::1", "2001:db8::1", true },
		{ "2001:db8::1/127", "2001:db8::", true },
		{ "::1/128", "::2", false },
		{ "192.0.2.1,10.0.0.0/8,::1", "::1", true },
		{ "192.0.2.1,10.0.0.0/8,::1", "10.1.1.1", true },
		{ "192.0.2.1,10.0.0.0/8,::1", "192.0.2.2", false },
		{ "10.0.0.0/8", "::ffff:10.0.0.1", true },
		{ "::ffff:10.0.0.0/104", "10.0.0.1", true },
		{ "::ffff:10.0.0.0/104", "11.0.0.1", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct net_ranges ranges;
		const struct net_peer p = peer(cases[i].peer);

		assert_true(reads_ranges(cases[i].ranges, &ranges));
		assert_int_equal(net_ranges_hold(&ranges, &p), cases[i].holds);
	}
}

static void no_ranges_hold_nobody(void **state)
{
	const struct net_ranges none = { 0 };
	const struct net_peer p = peer("0.0.0.0");

	(void)state;
	assert_false(net_ranges_hold(&none, &p));
}

static void what_is_no_list_of_ranges_is_refused(void **state)
{
	static const char *const texts[] = {
		"", ",", "10.0.0.0/8,", ",10.0.0.0/8", "10.0.0.0/33", "10.0.0.0/",
		"10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/08", "::/129", "::/a",
		"10.0.0.0 ", "10.0.0.0/8, 1.2.3.4", "everyone", "10.0.0.0/99999999999",
	};
	struct net_ranges ranges;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_false(reads_ranges(texts[i], &ranges));
}

static void eight_ranges_are_taken_and_nine_refused(void **state)
{
	char text[128] = "10.0.0.1";
	struct net_ranges ranges;

	(void)state;
	for (int i = 1; i < LIMIT_RANGES; i++)
		strcat(text, ",10.0.0.1");
	assert_true(reads_ranges(text, &ranges));
	assert_int_equal(ranges.count, LIMIT_RANGES);
	strcat(text, ",10.0.0.1");
	assert_false(reads_ranges(text, &ranges));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_those_of_the_c_library),
		cmocka_unit_test(octal_numbers_are_refused),
		cmocka_unit_test(endpoints_have_a_port_or_the_default_one),
		cmocka_unit_test(a_range_holds_its_addresses_and_no_others),
		cmocka_unit_test(no_ranges_hold_nobody),
		cmocka_unit_test(what_is_no_list_of_ranges_is_refused),
		cmocka_unit_test(eight_ranges_are_taken_and_nine_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
