/* links: net/proxy.c net/range.c */
/*
 * PROXY headers: both versions word for word, and what is neither.
 * Source: haproxy.org, doc/proxy-protocol.txt, sections 2.1 and 2.2.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include <cmocka.h>

#include "config/limits.h"
#include "net/proxy.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

static struct proxy_header header;

/* From an allocation that ends where the bytes end. */
static enum proxy_parse parse(const void *data, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	assert_non_null(copy);
	memcpy(copy, data, len);
	const enum proxy_parse result = proxy_parse(copy, len, &header);
	free(copy);
	return result;
}

/* Each beginning wants more, and the whole with bytes behind it is the same. */
static void is_good(const uint8_t *data, size_t len)
{
	uint8_t longer[LIMIT_PROXY_LEN + 32];

	for (size_t i = 0; i < len; i++)
		assert_int_equal(parse(data, i), PROXY_NEED_MORE);
	memcpy(longer, data, len);
	memset(longer + len, '\r', 32);
	assert_int_equal(parse(longer, len + 32), PROXY_OK);
	assert_int_equal(header.len, len);
	assert_int_equal(parse(data, len), PROXY_OK);
	assert_int_equal(header.len, len);
}

static void line_is_good(const char *line)
{
	is_good((const uint8_t *)line, strlen(line));
}

static void is_peer(const char *addr, uint16_t port)
{
	uint8_t bytes[16] = { 0 };
	const bool is_ipv6 = strchr(addr, ':') != NULL;

	assert_true(header.has_peer);
	assert_int_equal(header.peer.is_ipv6, is_ipv6);
	assert_int_equal(inet_pton(is_ipv6 ? AF_INET6 : AF_INET, addr, bytes), 1);
	assert_memory_equal(header.peer.addr, bytes, is_ipv6 ? 16 : 4);
	assert_int_equal(header.peer.port, port);
}

