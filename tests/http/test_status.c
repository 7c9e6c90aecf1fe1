/* links: tests/host_panic.c http/status.c http/figures.c http/answer.c
 * http/location.c http/acme.c http/chars.c http/multipart.c net/range.c
 * net/text.c */
/*
 * Status pages: who gets which, and that each rendering is whole, framed right and
 * fits its pieces, whatever was counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/status.h"

static struct gate_info info = {
	.version_text = "0.1.0",
	.machine = "pvh, virtio-net pci",
	.image_sha256 = { 0x01, 0xab },
};
static struct http_figures figures;
static struct http_settings settings;
static struct http_request req;
static struct http_response res;
static const struct http_now now = { .time = 0 };
static const struct http_site site = { .now = &now };
static const struct net_peer inside = { .addr = { 10, 1, 2, 3 } };
static const struct net_peer outside = { .addr = { 11, 1, 2, 3 } };

static void collect(struct http_figures *out)
{
	*out = figures;
	/* Something happens between two pieces. */
	figures.uptime_s++;
	figures.net.frames_in += 1000;
}

static int begin(void **state)
{
	(void)state;
	figures = (struct http_figures){
		.info = &info,
		.site_info = HTTP_TEXT("commit 1234abcd\ntree 5678\nother x\n"),
		.pool_count = 2,
		.pools = {
			{ "conn", 3, 5, 100 },
			{ "pcb", 4, 6, 200 },
		},
	};
	settings = (struct http_settings){
		.status_path = HTTP_TEXT("/status"),
		.healthz_path = HTTP_TEXT("/healthz"),
	};
	assert_true(net_read_ranges("10.0.0.0/8", 10, &settings.status_peers));
	http_status_start(&settings, collect);
	return 0;
}

static bool asks(enum http_method method, uint8_t minor, const char *path,
    const struct net_peer *peer)
{
	req = (struct http_request){
		.method = method, .minor = minor, .head_len = 10,
		.path = { (const uint8_t *)path, strlen(path) },
	};
	memset(&res, 0xee, sizeof res);
	return http_answer_status(&site, &req, peer, &res);
}

static bool gets(const char *path, const struct net_peer *peer)
{
	return asks(HTTP_METHOD_GET, 1, path, peer);
}

static bool has(const void *text, size_t len, const char *wanted)
{
	return memmem(text, len, wanted, strlen(wanted)) != NULL;
}

static char page[65536];
static size_t page_len;

/* All pieces, one after the other; each behind the last is empty. */
static void fetch(void)
{
	uint8_t piece[HTTP_PREFIX_CAP];
	uint32_t i = 0;
	size_t len;

	page_len = 0;
	assert_int_equal(res.rest, HTTP_REST_MADE);
	while ((len = res.make(&site, i++, piece)) > 0) {
		assert_true(len <= sizeof piece);
		assert_true(page_len + len < sizeof page);
		memcpy(page + page_len, piece, len);
		page_len += len;
	}
	for (uint32_t k = 0; k < 10; k++)
		assert_int_equal(res.make(&site, i + k, piece), 0);
	assert_int_equal(res.make(&site, UINT32_MAX, piece), 0);
	page[page_len] = 0;
}

/* The chunks' bytes alone: RFC 9112, section 7.1, strictly. */
static void unchunk(void)
{
	size_t at = 0, out = 0, size;

	do {
		char *end;

		size = strtoul(page + at, &end, 16);
		assert_true(end > page + at && end[0] == '\r' && end[1] == '\n');
		at = (size_t)(end - page) + 2;
		assert_true(at + size + 2 <= page_len);
		memmove(page + out, page + at, size);
		out += size;
		at += size;
		assert_memory_equal(page + at, "\r\n", 2);
		at += 2;
	} while (size > 0);
	assert_int_equal(at, page_len);
	page_len = out;
	page[out] = 0;
}

static void listed_peers_get_pages_and_others_what_the_site_has(void **state)
{
	static const char *const paths[] = {
		"/status", "/status.json", "/status/metrics"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		assert_true(gets(paths[i], &inside));
		assert_int_equal(res.status, 200);
		assert_false(gets(paths[i], &outside));
	}
}

