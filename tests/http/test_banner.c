/* links: net/text.c http/banner.c */
/*
 * The banner, word for word.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/banner.h"

static const struct romfs fs = { .file_count = 12 };

static const char *banner(struct gate_info *info)
{
	static char buf[HTTP_BANNER_CAP + 1];
	struct text t = text_start(buf, HTTP_BANNER_CAP);

	http_format_banner(info, &fs, 4250000, &t);
	buf[t.len] = 0;
	return buf;
}

static struct gate_info info = {
	.rom_len = 81920,
	.image_sha256 = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 1 },
	.phase_count = 2,
	.phases = { { "boot", 1230000 }, { "kernel", 3000000 } },
	.version_text = "0.1.0",
	.machine = "pvh, virtio-net pci",
};

static void it_names_version_image_files_and_phases(void **state)
{
	(void)state;
	assert_string_equal(banner(&info),
	    "stele 0.1.0 on pvh, virtio-net pci\n"
	    "image 0123456789abcdef, 12 files, 80 KiB of ROM\n"
	    "boot: boot 1.2, kernel 1.7, server 1.2, ready after 4.2 ms\n");
}

static void a_server_that_came_back_says_so(void **state)
{
	(void)state;
	info.restarts = 3;
	assert_string_equal(banner(&info),
	    "stele 0.1.0 on pvh, virtio-net pci\n"
	    "image 0123456789abcdef, 12 files, 80 KiB of ROM\n"
	    "back after crash 3\n");
}

static void as_many_phases_as_there_can_be_fit(void **state)
{
	(void)state;
	info.restarts = 0;
	info.phase_count = UINT32_MAX;
	for (size_t i = 0; i < GATE_PHASES_CAP; i++) {
		memcpy(info.phases[i].name, "a_name_so_long_", 16);
		info.phases[i].end_ns = i % 2 ? UINT64_MAX : 0;
	}
	memset(info.version_text, 'v', sizeof info.version_text - 1);
	memset(info.machine, 'm', sizeof info.machine - 1);
	const char *const text = banner(&info);
	assert_string_equal(text + strlen(text) - strlen(" ready after 4.2 ms\n"),
	    " ready after 4.2 ms\n");
}

static const char *https(const struct http_bundle *bundle, uint32_t port,
    const char *hosts, size_t len)
{
	static char buf[HTTP_BANNER_CAP + 1];
	const struct http_settings settings = { .redirect_port = port };
	struct text t = text_start(buf, HTTP_BANNER_CAP);

	http_format_https(bundle, &settings, (struct http_text){
	    (const uint8_t *)hosts, len }, &t);
	buf[t.len] = 0;
	return buf;
}

#define HTTPS(bundle, port, hosts) https(bundle, port, hosts, sizeof hosts - 1)

static void it_says_whether_there_is_https(void **state)
{
	static const struct http_bundle none = { 0 };
	static const struct http_bundle some = { .has_certificate = true };

	(void)state;
	assert_string_equal(HTTPS(&none, 0, ""), "https: none, for there is no "
	    "certificate; plain HTTP only\n");
	assert_string_equal(HTTPS(&some, 0, ""),
	    "https: on port 443; plain HTTP serves the site, too\n");
	assert_string_equal(HTTPS(&some, 443, "a.example\0"),
	    "https: on port 443 for a.example; "
	    "plain HTTP redirects to port 443\n");
	assert_string_equal(HTTPS(&some, 8443, "a\0b\0c\0"),
	    "https: on port 443 for a, b, c; "
	    "plain HTTP redirects to port 8443\n");
	assert_string_equal(HTTPS(&some, 0, "a\0b\0c\0d\0e\0"),
	    "https: on port 443 for a, b, c ...; "
	    "plain HTTP serves the site, too\n");
}

static void the_line_ends_however_long_the_names_are(void **state)
{
	static const struct http_bundle some = { .has_certificate = true };
	char hosts[3 * 256];

	(void)state;
	memset(hosts, 'h', sizeof hosts);
	hosts[255] = hosts[511] = hosts[767] = 0;
	const char *const text = https(&some, 65535, hosts, sizeof hosts);
	assert_true(strlen(text) < HTTP_BANNER_CAP);
	assert_int_equal(text[strlen(text) - 1], '\n');
}

static void it_says_what_operators_asked_for(void **state)
{
	struct http_settings settings = { 0 };
	char buf[HTTP_BANNER_CAP + 1];
	struct text t = text_start(buf, HTTP_BANNER_CAP);

	(void)state;
	http_format_ops(&settings, &t);
	assert_int_equal(t.len, 0);

	settings.healthz_path = HTTP_TEXT("/healthz");
	http_format_ops(&settings, &t);
	buf[t.len] = 0;
	assert_string_equal(buf, "ops: health checks at /healthz\n");

	settings.status_path = HTTP_TEXT("/status");
	settings.status_peers.count = 1;
	settings.syslog = (struct net_peer){
		.addr = { 0x20, 1, [15] = 1 }, .is_ipv6 = true, .port = 1514,
	};
	settings.proxies.count = 2;
	t.len = 0;
	http_format_ops(&settings, &t);
	buf[t.len] = 0;
	assert_string_equal(buf, "ops: status at /status for 1 range; "
	    "health checks at /healthz; log to [2001::1]:1514; "
	    "PROXY headers from 2 ranges\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_names_version_image_files_and_phases),
		cmocka_unit_test(a_server_that_came_back_says_so),
		cmocka_unit_test(as_many_phases_as_there_can_be_fit),
		cmocka_unit_test(it_says_whether_there_is_https),
		cmocka_unit_test(the_line_ends_however_long_the_names_are),
		cmocka_unit_test(it_says_what_operators_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
