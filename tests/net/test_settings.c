/* links: net/settings.c net/range.c */
/*
 * ip= and ip6= of the command line: what is understood, and a sentence for each
 * mistake.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/settings.h"

static struct settings parsed;

static const char *parse(const char *text)
{
	return settings_parse(text, strlen(text), &parsed);
}

static void expect4(const uint8_t addr[4], const char *text)
{
	uint8_t bytes[4];

	assert_int_equal(inet_pton(AF_INET, text, bytes), 1);
	assert_memory_equal(addr, bytes, 4);
}

static void expect6(const uint8_t addr[16], const char *text)
{
	uint8_t bytes[16];

	assert_int_equal(inet_pton(AF_INET6, text, bytes), 1);
	assert_memory_equal(addr, bytes, 16);
}

static void without_settings_everything_is_automatic(void **state)
{
	static const char *const texts[] = {
		"", "quiet log=off", "ip", "ipx=1", "ip=", "ip=dhcp", "ip=on",
		"ip=any", "ip=both", " ip=dhcp  ip6=auto ", "ip=::::::dhcp",
		"ip=:::::eth0:dhcp", "ip=::::host::", "ip=::::",
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		assert_null(parse(texts[i]));
		assert_int_equal(parsed.ipv4, SETTINGS_AUTO);
		assert_int_equal(parsed.ipv6, SETTINGS_AUTO);
	}
}

static void off_is_off(void **state)
{
	(void)state;
	assert_null(parse("ip=off"));
	assert_int_equal(parsed.ipv4, SETTINGS_OFF);
	assert_int_equal(parsed.ipv6, SETTINGS_AUTO);
	assert_null(parse("ip=none ip6=off"));
	assert_int_equal(parsed.ipv4, SETTINGS_OFF);
	assert_int_equal(parsed.ipv6, SETTINGS_OFF);
}

static void all_fields_of_linux(void **state)
{
	(void)state;
	assert_null(parse("a=b ip=192.0.2.5:192.0.2.1:192.0.2.254:255.255.255.0:"
	    "web:eth0:off:192.0.2.53:192.0.2.54:192.0.2.55 c"));
	assert_int_equal(parsed.ipv4, SETTINGS_STATIC);
	expect4(parsed.addr4, "192.0.2.5");
	expect4(parsed.netmask4, "255.255.255.0");
	expect4(parsed.gateway4, "192.0.2.254");
}

static void short_forms(void **state)
{
	(void)state;
	assert_null(parse("ip=10.1.2.3"));
	expect4(parsed.addr4, "10.1.2.3");
	expect4(parsed.netmask4, "255.0.0.0");
	expect4(parsed.gateway4, "0.0.0.0");
	assert_null(parse("ip=172.16.0.1::172.16.0.254"));
	expect4(parsed.netmask4, "255.255.0.0");
	expect4(parsed.gateway4, "172.16.0.254");
	assert_null(parse("ip=192.0.2.1::::::none"));
	expect4(parsed.netmask4, "255.255.255.0");
	assert_null(parse("ip=10.0.2.15/24::10.0.2.2"));
	expect4(parsed.addr4, "10.0.2.15");
	expect4(parsed.netmask4, "255.255.255.0");
	expect4(parsed.gateway4, "10.0.2.2");
	assert_null(parse("ip=10.0.2.15/32"));
	expect4(parsed.netmask4, "255.255.255.255");
	assert_null(parse("ip=10.0.2.15/1"));
	expect4(parsed.netmask4, "128.0.0.0");
	assert_null(parse("ip=1.2.3.4:::255.255.255.252"));
	expect4(parsed.netmask4, "255.255.255.252");
}

static void the_last_setting_counts(void **state)
{
	(void)state;
	assert_null(parse("ip=10.1.2.3 ip=dhcp"));
	assert_int_equal(parsed.ipv4, SETTINGS_AUTO);
	assert_null(parse("ip6=off ip6=2001:db8::1/64"));
	assert_int_equal(parsed.ipv6, SETTINGS_STATIC);
}

static void ipv6_static(void **state)
{
	(void)state;
	assert_null(parse("ip6=2001:db8::15/64"));
	assert_int_equal(parsed.ipv6, SETTINGS_STATIC);
	expect6(parsed.addr6, "2001:db8::15");
	expect6(parsed.gateway6, "::");
	assert_null(parse("ip6=FD00:1:2:3:4:5:6:7/64,fe80::1"));
	expect6(parsed.addr6, "fd00:1:2:3:4:5:6:7");
	expect6(parsed.gateway6, "fe80::1");
	assert_null(parse("ip6=2001:db8:0:1::/64"));
	expect6(parsed.addr6, "2001:db8:0:1::");
}

static void each_mistake_has_its_sentence(void **state)
{
	static const struct {
		const char *text, *complaint;
	} cases[] = {
		{ "ip=10.0.2", "first field" },
		{ "ip=10.0.2.", "first field" },
		{ "ip=10.0.2.15.1", "first field" },
		{ "ip=10.0.2.256", "first field" },
		{ "ip=10.0.2.0015", "first field" },
		{ "ip=10.0.2.x", "first field" },
		{ "ip=0.0.0.0", "first field" },
		{ "ip=127.0.0.1", "first field" },
		{ "ip=224.0.0.1", "first field" },
		{ "ip=DHCP", "first field" },
		{ "ip=10.0.2.15/", "slash" },
		{ "ip=10.0.2.15/0", "slash" },
		{ "ip=10.0.2.15/33", "slash" },
		{ "ip=10.0.2.15/24x", "slash" },
		{ "ip=10.0.2.15::gw", "gateway" },
		{ "ip=10.0.2.15::255.255.255.255", "gateway" },
		{ "ip=10.0.2.15:::255.0.255.0", "netmask" },
		{ "ip=10.0.2.15:::24", "netmask" },
		{ "ip=10.0.2.15::::::bootp", "autoconf" },
		{ "ip=::::::off", "address is missing" },
		{ "ip=10.0.2.15::::::off:x", "name or time server" },
		{ "ip=10.0.2.15::::::off::::x", "more than ten" },
		{ "ip6=2001:db8::1", "/64" },
		{ "ip6=2001:db8::1/48", "/64" },
		{ "ip6=2001:db8::1/640", "/64" },
		{ "ip6=2001:db8::1::2/64", "not an IPv6 address" },
		{ "ip6=2001:db8:::1/64", "not an IPv6 address" },
		{ "ip6=1:2:3:4:5:6:7/64", "not an IPv6 address" },
		{ "ip6=1:2:3:4:5:6:7:8:9/64", "not an IPv6 address" },
		{ "ip6=1:2:3:4:5:6:7:8::/64", "not an IPv6 address" },
		{ "ip6=12345::1/64", "not an IPv6 address" },
		{ "ip6=2001:db8::g/64", "not an IPv6 address" },
		{ "ip6=2001:db8::1:/64", "not an IPv6 address" },
		{ "ip6=:1:2:3:4:5:6:7/64", "not an IPv6 address" },
		{ "ip6=ff02::1/64", "not an IPv6 address" },
		{ "ip6=::1/64", "not an IPv6 address" },
		{ "ip6=10.0.2.15/64", "not an IPv6 address" },
		{ "ip6=2001:db8::1/64,ff02::1", "gateway" },
		{ "ip6=2001:db8::1/64,x", "gateway" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *complaint = parse(cases[i].text);

		if (complaint == NULL || !strstr(complaint, cases[i].complaint))
			fail_msg("%s: %s", cases[i].text,
			    complaint == NULL ? "accepted" : complaint);
	}
}

/* No prefix of a long setting may read beyond its end. */
static void every_prefix_ends_somewhere(void **state)
{
	static const char text[] = "ip=192.0.2.5/24:192.0.2.1:192.0.2.254:"
	    "255.255.255.0:web:eth0:off:192.0.2.53 ip6=2001:db8::1/64,fe80::1";

	(void)state;
	for (size_t len = 0; len < sizeof text; len++) {
		char *copy = test_malloc(len + 1);

		memcpy(copy, text, len);
		(void)!settings_parse(copy, len, &parsed);
		test_free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_settings_everything_is_automatic),
		cmocka_unit_test(off_is_off),
		cmocka_unit_test(all_fields_of_linux),
		cmocka_unit_test(short_forms),
		cmocka_unit_test(the_last_setting_counts),
		cmocka_unit_test(ipv6_static),
		cmocka_unit_test(each_mistake_has_its_sentence),
		cmocka_unit_test(every_prefix_ends_somewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
