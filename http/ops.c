/*
 * Status pages, health checks, syslog: http/ops.h.
 */
#include "http/ops.h"

#include "config/limits.h"
#include "http/collect.h"
#include "http/conn.h"
#include "http/status.h"
#include "http/syslog.h"
#include "net/datagram.h"
#include "net/text.h"

/* With the smallest MTU (gate.h), behind the headers of IPv6 and UDP. */
_Static_assert(576 - 40 - 8 > HTTP_SYSLOG_HEAD_CAP &&
    LIMIT_SYSLOG_LEN > HTTP_SYSLOG_HEAD_CAP, "there is room for some of a line");

/* Longest address as text. */
#define ADDRESS_CAP 48

static struct http_text host;      /* no bytes: there is no HOST= */

/*
 * RFC 5424, section 6.2.4: the name before the address.  The address may be another
 * tomorrow, so it is asked for each time.
 */
static struct http_text hostname(char address[ADDRESS_CAP])
{
	struct text t = text_start(address, ADDRESS_CAP);
	struct net_peer ours;

	if (host.len > 0)
		return host;
	if (net_read_address(&ours)) {
		if (ours.is_ipv6)
			text_add_ipv6(&t, ours.addr);
		else
			text_add_ipv4(&t, ours.addr);
	}
	return (struct http_text){ (const uint8_t *)t.at, t.len };
}

static void send_line(const char *line, size_t len)
{
	char message[LIMIT_SYSLOG_LEN], address[ADDRESS_CAP];
	const struct http_syslog_entry entry = {
		.time_ms = net_unix_time_ms(),
		.host = hostname(address),
		.line = { (const uint8_t *)line, len },
	};

	net_datagram_send(message,
	    http_format_syslog(&entry, message, net_datagram_max()));
}

void http_ops_need(const struct http_settings *settings,
    struct net_needs *needs)
{
	if (settings->syslog.port != 0)
		needs->datagrams = LIMIT_DATAGRAMS;
}

const char *http_ops_start(const struct gate_info *info,
    const struct romfs *fs, const struct http_settings *settings,
    struct http_text hosts)
{
	if (settings->status_path.len > 0 || settings->healthz_path.len > 0) {
		http_collect_start(info, fs, settings);
		http_status_start(settings, http_collect);
		http_conn_serve_status(http_answer_status);
	}
	if (settings->syslog.port == 0)
		return NULL;
	host = hosts;
	host.len = 0;
	while (host.len < hosts.len && hosts.at[host.len] != 0)
		host.len++;
	if (!net_datagram_start(&settings->syslog))
		return "no socket for syslog=";
	http_conn_copy_log(send_line);
	return NULL;
}
