/* links: tests/host_panic.c tests/http/tiny_rom.c @romfs net/text.c net/range.c
 * http/server.c http/banner.c http/settings.c http/acme.c http/answer.c
 * http/location.c http/redirect.c http/authority.c http/chars.c */
/*
 * The server's start and its loop: what is opened and in which order, and what stops
 * it.  Everything around it is a fake here that writes down that it was called.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/conn.h"
#include "http/ops.h"
#include "kernel/gate.h"
#include "net/net.h"
#include "tests/http/tiny_rom.h"
#include "tls/relayed.h"
#include "tls/tls.h"

static struct {
	char events[512];        /* calls, a blank behind each */
	char console[4096];
	jmp_buf stopped;
	enum gate_stop how;
	char why[256];
	/* What the fakes answer: */
	const char *bundle_complaint;
	const char *net_complaint;
	const char *ops_complaint;
	struct http_bundle bundle;
	bool no_listener_for[2];  /* plain, private */
	int turns;
	uint64_t now_ms;
	struct http_settings settings;    /* what http_conn_start() was given */
	struct http_text hosts;
} fake;

static void event(const char *name)
{
	assert_true(strlen(fake.events) + strlen(name) + 2 <
	    sizeof fake.events);
	strcat(fake.events, name);
	strcat(fake.events, " ");
}

/* ---- Fakes ------------------------------------------------------------------------ */

enum gate_status gate_stop(enum gate_stop how, const char *text, size_t len)
{
	fake.how = how;
	snprintf(fake.why, sizeof fake.why, "%.*s", (int)len,
	    text == NULL ? "" : text);
	longjmp(fake.stopped, 1);
}

const char *tls_read_bundle(const struct gate_info *info,
    struct net_needs *needs)
{
	(void)info;
	event("bundle");
	*needs = (struct net_needs){ .session_len = 77 };
	return fake.bundle_complaint;
}

const char *net_start(const struct gate_info *info,
    const struct net_needs *needs)
{
	(void)info;
	event("net");
	assert_int_equal(needs->session_len, 77);
	if (needs->datagrams > 0)
		event("datagrams");
	return fake.net_complaint;
}

bool tls_has_certificate(void)
{
	return fake.bundle.has_certificate;
}

bool tls_is_real(void)
{
	return fake.bundle.is_real;
}

const char *tls_hosts(size_t *len)
{
	*len = fake.bundle.has_hosts ? 2 : 0;
	return "a";
}

void tls_start(bool refuse_unknown)
{
	event(refuse_unknown ? "tls-refusing" : "tls");
}

void tls_print_certificates(void)
{
	event("certificates");
}

void tls_check_expiry(void)
{
	event("expiry");
}

const struct tls_counters *tls_counters(void)
{
	static const struct tls_counters counters = { 5, 6, 7 };

	return &counters;
}

const struct stream_app http_app;

void http_conn_start(const struct romfs *fs,
    const struct http_settings *settings, struct http_text hosts)
{
	assert_non_null(fs->image);
	event("http");
	fake.settings = *settings;
	fake.hosts = hosts;
}

const struct http_counters *http_conn_counters(void)
{
	static const struct http_counters counters = {
		.connections = 1, .requests = 2, .by_class = { 0, 0, 3, 4, 5, 6 }
	};

	return &counters;
}

bool stream_listen_plain(uint16_t port, const struct stream_app *app)
{
	event("plain");
	assert_true(port == 80 && app == &http_app);
	return !fake.no_listener_for[false];
}

bool stream_listen_private(uint16_t port, const struct stream_app *app)
{
	event("private");
	assert_true(port == 443 && app == &http_app);
	return !fake.no_listener_for[true];
}

bool relayed_listen_plain(uint16_t port, const struct stream_app *app,
    const struct net_ranges *proxies)
{
	event("relayed-plain");
	assert_true(port == 80 && app == &http_app && proxies->count == 2);
	return true;
}

bool relayed_listen_private(uint16_t port, const struct stream_app *app,
    const struct net_ranges *proxies)
{
	event("relayed-private");
	assert_true(port == 443 && app == &http_app && proxies->count == 2);
	return true;
}

void http_ops_need(const struct http_settings *settings,
    struct net_needs *needs)
{
	needs->datagrams = settings->syslog.port != 0;
}

const char *http_ops_start(const struct gate_info *info,
    const struct romfs *fs, const struct http_settings *settings,
    struct http_text hosts)
{
	assert_true(info->restarts == 1 && fs->image != NULL);
	assert_int_equal(hosts.len, fake.hosts.len);
	if (settings->syslog.port != 0)
		event("ops");
	return fake.ops_complaint;
}

bool net_poll(void)
{
	fake.now_ms += 400;
	return fake.turns-- > 0;
}

uint64_t net_now_ms(void)
{
	return fake.now_ms;
}

void net_print_pools(void)
{
	event("pools");
}

void net_log(const char *text, size_t len)
{
	assert_true(strlen(fake.console) + len < sizeof fake.console);
	strncat(fake.console, text, len);
}

/* ---- Cases ------------------------------------------------------------------------ */

static int set_up(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof fake);
	return 0;
}

/* Run the server until it stops. */
static void run(const char *words)
{
	static struct gate_info info;

	info = (struct gate_info){
		.rom = tiny_rom()->image, .rom_len = tiny_rom()->image_len,
		.restarts = 1,
	};
	snprintf(info.cmdline, sizeof info.cmdline, "%s", words);
	if (strcmp(words, "no-site") == 0)
		info.rom_len = 1;
	if (setjmp(fake.stopped) == 0)
		server_main(&info);
}

