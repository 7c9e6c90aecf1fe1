/*
 * The banner: http/banner.h.
 */
#include "http/banner.h"

/* As many digits of the image's hash as tell two images apart. */
#define HASH_SHOWN_BYTES 8

#define NS_PER_US 1000

/* Names of 255 characters, which nobody has, still leave the line's end room. */
#define HOSTS_SHOWN 3

static void add_hash(struct text *t, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		text_add_char(t, digits[bytes[i] >> 4]);
		text_add_char(t, digits[bytes[i] & 15]);
	}
}

/* Milliseconds with one decimal. */
static void add_ms(struct text *t, uint64_t ns)
{
	const uint64_t tenths = ns / (100 * NS_PER_US);

	text_add_u64(t, tenths / 10);
	text_add_char(t, '.');
	text_add_u64(t, tenths % 10);
}

static void add_phase(struct text *t, const char *name, uint64_t start_ns,
    uint64_t end_ns)
{
	text_add_char(t, ' ');
	text_add(t, name);
	text_add_char(t, ' ');
	add_ms(t, end_ns > start_ns ? end_ns - start_ns : 0);
	text_add_char(t, ',');
}

/* "boot: load 1.2, kernel 0.8, server 0.5, ready after 2.5 ms" */
static void add_chart(struct text *t, const struct gate_info *info,
    uint64_t ready_ns)
{
	const uint32_t count = info->phase_count < GATE_PHASES_CAP ?
	    info->phase_count : GATE_PHASES_CAP;
	uint64_t start_ns = 0;

	text_add(t, "boot:");
	for (uint32_t i = 0; i < count; i++) {
		add_phase(t, info->phases[i].name, start_ns,
		    info->phases[i].end_ns);
		start_ns = info->phases[i].end_ns;
	}
	add_phase(t, "server", start_ns, ready_ns);
	text_add(t, " ready after ");
	add_ms(t, ready_ns);
	text_add(t, " ms\n");
}

void http_format_banner(const struct gate_info *info,
    const struct romfs *fs, uint64_t ready_ns, struct text *out)
{
	text_add(out, "stele ");
	text_add(out, info->version_text);
	text_add(out, " on ");
	text_add(out, info->machine);
	text_add(out, "\nimage ");
	add_hash(out, info->image_sha256, HASH_SHOWN_BYTES);
	text_add(out, ", ");
	text_add_u64(out, fs->file_count);
	text_add(out, " files, ");
	text_add_u64(out, info->rom_len / 1024);
	text_add(out, " KiB of ROM\n");
	/* The chart is the VM's; a server that came back has nothing to add to it. */
	if (info->restarts == 0) {
		add_chart(out, info, ready_ns);
		return;
	}
	text_add(out, "back after crash ");
	text_add_u64(out, info->restarts);
	text_add_char(out, '\n');
}

/* " for a.example, b.example ..." */
static void add_hosts(struct text *t, struct http_text hosts)
{
	uint32_t count = 0;

	for (size_t i = 0; i < hosts.len; i++) {
		const bool first = i == 0 || hosts.at[i - 1] == 0;

		if (first && count == HOSTS_SHOWN) {
			text_add(t, " ...");
			return;
		}
		if (first)
			text_add(t, count++ == 0 ? " for " : ", ");
		if (hosts.at[i] != 0)
			text_add_char(t, (char)hosts.at[i]);
	}
}

void http_format_https(const struct http_bundle *bundle,
    const struct http_settings *settings, struct http_text hosts,
    struct text *out)
{
	if (!bundle->has_certificate) {
		text_add(out, "https: none, for there is no certificate; "
		    "plain HTTP only\n");
		return;
	}
	text_add(out, "https: on port 443");
	add_hosts(out, hosts);
	text_add(out, settings->redirect_port == 0 ?
	    "; plain HTTP serves the site, too" :
	    "; plain HTTP redirects to port ");
	if (settings->redirect_port != 0)
		text_add_u64(out, settings->redirect_port);
	text_add_char(out, '\n');
}

static void add_path(struct text *t, const char *what, struct http_text path)
{
	text_add(t, what);
	for (size_t i = 0; i < path.len; i++)
		text_add_char(t, (char)path.at[i]);
}

static void add_ranges(struct text *t, const struct net_ranges *ranges)
{
	text_add_u64(t, ranges->count);
	text_add(t, ranges->count == 1 ? " range" : " ranges");
}

static void add_endpoint(struct text *t, const struct net_peer *peer)
{
	if (peer->is_ipv6) {
		text_add_char(t, '[');
		text_add_ipv6(t, peer->addr);
		text_add_char(t, ']');
	} else {
		text_add_ipv4(t, peer->addr);
	}
	text_add_char(t, ':');
	text_add_u64(t, peer->port);
}

void http_format_ops(const struct http_settings *settings, struct text *out)
{
	const char *between = "ops: ";

	if (settings->status_path.len > 0) {
		text_add(out, between);
		add_path(out, "status at ", settings->status_path);
		text_add(out, " for ");
		add_ranges(out, &settings->status_peers);
		between = "; ";
	}
	if (settings->healthz_path.len > 0) {
		text_add(out, between);
		add_path(out, "health checks at ", settings->healthz_path);
		between = "; ";
	}
	if (settings->syslog.port != 0) {
		text_add(out, between);
		text_add(out, "log to ");
		add_endpoint(out, &settings->syslog);
		between = "; ";
	}
	if (settings->proxies.count > 0) {
		text_add(out, between);
		text_add(out, "PROXY headers from ");
		add_ranges(out, &settings->proxies);
		between = "; ";
	}
	if (between[0] == ';')
		text_add_char(out, '\n');
}
