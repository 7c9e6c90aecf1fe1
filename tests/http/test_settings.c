/* links: net/text.c net/range.c tests/host_panic.c http/settings.c http/acme.c http/answer.c
 * http/location.c http/chars.c */
/*
 * The operator's words, and what is true without them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/settings.h"

#define THUMBPRINT "LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ"

static const struct http_bundle none = { 0 };
static const struct http_bundle development = { .has_certificate = true };
static const struct http_bundle development_with_hosts = {
	.has_certificate = true, .has_hosts = true
};
static const struct http_bundle nameless = {
	.has_certificate = true, .is_real = true
};
static const struct http_bundle real = {
	.has_certificate = true, .is_real = true, .has_hosts = true
};

static struct http_settings settings;

static void reads(const struct http_bundle *bundle, const char *words)
{
	http_read_settings(words, bundle, &settings);
	assert_int_equal(settings.complaint_count, 0);
}

/* A sentence that begins with `start`, and everything as without the words. */
static void complains(const char *words, const char *start)
{
	http_read_settings(words, &real, &settings);
	assert_int_equal(settings.complaint_count, 1);
	assert_memory_equal(settings.complaints[0], start, strlen(start));
	assert_true(settings.log && settings.stats_s == 0);
	assert_true(settings.redirect_port == 443 && !settings.sni_refuse);
	assert_true(settings.hsts.on && settings.hsts.max_age_s == 31536000);
	assert_true(!settings.hsts.subdomains && !settings.hsts.preload);
	assert_int_equal(settings.thumbprint.len, 0);
	assert_true(settings.status_path.len == 0 &&
	    settings.healthz_path.len == 0 && settings.syslog.port == 0 &&
	    settings.proxies.count == 0);
}