static void refuses(const char *why, const char *events)
{
	assert_int_equal(fake.how, GATE_STOP_REFUSED);
	assert_memory_equal(fake.why, why, strlen(why));
	assert_string_equal(fake.events, events);
}

static void without_a_certificate_it_serves_plain_http_and_says_so(
    void **state)
{
	(void)state;
	run("log=off");
	assert_int_equal(fake.how, GATE_STOP_POWER_OFF);
	assert_string_equal(fake.events, "bundle net http plain pools ");
	assert_false(fake.settings.log);
	assert_int_equal(fake.settings.redirect_port, 0);
	assert_int_equal(fake.hosts.len, 0);
	assert_non_null(strstr(fake.console,
	    "https: none, for there is no certificate; plain HTTP only\n"));
	assert_null(strstr(fake.console, "tls: "));
}

static void with_a_certificate_it_starts_tls_first(void **state)
{
	(void)state;
	fake.bundle = (struct http_bundle){ true, true, true };
	fake.turns = 2;
	run("");
	assert_string_equal(fake.events, "bundle net http tls private plain "
	    "certificates expiry expiry pools ");
	assert_int_equal(fake.settings.redirect_port, 443);
	assert_true(fake.settings.hsts.on);
	assert_int_equal(fake.hosts.len, 2);
	assert_non_null(strstr(fake.console, "https: on port 443 for a; "
	    "plain HTTP redirects to port 443\n"));
	assert_non_null(strstr(fake.console,
	    "http: connections 1, requests 2, 2xx 3, 3xx 4, 4xx 5, 5xx 6\n"
	    "tls: full 5, resumed 6, failed 7\n"));
}

static void unknown_names_can_be_refused(void **state)
{
	(void)state;
	fake.bundle = (struct http_bundle){ true, false, false };
	run("sni=refuse");
	assert_string_equal(fake.events, "bundle net http tls-refusing "
	    "private plain certificates pools ");
}

static void wrong_words_are_warned_about(void **state)
{
	(void)state;
	fake.bundle = (struct http_bundle){ true, false, false };
	run("log=x hsts=5");
	assert_memory_equal(fake.console, "warning: log= takes", 19);
	assert_non_null(strstr(fake.console, "\nwarning: hsts= needs a real "
	    "certificate; none is sent\n"));
	assert_false(fake.settings.hsts.on);
}

static void counters_are_printed_when_asked_for(void **state)
{
	(void)state;
	fake.turns = 5;
	run("stats=1");
	assert_string_equal(fake.events, "bundle net http plain pools pools ");
}

static void a_damaged_site_is_refused(void **state)
{
	(void)state;
	run("no-site");
	refuses("the site's ROM is refused: ", "");
}

static void a_damaged_bundle_is_refused(void **state)
{
	(void)state;
	fake.bundle_complaint = "it is too short.";
	run("");
	refuses("the instance bundle is refused: it is too short.\n",
	    "bundle ");
}

static void wrong_addresses_are_refused(void **state)
{
	(void)state;
	fake.net_complaint = "ip= is wrong.";
	run("");
	refuses("ip= is wrong.\n", "bundle net ");
}

static void behind_proxies_it_listens_for_their_headers(void **state)
{
	(void)state;
	run("proxy=10.0.0.1,10.0.0.2");
	assert_string_equal(fake.events, "bundle net http relayed-plain pools ");
	memset(fake.events, 0, sizeof fake.events);
	fake.bundle.has_certificate = true;
	run("proxy=10.0.0.1,10.0.0.2");
	assert_string_equal(fake.events, "bundle net http tls relayed-private "
	    "relayed-plain certificates pools ");
}

static void syslog_has_its_memory_before_the_network(void **state)
{
	(void)state;
	run("syslog=10.0.0.1");
	assert_string_equal(fake.events, "bundle net datagrams http ops plain "
	    "pools ");
	assert_non_null(strstr(fake.console, "\nops: log to 10.0.0.1:514\n"));
	memset(fake.events, 0, sizeof fake.events);
	fake.ops_complaint = "no socket for syslog=";
	run("syslog=10.0.0.1");
	refuses("no socket for syslog=\n", "bundle net datagrams http ops ");
}

static void without_a_listener_it_is_no_server(void **state)
{
	(void)state;
	fake.no_listener_for[false] = true;
	run("");
	refuses("no listener for HTTP\n", "bundle net http plain ");

	memset(fake.events, 0, sizeof fake.events);
	fake.bundle.has_certificate = true;
	fake.no_listener_for[true] = true;
	run("");
	refuses("no listener for HTTPS\n", "bundle net http tls private ");
}

#define CASE(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(without_a_certificate_it_serves_plain_http_and_says_so),
		CASE(with_a_certificate_it_starts_tls_first),
		CASE(unknown_names_can_be_refused),
		CASE(wrong_words_are_warned_about),
		CASE(counters_are_printed_when_asked_for),
		CASE(a_damaged_site_is_refused),
		CASE(a_damaged_bundle_is_refused),
		CASE(wrong_addresses_are_refused),
		CASE(behind_proxies_it_listens_for_their_headers),
		CASE(syslog_has_its_memory_before_the_network),
		CASE(without_a_listener_it_is_no_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
