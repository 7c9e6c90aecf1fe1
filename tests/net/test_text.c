/* links: net/text.c */
/*
 * Numbers and addresses as text; IPv6 in the form of RFC 5952, section 4.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "net/text.h"

static const char *show6(const uint8_t addr[16])
{
	static char buf[64];
	struct text t = text_start(buf, sizeof buf - 1);

	text_add_ipv6(&t, addr);
	buf[t.len] = '\0';
	return buf;
}

static void ipv6_has_one_form(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "::", "::" },
		{ "::1", "::1" },
		{ "1::", "1::" },
		{ "2001:db8::1", "2001:db8::1" },
		{ "2001:0DB8:0:0:0:0:0:01", "2001:db8::1" },
		{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
		{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
		{ "1:2:3:4:5:6:0:0", "1:2:3:4:5:6::" },
		{ "0:0:3:4:5:6:7:8", "::3:4:5:6:7:8" },
		{ "0:2:3:4:5:6:7:0", "0:2:3:4:5:6:7:0" },
		{ "fe80::ABCD:ef01", "fe80::abcd:ef01" },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint8_t addr[16];

		assert_int_equal(inet_pton(AF_INET6, cases[i].in, addr), 1);
		assert_string_equal(show6(addr), cases[i].out);
	}
}

static void ipv6_reads_back(void **state)
{
	unsigned seed = 3;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		uint8_t addr[16], back[16];

		for (size_t k = 0; k < 16; k++) {
			seed = seed * 1103515245u + 12345u;
			addr[k] = (seed >> 16) % 3 == 0 ? (uint8_t)(seed >> 20) : 0;
		}
		assert_int_equal(inet_pton(AF_INET6, show6(addr), back), 1);
		assert_memory_equal(addr, back, 16);
	}
}

static void numbers_and_ipv4(void **state)
{
	static const uint8_t addr[4] = { 192, 0, 2, 255 };
	char buf[80] = { 0 };
	struct text t = text_start(buf, sizeof buf - 1);

	(void)state;
	text_add_u64(&t, 0);
	text_add(&t, " ");
	text_add_u64(&t, 10);
	text_add(&t, " ");
	text_add_u64(&t, UINT64_MAX);
	text_add(&t, " ");
	text_add_ipv4(&t, addr);
	assert_string_equal(buf, "0 10 18446744073709551615 192.0.2.255");
}

static void what_does_not_fit_is_cut(void **state)
{
	char buf[8] = "-------";
	struct text t = text_start(buf, 5);

	(void)state;
	text_add(&t, "123");
	text_add_u64(&t, 456789);
	assert_int_equal(t.len, 5);
	assert_memory_equal(buf, "12345--", 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv6_has_one_form),
		cmocka_unit_test(ipv6_reads_back),
		cmocka_unit_test(numbers_and_ipv4),
		cmocka_unit_test(what_does_not_fit_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