static void paths_beside_are_the_sites(void **state)
{
	static const char *const paths[] = {
		"/", "/statu", "/statusx", "/status/", "/status.jso", "/status.json/",
		"/status/metrics/", "/status/metric", "/Status", "/x/status",
		"//status", "/healthz/", "/health", "/%73tatus",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		assert_false(gets(paths[i], &inside));
}

static void without_a_setting_there_is_no_page(void **state)
{
	(void)state;
	settings.status_path.len = 0;
	settings.healthz_path.len = 0;
	assert_false(gets("/status", &inside));
	assert_false(gets("", &inside));
	assert_false(gets("/healthz", &inside));
	assert_false(gets(".json", &inside));
}

static void heads_say_what_comes_and_that_nobody_keeps_it(void **state)
{
	(void)state;
	assert_true(gets("/status/metrics", &inside));
	assert_true(has(res.prefix, res.prefix_len,
	    "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
	assert_true(has(res.prefix, res.prefix_len, "Cache-Control: no-store\r\n"));
	assert_true(has(res.prefix, res.prefix_len,
	    "Transfer-Encoding: chunked\r\n\r\n"));
	assert_false(has(res.prefix, res.prefix_len, "Content-Length"));
	assert_false(res.close);
	assert_true(gets("/status.json", &inside));
	assert_true(has(res.prefix, res.prefix_len,
	    "Content-Type: application/json\r\n"));
	assert_true(gets("/status", &inside));
	assert_true(has(res.prefix, res.prefix_len,
	    "Content-Type: text/html; charset=utf-8\r\n"));
}

static void in_http_1_0_the_end_of_the_connection_ends_a_page(void **state)
{
	(void)state;
	assert_true(asks(HTTP_METHOD_GET, 0, "/status.json", &inside));
	assert_true(res.close);
	assert_true(has(res.prefix, res.prefix_len, "Connection: close\r\n"));
	assert_false(has(res.prefix, res.prefix_len, "Transfer-Encoding"));
	fetch();
	assert_memory_equal(page, "{\"info\":{\"version\":\"0.1.0\",", 27);
	assert_string_equal(page + page_len - 3, "}}\n");
}

static void a_head_has_no_body(void **state)
{
	(void)state;
	assert_true(asks(HTTP_METHOD_HEAD, 1, "/status", &inside));
	assert_int_equal(res.rest, HTTP_REST_NONE);
	assert_int_equal(res.slice.len, 0);
	assert_true(has(res.prefix, res.prefix_len, "chunked\r\n\r\n"));
	assert_true(asks(HTTP_METHOD_HEAD, 1, "/healthz", &outside));
	assert_true(has(res.slice.at, res.slice.len, "Content-Length: 3\r\n"));
	assert_memory_equal(res.slice.at + res.slice.len - 4, "\r\n\r\n", 4);
	assert_int_equal(res.body_len, 0);
}

static void anybody_may_ask_for_its_health(void **state)
{
	(void)state;
	assert_true(gets("/healthz", &outside));
	assert_int_equal(res.status, 200);
	assert_int_equal(res.rest, HTTP_REST_NONE);
	assert_int_equal(res.body_len, 3);
	assert_true(has(res.slice.at, res.slice.len, "no-store\r\n"));
	assert_memory_equal(res.slice.at + res.slice.len - 7, "\r\n\r\nok\n", 7);
}

static void json_is_one_object_with_everything(void **state)
{
	(void)state;
	figures.http.by_class[2] = 7;
	figures.http.by_class[4] = 1;
	assert_true(gets("/status.json", &inside));
	fetch();
	unchunk();
	assert_true(has(page, page_len, "{\"info\":{\"version\":\"0.1.0\","
	    "\"machine\":\"pvh, virtio-net pci\",\"image\":\"01ab0000"));
	assert_true(has(page, page_len,
	    ",\"commit\":\"1234abcd\",\"tree\":\"5678\"}"));
	assert_true(has(page, page_len,
	    "\"http_requests_total\":{\"2xx\":7,\"3xx\":0,\"4xx\":1,\"5xx\":0}"));
	assert_true(has(page, page_len, "\"pool_used\":{\"conn\":3,\"pcb\":4}"));
	assert_true(has(page, page_len, "\"pool_peak\":{\"conn\":5,\"pcb\":6}"));
	assert_true(has(page, page_len, "\"pool_size\":{\"conn\":100,\"pcb\":200}"));
	assert_false(has(page, page_len, "tls"));
	assert_false(has(page, page_len, "certificate"));
	assert_false(has(page, page_len, "syslog"));
	assert_false(has(page, page_len, "proxy"));
}

static void metrics_have_help_and_type(void **state)
{
	(void)state;
	figures.tls.resumed = 12;
	figures.chain_count = 2;
	figures.chains[0].name = "www.example.org";
	figures.chains[0].is_known = true;
	figures.chains[0].days_left = -3;
	figures.chains[1].name = "";
	assert_true(gets("/status/metrics", &inside));
	fetch();
	unchunk();
	assert_true(has(page, page_len,
	    "# HELP stele_tls_handshakes_total Ended, by how.\n"
	    "# TYPE stele_tls_handshakes_total counter\n"
	    "stele_tls_handshakes_total{result=\"full\"} 0\n"
	    "stele_tls_handshakes_total{result=\"resumed\"} 12\n"
	    "stele_tls_handshakes_total{result=\"failed\"} 0\n"));
	assert_true(has(page, page_len,
	    "# TYPE stele_certificate_days_left gauge\n"
	    "stele_certificate_days_left{certificate=\"0 www.example.org\"} -3\n"
	    "stele_certificate_days_left{certificate=\"1 \"} NaN\n"));
	assert_true(has(page, page_len, "commit=\"1234abcd\",tree=\"5678\"} 1\n"));
}

static void what_somebody_else_wrote_means_nothing_here(void **state)
{
	static const char *const paths[] = {
		"/status", "/status.json", "/status/metrics"
	};

	(void)state;
	figures.site_info = HTTP_TEXT("commit \"<b>&\\'{}\x80\ncommit\ntree ");
	figures.chain_count = 1;
	figures.chains[0].name = "a\"b\\c<d>\n";
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		assert_true(gets(paths[i], &inside));
		fetch();
		unchunk();
		assert_true(has(page, page_len, "??b?????"));
		assert_true(has(page, page_len, "0 a?b?c?d??"));
		assert_false(has(page, page_len, "<b>"));
		assert_false(has(page, page_len, "a\"b"));
		assert_false(has(page, page_len, "tree"));
	}
}

/* A text that was cut ends where its room ends. */
static void the_largest_figures_fit_their_pieces(void **state)
{
	static char name[300];
	static uint8_t lines[2 * 200];
	char room[HTTP_FIGURES_PIECE_CAP];

	(void)state;
	memset(&figures, 0xff, sizeof figures);
	memset(name, 'n', sizeof name - 1);
	memset(lines, 'c', sizeof lines);
	memcpy(lines, "commit ", 7);
	memcpy(lines + 199, "\ntree ", 6);
	memset(info.machine, 'm', sizeof info.machine - 1);
	memset(info.version_text, 'v', sizeof info.version_text - 1);
	figures.info = &info;
	figures.site_info = (struct http_text){ lines, sizeof lines };
	figures.has_proxies = figures.has_syslog = true;
	figures.pool_count = HTTP_FIGURES_POOLS;
	for (size_t i = 0; i < HTTP_FIGURES_POOLS; i++)
		figures.pools[i].name = name;
	figures.chain_count = LIMIT_CHAINS;
	for (size_t i = 0; i < LIMIT_CHAINS; i++) {
		figures.chains[i].name = name;
		figures.chains[i].is_known = true;
		figures.chains[i].days_left = INT64_MIN;
	}
	for (enum http_rendering r = 0; r <= HTTP_RENDER_METRICS; r++) {
		size_t longest = 0;
		uint32_t i = 0;

		for (;; i++) {
			struct text t = text_start(room, sizeof room);

			if (!http_write_figures(&figures, r, i, &t))
				break;
			assert_true(t.len > 0 && t.len < sizeof room);
			longest = t.len > longest ? t.len : longest;
		}
		assert_true(i > 20 && longest > 200);
	}
	memcpy(info.machine, "pvh, virtio-net pci", 20);
	memcpy(info.version_text, "0.1.0", 6);
}

/* What a piece is, without its digits. */
static void shape(enum http_rendering r, uint32_t i, char *out)
{
	struct text t = text_start(out, HTTP_FIGURES_PIECE_CAP);
	size_t len = 0;

	t.len = http_write_figures(&figures, r, i, &t) ? t.len : 0;
	for (size_t k = 0; k < t.len; k++) {
		if (out[k] < '0' || out[k] > '9')
			out[len++] = out[k];
	}
	out[len] = 0;
}

static void a_piece_is_the_same_part_whatever_was_counted(void **state)
{
	char before[HTTP_FIGURES_PIECE_CAP + 1], after[HTTP_FIGURES_PIECE_CAP + 1];

	(void)state;
	for (enum http_rendering r = 0; r <= HTTP_RENDER_METRICS; r++) {
		for (uint32_t i = 0; i < 60; i++) {
			begin(NULL);
			shape(r, i, before);
			figures.uptime_s = 86400 * 365;
			memset(&figures.net, 0x7f, sizeof figures.net);
			memset(&figures.http, 0x7f, sizeof figures.http);
			shape(r, i, after);
			assert_string_equal(before, after);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    listed_peers_get_pages_and_others_what_the_site_has, begin),
		cmocka_unit_test_setup(paths_beside_are_the_sites, begin),
		cmocka_unit_test_setup(without_a_setting_there_is_no_page, begin),
		cmocka_unit_test_setup(
		    heads_say_what_comes_and_that_nobody_keeps_it, begin),
		cmocka_unit_test_setup(
		    in_http_1_0_the_end_of_the_connection_ends_a_page, begin),
		cmocka_unit_test_setup(a_head_has_no_body, begin),
		cmocka_unit_test_setup(anybody_may_ask_for_its_health, begin),
		cmocka_unit_test_setup(json_is_one_object_with_everything, begin),
		cmocka_unit_test_setup(metrics_have_help_and_type, begin),
		cmocka_unit_test_setup(
		    what_somebody_else_wrote_means_nothing_here, begin),
		cmocka_unit_test_setup(the_largest_figures_fit_their_pieces, begin),
		cmocka_unit_test_setup(
		    a_piece_is_the_same_part_whatever_was_counted, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