static void a_line_names_the_client(void **state)
{
	(void)state;
	line_is_good("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n");
	is_peer("192.168.0.1", 56324);
	line_is_good("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n");
	is_peer("255.255.255.255", 65535);
	line_is_good("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n");
	is_peer("0.0.0.0", 0);
	line_is_good("PROXY TCP6 2001:db8::1 ::1 1 2\r\n");
	is_peer("2001:db8::1", 1);
	line_is_good("PROXY TCP6 "
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	    "FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF 65535 65535\r\n");
	is_peer("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535);
}

static void a_mapped_address_is_the_ipv4_address(void **state)
{
	(void)state;
	line_is_good("PROXY TCP6 ::ffff:192.0.2.7 ::1 9 443\r\n");
	is_peer("192.0.2.7", 9);
	line_is_good("PROXY TCP6 ::ffff:c000:207 ::1 9 443\r\n");
	is_peer("192.0.2.7", 9);
}

static void unknown_clients_stay_unknown(void **state)
{
	char line[128] = "PROXY UNKNOWN ";

	(void)state;
	line_is_good("PROXY UNKNOWN\r\n");
	assert_false(header.has_peer);
	line_is_good("PROXY UNKNOWN ffff::1 what ever\r\n");
	assert_false(header.has_peer);
	/* 107 bytes: the longest line there is. */
	memset(line + 14, 'f', 107 - 16);
	memcpy(line + 105, "\r\n", 3);
	line_is_good(line);
	assert_false(header.has_peer);
}

static void a_line_longer_than_107_bytes_is_bad(void **state)
{
	char line[128] = "PROXY UNKNOWN ";

	(void)state;
	memset(line + 14, 'f', 108 - 16);
	assert_int_equal(parse(line, 106), PROXY_NEED_MORE);
	assert_int_equal(parse(line, 107), PROXY_BAD);
	memcpy(line + 106, "\r\n", 3);
	assert_int_equal(parse(line, 108), PROXY_BAD);
	assert_int_equal(parse(line, 107), PROXY_BAD);
}

static void what_is_no_line_is_bad(void **state)
{
	static const char *const lines[] = {
		"GET / HTTP/1.1\r\n", "PROXX TCP4 1.1.1.1 1.1.1.1 1 1\r\n",
		"proxy TCP4 1.1.1.1 1.1.1.1 1 1\r\n", "PROXY\r\n", "PROXY \r\n",
		"PROXY  TCP4 1.1.1.1 1.1.1.1 1 1\r\n",
		"PROXY TCP4  1.1.1.1 1.1.1.1 1 1\r\n",
		"PROXY TCP4 1.1.1.1 1.1.1.1 1 1 \r\n",
		"PROXY TCP4 1.1.1.1 1.1.1.1 1 1 1\r\n",
		"PROXY TCP4 1.1.1.1 1.1.1.1 1\r\n", "PROXY TCP4 1.1.1.1 1.1.1.1\r\n",
		"PROXY TCP4 1.1.1.1\r\n", "PROXY TCP4\r\n", "PROXY TCP4 \r\n",
		"PROXY TCP5 1.1.1.1 1.1.1.1 1 1\r\n",
		"PROXY UDP4 1.1.1.1 1.1.1.1 1 1\r\n",
		"PROXY UNKNOWNX\r\n", "PROXY unknown\r\n",
		"PROXY TCP4 ::1 ::1 1 1\r\n", "PROXY TCP6 1.1.1.1 1.1.1.1 1 1\r\n",
		"PROXY TCP4 1.1.1.1 ::1 1 1\r\n",
		"PROXY TCP4 01.1.1.1 1.1.1.1 1 1\r\n",
		"PROXY TCP4 1.1.1.256 1.1.1.1 1 1\r\n",
		"PROXY TCP4 1.1.1.1 1.1.1.1 01 1\r\n",
		"PROXY TCP4 1.1.1.1 1.1.1.1 65536 1\r\n",
		"PROXY TCP4 1.1.1.1 1.1.1.1 1 65536\r\n",
		"PROXY TCP4 1.1.1.1 1.1.1.1 -1 1\r\n",
		"PROXY TCP4 1.1.1.1 1.1.1.1 1 99999999999\r\n",
		"PROXY TCP4 1.1.1.1 1.1.1.1 1 \r\n",
		"PROXY TCP4 1.1.1.1 1.1.1.1 1 1\n",
		"PROXY TCP4 1.1.1.1 1.1.1.1 1 1\rX",
		"PROXY UNKNOWN a\nb\r\n", "PROXY UNKNOWN a\rb\r\n",
		"PROXY\tTCP4 1.1.1.1 1.1.1.1 1 1\r\n",
		"\r\nPROXY TCP4 1.1.1.1 1.1.1.1 1 1\r\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		if (parse(lines[i], strlen(lines[i])) != PROXY_BAD)
			fail_msg("not bad: %s", lines[i]);
	}
}

struct binary {
	uint8_t at[LIMIT_PROXY_LEN + 64];
	size_t len;
};

/* A header with an address block of zeros and the numbers 1, 2, 3 ... in front. */
static struct binary binary(uint8_t command, uint8_t kind, size_t rest_len)
{
	struct binary b = { .len = 16 + rest_len };

	memcpy(b.at, SIGNATURE, 12);
	b.at[12] = command;
	b.at[13] = kind;
	b.at[14] = (uint8_t)(rest_len >> 8);
	b.at[15] = (uint8_t)rest_len;
	for (size_t i = 0; i < 36 && i < rest_len; i++)
		b.at[16 + i] = (uint8_t)(i + 1);
	return b;
}

static void binary_is_good(uint8_t command, uint8_t kind, size_t rest_len)
{
	const struct binary b = binary(command, kind, rest_len);

	is_good(b.at, b.len);
}

static void a_binary_header_names_the_client(void **state)
{
	(void)state;
	binary_is_good(0x21, 0x11, 12);
	is_peer("1.2.3.4", 0x090a);
	binary_is_good(0x21, 0x21, 36);
	is_peer("102:304:506:708:90a:b0c:d0e:f10", 0x2122);
}

static void what_follows_the_addresses_is_skipped(void **state)
{
	(void)state;
	binary_is_good(0x21, 0x11, 12 + 3 + 100);
	is_peer("1.2.3.4", 0x090a);
	binary_is_good(0x21, 0x21, 36 + 7);
	is_peer("102:304:506:708:90a:b0c:d0e:f10", 0x2122);
	binary_is_good(0x21, 0x11, LIMIT_PROXY_LEN - 16);
	is_peer("1.2.3.4", 0x090a);
}

static void a_mapped_address_in_a_binary_header_is_the_ipv4_address(void **state)
{
	struct binary b = binary(0x21, 0x21, 36);

	(void)state;
	memset(b.at + 16, 0, 10);
	memset(b.at + 26, 0xff, 2);
	memcpy(b.at + 28, "\xc0\x00\x02\x07", 4);
	is_good(b.at, b.len);
	is_peer("192.0.2.7", 0x2122);
}

static void headers_without_a_tcp_client_keep_the_proxys_address(void **state)
{
	static const struct { uint8_t command, kind; uint16_t len; } cases[] = {
		{ 0x20, 0x00, 0 }, { 0x20, 0x11, 12 }, { 0x20, 0x11, 3 },
		{ 0x20, 0xff, 5 }, { 0x21, 0x00, 0 }, { 0x21, 0x00, 7 },
		{ 0x21, 0x12, 12 }, { 0x21, 0x22, 36 }, { 0x21, 0x31, 216 },
		{ 0x21, 0x32, 216 }, { 0x21, 0x01, 0 }, { 0x21, 0x10, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		binary_is_good(cases[i].command, cases[i].kind, cases[i].len);
		assert_false(header.has_peer);
	}
}

static void what_is_no_binary_header_is_bad(void **state)
{
	static const struct { uint8_t command, kind; uint16_t len; } cases[] = {
		{ 0x11, 0x11, 12 }, { 0x31, 0x11, 12 }, { 0x01, 0x11, 12 },
		{ 0x22, 0x11, 12 }, { 0x2f, 0x11, 12 }, { 0x21, 0x41, 12 },
		{ 0x21, 0xf1, 12 }, { 0x21, 0x13, 12 }, { 0x21, 0x1f, 12 },
		{ 0x21, 0x11, 11 }, { 0x21, 0x11, 0 }, { 0x21, 0x21, 35 },
		{ 0x21, 0x21, 12 }, { 0x21, 0x11, LIMIT_PROXY_LEN - 15 },
	};
	struct binary b;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		b = binary(cases[i].command, cases[i].kind, cases[i].len);
		assert_int_equal(parse(b.at, b.len), PROXY_BAD);
		/* Nobody waits for the rest of it. */
		assert_int_equal(parse(b.at, 16), PROXY_BAD);
	}
	b = binary(0x21, 0x11, 0xffff & (LIMIT_PROXY_LEN - 16));
	b.at[14] = 0xff;
	assert_int_equal(parse(b.at, 16), PROXY_BAD);
	for (size_t i = 0; i < 12; i++) {
		b = binary(0x21, 0x11, 12);
		b.at[i] ^= 0x20;
		assert_int_equal(parse(b.at, b.len), PROXY_BAD);
		assert_int_equal(parse(b.at, i + 1), PROXY_BAD);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_names_the_client),
		cmocka_unit_test(a_mapped_address_is_the_ipv4_address),
		cmocka_unit_test(unknown_clients_stay_unknown),
		cmocka_unit_test(a_line_longer_than_107_bytes_is_bad),
		cmocka_unit_test(what_is_no_line_is_bad),
		cmocka_unit_test(a_binary_header_names_the_client),
		cmocka_unit_test(what_follows_the_addresses_is_skipped),
		cmocka_unit_test(
		    a_mapped_address_in_a_binary_header_is_the_ipv4_address),
		cmocka_unit_test(
		    headers_without_a_tcp_client_keep_the_proxys_address),
		cmocka_unit_test(what_is_no_binary_header_is_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