static void words_are_found_among_others(void **state)
{
	static const struct { const char *words; bool log; uint32_t stats_s; }
	cases[] = {
		{ "", true, 0 },
		{ "log=off", false, 0 },
		{ "  ip=dhcp log=off  stats=5 ", false, 5 },
		{ "log=off log=on", true, 0 },
		{ "xlog=off blog=off log stats", true, 0 },
		{ "stats=86400", true, 86400 },
		{ "stats=0001", true, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		reads(&none, cases[i].words);
		assert_int_equal(settings.log, cases[i].log);
		assert_int_equal(settings.stats_s, cases[i].stats_s);
	}
}

static void unknown_values_are_complained_about(void **state)
{
	(void)state;
	complains("log=", "log=");
	complains("log=no", "log=");
	complains("log=offf", "log=");
	complains("stats=", "stats=");
	complains("stats=0", "stats=");
	complains("stats=-1", "stats=");
	complains("stats=5s", "stats=");
	complains("stats=86401", "stats=");
	complains("stats=99999999999999999999", "stats=");
	complains("redirect=", "redirect=");
	complains("redirect=http", "redirect=");
	complains("redirect=https:", "redirect=");
	complains("redirect=https:0", "redirect=");
	complains("redirect=https:65536", "redirect=");
	complains("redirect=https:443/", "redirect=");
	complains("redirect=https://a/", "redirect=");
	complains("redirect=httpsx", "redirect=");
	complains("hsts=", "hsts=");
	complains("hsts=on", "hsts=");
	complains("hsts=1000000000", "hsts=");
	complains("hsts=1,", "hsts=");
	complains("hsts=1,preload,includeSubDomains", "hsts=");
	complains("hsts=1,includesubdomains", "hsts=");
	complains("hsts=1;preload", "hsts=");
	complains("hsts=,preload", "hsts=");
	complains("sni=", "sni=");
	complains("sni=off", "sni=");
	complains("acme_thumbprint=", "acme_thumbprint=");
	complains("acme_thumbprint=" THUMBPRINT "x", "acme_thumbprint=");
	complains("acme_thumbprint=PJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ",
	    "acme_thumbprint=");
	complains("acme_thumbprint=+PJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ",
	    "acme_thumbprint=");
	complains("status=", "status=");
	complains("status=on", "status=");
	complains("status=/status", "status=");
	complains("status=/status,", "status=");
	complains("status=/,10.0.0.1", "status=");
	complains("status=status,10.0.0.1", "status=");
	complains("status=/status/,10.0.0.1", "status=");
	complains("status=/a%20b,10.0.0.1", "status=");
	complains("status=/a?b,10.0.0.1", "status=");
	complains("status=/a,10.0.0.1/33", "status=");
	complains("status=/a,10.0.0.1,", "status=");
	complains("status=/a,localhost", "status=");
	complains("status=/a,1.1.1.1,2.2.2.2,3.3.3.3,4.4.4.4,5.5.5.5,6.6.6.6,"
	    "7.7.7.7,8.8.8.8,9.9.9.9", "status=");
	complains("healthz=", "healthz=");
	complains("healthz=yes", "healthz=");
	complains("healthz=/", "healthz=");
	complains("syslog=", "syslog=");
	complains("syslog=on", "syslog=");
	complains("syslog=10.0.0.1:0", "syslog=");
	complains("syslog=loghost:514", "syslog=");
	complains("syslog=[::1", "syslog=");
	complains("proxy=", "proxy=");
	complains("proxy=on", "proxy=");
	complains("proxy=10.0.0.0/8,", "proxy=");
	complains("proxy=10.0.0.1:80", "proxy=");
}

static void each_word_is_complained_about(void **state)
{
	static const char *const starts[] = {
		"log=", "stats=", "hsts= takes", "hsts= needs", "redirect=https needs",
	};

	(void)state;
	http_read_settings("log=x stats=x hsts=x redirect=https hsts=5", &none,
	    &settings);
	assert_int_equal(settings.complaint_count, ARRAY_LEN(starts));
	for (size_t i = 0; i < ARRAY_LEN(starts); i++)
		assert_memory_equal(settings.complaints[i], starts[i],
		    strlen(starts[i]));

	http_read_settings("log=1 log=2 log=3 log=4 log=5 log=6 log=7 log=8 log=9 "
	    "log=10 log=11 log=12 log=13 stats=1", &none, &settings);
	assert_int_equal(settings.complaint_count, HTTP_COMPLAINTS_CAP);
	assert_int_equal(settings.stats_s, 1);
}

static void a_word_that_is_ignored_leaves_those_before_it(void **state)
{
	(void)state;
	http_read_settings("hsts=5 hsts=x redirect=https:8443 "
	    "redirect=x stats=3 stats=x", &real, &settings);
	assert_int_equal(settings.complaint_count, 3);
	assert_int_equal(settings.hsts.max_age_s, 5);
	assert_int_equal(settings.redirect_port, 8443);
	assert_int_equal(settings.stats_s, 3);
}

static void redirects_are_the_default_for_a_real_name(void **state)
{
	(void)state;
	reads(&none, "");
	assert_int_equal(settings.redirect_port, 0);
	reads(&development, "");
	assert_int_equal(settings.redirect_port, 0);
	reads(&nameless, "");
	assert_int_equal(settings.redirect_port, 0);
	reads(&development_with_hosts, "");
	assert_int_equal(settings.redirect_port, 0);
	reads(&real, "");
	assert_int_equal(settings.redirect_port, 443);
}

static void redirects_can_be_chosen(void **state)
{
	(void)state;
	reads(&real, "redirect=off");
	assert_int_equal(settings.redirect_port, 0);
	reads(&real, "redirect=https:8443");
	assert_int_equal(settings.redirect_port, 8443);
	reads(&real, "redirect=https:65535 redirect=https");
	assert_int_equal(settings.redirect_port, 443);
	reads(&nameless, "redirect=https");
	assert_int_equal(settings.redirect_port, 443);
	reads(&development, "redirect=https:1");
	assert_int_equal(settings.redirect_port, 1);
	reads(&none, "redirect=off");
}

static void there_is_no_redirect_without_a_certificate(void **state)
{
	(void)state;
	http_read_settings("redirect=https", &none, &settings);
	assert_int_equal(settings.complaint_count, 1);
	assert_memory_equal(settings.complaints[0], "redirect=", 9);
	assert_int_equal(settings.redirect_port, 0);
}

static void hsts_is_a_year_for_a_real_certificate(void **state)
{
	(void)state;
	reads(&real, "");
	assert_true(settings.hsts.on);
	assert_int_equal(settings.hsts.max_age_s, 31536000);
	assert_false(settings.hsts.subdomains);
	assert_false(settings.hsts.preload);
	reads(&nameless, "");
	assert_true(settings.hsts.on);
	reads(&development, "");
	assert_false(settings.hsts.on);
	reads(&none, "");
	assert_false(settings.hsts.on);
}

static void hsts_can_be_chosen(void **state)
{
	(void)state;
	reads(&real, "hsts=off");
	assert_false(settings.hsts.on);
	reads(&real, "hsts=off hsts=0");
	assert_true(settings.hsts.on);
	assert_int_equal(settings.hsts.max_age_s, 0);
	reads(&real, "hsts=999999999,includeSubDomains,preload");
	assert_int_equal(settings.hsts.max_age_s, 999999999);
	assert_true(settings.hsts.subdomains && settings.hsts.preload);
	reads(&real, "hsts=1,includeSubDomains hsts=2,preload");
	assert_int_equal(settings.hsts.max_age_s, 2);
	assert_true(!settings.hsts.subdomains && settings.hsts.preload);
	reads(&development, "hsts=off");
}

static void hsts_is_never_sent_for_a_development_certificate(void **state)
{
	static const struct http_bundle *const others[] = {
		&none, &development, &development_with_hosts,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		http_read_settings("hsts=5", others[i], &settings);
		assert_int_equal(settings.complaint_count, 1);
		assert_memory_equal(settings.complaints[0], "hsts=", 5);
		assert_false(settings.hsts.on);
	}
}

static void a_thumbprint_is_kept_where_it_stands(void **state)
{
	static const char words[] = "log=on acme_thumbprint=" THUMBPRINT " x";

	(void)state;
	reads(&none, "");
	assert_int_equal(settings.thumbprint.len, 0);
	reads(&none, words);
	assert_int_equal(settings.thumbprint.len, 43);
	assert_ptr_equal(settings.thumbprint.at, strstr(words, THUMBPRINT));
}

static void unknown_names_are_refused_when_asked_for(void **state)
{
	(void)state;
	reads(&real, "");
	assert_false(settings.sni_refuse);
	reads(&real, "sni=refuse");
	assert_true(settings.sni_refuse);
	reads(&real, "sni=refuse sni=default");
	assert_false(settings.sni_refuse);
}

static void is_text(struct http_text text, const char *wanted)
{
	assert_int_equal(text.len, strlen(wanted));
	assert_memory_equal(text.at, wanted, text.len);
}

static void status_pages_have_a_path_and_those_who_may_see_them(void **state)
{
	static const struct net_peer inside = { .addr = { 10, 9, 8, 7 } };
	static const struct net_peer outside = { .addr = { 11, 9, 8, 7 } };

	(void)state;
	reads(&none, "status=/ops/status-1.2~_x,192.0.2.1,10.0.0.0/8,::1");
	is_text(settings.status_path, "/ops/status-1.2~_x");
	assert_int_equal(settings.status_peers.count, 3);
	assert_true(net_ranges_hold(&settings.status_peers, &inside));
	assert_false(net_ranges_hold(&settings.status_peers, &outside));
	reads(&none, "status=/a,::/0 status=off");
	assert_int_equal(settings.status_path.len, 0);
}

static void paths_of_64_bytes_are_taken_and_65_refused(void **state)
{
	char words[128] = "healthz=/";

	(void)state;
	memset(words + 9, 'a', LIMIT_OPS_PATH_LEN - 1);
	reads(&none, words);
	assert_int_equal(settings.healthz_path.len, LIMIT_OPS_PATH_LEN);
	words[8 + LIMIT_OPS_PATH_LEN] = 'a';
	complains(words, "healthz=");
}

static void healthz_is_on_off_or_elsewhere(void **state)
{
	(void)state;
	reads(&none, "");
	assert_int_equal(settings.healthz_path.len, 0);
	reads(&none, "healthz=on");
	is_text(settings.healthz_path, "/healthz");
	reads(&none, "healthz=/up/now");
	is_text(settings.healthz_path, "/up/now");
	reads(&none, "healthz=on healthz=off");
	assert_int_equal(settings.healthz_path.len, 0);
}

static void syslog_has_an_address_and_a_port(void **state)
{
	(void)state;
	reads(&none, "syslog=192.0.2.9");
	assert_int_equal(settings.syslog.port, 514);
	assert_int_equal(settings.syslog.addr[3], 9);
	reads(&none, "syslog=[2001:db8::9]:1514");
	assert_int_equal(settings.syslog.port, 1514);
	assert_true(settings.syslog.is_ipv6);
	reads(&none, "syslog=192.0.2.9 syslog=off");
	assert_int_equal(settings.syslog.port, 0);
}

static void proxies_are_ranges(void **state)
{
	(void)state;
	reads(&none, "proxy=192.0.2.0/24,2001:db8::/32");
	assert_int_equal(settings.proxies.count, 2);
	reads(&none, "proxy=192.0.2.0/24 proxy=off");
	assert_int_equal(settings.proxies.count, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_found_among_others),
		cmocka_unit_test(unknown_values_are_complained_about),
		cmocka_unit_test(each_word_is_complained_about),
		cmocka_unit_test(a_word_that_is_ignored_leaves_those_before_it),
		cmocka_unit_test(redirects_are_the_default_for_a_real_name),
		cmocka_unit_test(redirects_can_be_chosen),
		cmocka_unit_test(there_is_no_redirect_without_a_certificate),
		cmocka_unit_test(hsts_is_a_year_for_a_real_certificate),
		cmocka_unit_test(hsts_can_be_chosen),
		cmocka_unit_test(hsts_is_never_sent_for_a_development_certificate),
		cmocka_unit_test(a_thumbprint_is_kept_where_it_stands),
		cmocka_unit_test(unknown_names_are_refused_when_asked_for),
		cmocka_unit_test(
		    status_pages_have_a_path_and_those_who_may_see_them),
		cmocka_unit_test(paths_of_64_bytes_are_taken_and_65_refused),
		cmocka_unit_test(healthz_is_on_off_or_elsewhere),
		cmocka_unit_test(syslog_has_an_address_and_a_port),
		cmocka_unit_test(proxies_are_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
