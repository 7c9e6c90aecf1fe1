/*
 * The server's first function: open the site and the bundle, start the network,
 * serve until the operator wants the VM to stop.
 */
#include "http/banner.h"
#include "http/conn.h"
#include "http/ops.h"
#include "http/settings.h"
#include "kernel/gate.h"
#include "net/net.h"
#include "net/text.h"
#include "tls/relayed.h"
#include "tls/stream.h"
#include "tls/tls.h"

#define HTTP_PORT 80
#define HTTPS_PORT 443

static void print(const struct text *t)
{
	net_log(t->at, t->len);
}

NORETURN static void stop(enum gate_stop how, const struct text *why)
{
	const enum gate_status status = gate_stop(how, why->at, why->len);

	panic(status == GATE_OK ? "stopped, and still here" :
	    "the gate refused to stop");
}

NORETURN static void refuse(const char *what, const char *why)
{
	char buf[GATE_LOG_MAX];
	struct text t = text_start(buf, sizeof buf);

	text_add(&t, what);
	text_add(&t, why);
	text_add_char(&t, '\n');
	stop(GATE_STOP_REFUSED, &t);
}

static void print_handshakes(void)
{
	const struct tls_counters *const counters = tls_counters();
	char buf[128];
	struct text t = text_start(buf, sizeof buf);

	text_add(&t, "tls: full ");
	text_add_u64(&t, counters->full);
	text_add(&t, ", resumed ");
	text_add_u64(&t, counters->resumed);
	text_add(&t, ", failed ");
	text_add_u64(&t, counters->failed);
	text_add_char(&t, '\n');
	print(&t);
}

static void print_counters(void)
{
	const struct http_counters *const counters = http_conn_counters();
	char buf[256];
	struct text t = text_start(buf, sizeof buf);

	text_add(&t, "http: connections ");
	text_add_u64(&t, counters->connections);
	text_add(&t, ", requests ");
	text_add_u64(&t, counters->requests);
	for (size_t class = 2; class < ARRAY_LEN(counters->by_class); class++) {
		text_add(&t, ", ");
		text_add_u64(&t, class);
		text_add(&t, "xx ");
		text_add_u64(&t, counters->by_class[class]);
	}
	text_add_char(&t, '\n');
	print(&t);
	if (tls_has_certificate())
		print_handshakes();
	net_print_pools();
}

static void print_banner(const struct gate_info *info,
    const struct romfs *fs)
{
	char buf[HTTP_BANNER_CAP];
	struct text t = text_start(buf, sizeof buf);

	http_format_banner(info, fs, gate_now_ns(info), &t);
	print(&t);
}

static void print_ops(const struct http_settings *settings)
{
	char buf[HTTP_BANNER_CAP];
	struct text t = text_start(buf, sizeof buf);

	http_format_ops(settings, &t);
	if (t.len > 0)
		print(&t);
}

static void print_https(const struct http_bundle *bundle,
    const struct http_settings *settings, struct http_text hosts)
{
	char buf[HTTP_BANNER_CAP];
	struct text t = text_start(buf, sizeof buf);

	http_format_https(bundle, settings, hosts, &t);
	print(&t);
	if (bundle->has_certificate)
		tls_print_certificates();
}

static void warn(const char *sentence)
{
	char buf[GATE_LOG_MAX];
	struct text t = text_start(buf, sizeof buf);

	text_add(&t, "warning: ");
	text_add(&t, sentence);
	text_add_char(&t, '\n');
	print(&t);
}

static bool listen_plain(const struct net_ranges *proxies)
{
	return proxies->count == 0 ?
	    stream_listen_plain(HTTP_PORT, &http_app) :
	    relayed_listen_plain(HTTP_PORT, &http_app, proxies);
}

static bool listen_private(const struct net_ranges *proxies)
{
	return proxies->count == 0 ?
	    stream_listen_private(HTTPS_PORT, &http_app) :
	    relayed_listen_private(HTTPS_PORT, &http_app, proxies);
}

static void listen(const struct http_bundle *bundle,
    const struct http_settings *settings)
{
	if (bundle->has_certificate) {
		tls_start(settings->sni_refuse);
		if (!listen_private(&settings->proxies))
			refuse("no listener for HTTPS", "");
	}
	if (!listen_plain(&settings->proxies))
		refuse("no listener for HTTP", "");
}

static void serve(const struct http_settings *settings)
{
	const uint64_t stats_ms = (uint64_t)settings->stats_s * 1000;
	uint64_t next_ms = net_now_ms() + stats_ms;

	while (net_poll()) {
		if (tls_has_certificate())
			tls_check_expiry();
		if (stats_ms == 0 || net_now_ms() < next_ms)
			continue;
		next_ms = net_now_ms() + stats_ms;
		print_counters();
	}
}

static void open_site(const struct gate_info *info, struct romfs *fs)
{
	const enum romfs_status status =
	    romfs_open(fs, info->rom, info->rom_len);

	if (status != ROMFS_OK)
		refuse("the site's ROM is refused: ", romfs_status_text(status));
}

/* What of the bundle our defaults depend on; *needs is what TLS needs. */
static struct http_bundle open_bundle(const struct gate_info *info,
    struct net_needs *needs, struct http_text *hosts)
{
	const char *const why = tls_read_bundle(info, needs);

	if (why != NULL)
		refuse("the instance bundle is refused: ", why);
	hosts->at = (const uint8_t *)tls_hosts(&hosts->len);
	return (struct http_bundle){
		.has_certificate = tls_has_certificate(),
		.is_real = tls_is_real(),
		.has_hosts = hosts->len > 0,
	};
}

static void start_network(const struct gate_info *info,
    const struct net_needs *needs)
{
	const char *const why = net_start(info, needs);

	if (why != NULL)
		refuse("", why);
}

static void start_ops(const struct gate_info *info, const struct romfs *fs,
    const struct http_settings *settings, struct http_text hosts)
{
	const char *const why = http_ops_start(info, fs, settings, hosts);

	if (why != NULL)
		refuse("", why);
}

void server_main(const struct gate_info *info)
{
	static struct romfs fs;
	static struct http_settings settings;
	struct net_needs needs;
	struct http_text hosts;

	open_site(info, &fs);
	const struct http_bundle bundle = open_bundle(info, &needs, &hosts);
	http_read_settings(info->cmdline, &bundle, &settings);
	http_ops_need(&settings, &needs);
	start_network(info, &needs);

	for (uint32_t i = 0; i < settings.complaint_count; i++)
		warn(settings.complaints[i]);
	http_conn_start(&fs, &settings, hosts);
	start_ops(info, &fs, &settings, hosts);
	listen(&bundle, &settings);
	print_banner(info, &fs);
	print_https(&bundle, &settings, hosts);
	print_ops(&settings);
	serve(&settings);

	print_counters();
	stop(GATE_STOP_POWER_OFF, &(struct text){ 0 });
}
