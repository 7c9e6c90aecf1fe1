/*
 * Who counts what: http/collect.h.
 */
#include "http/collect.h"

#define DAY_S 86400

static const struct gate_info *gate;
static const struct romfs *site;
static const struct http_settings *settings;

void http_collect_start(const struct gate_info *info, const struct romfs *fs,
    const struct http_settings *with)
{
	gate = info;
	site = fs;
	settings = with;
}

static void collect_pools(struct http_figures *out)
{
	struct net_pool pool;

	for (uint32_t i = 0; net_read_pool(i, &pool); i++) {
		if (i == NET_POOL_CONNECTIONS)
			out->open = pool.used;
		if (pool.size > 0 && out->pool_count < HTTP_FIGURES_POOLS)
			out->pools[out->pool_count++] = pool;
	}
}

/* Whole days; of one that has begun, none is left. */
static int64_t days_until(int64_t end, int64_t now)
{
	const int64_t left = end - now;

	return left >= 0 ? left / DAY_S : -((-left + DAY_S - 1) / DAY_S);
}

static void collect_chains(struct http_figures *out)
{
	const int64_t now = (int64_t)net_unix_time();
	const char *name;
	int64_t not_after;

	while (out->chain_count < LIMIT_CHAINS &&
	    tls_read_chain(out->chain_count, &name, &not_after)) {
		const uint32_t i = out->chain_count++;

		out->chains[i].name = name;
		out->chains[i].is_known = now > 0;
		out->chains[i].days_left = days_until(not_after, now);
	}
}

void http_collect(struct http_figures *out)
{
	*out = (struct http_figures){
		.info = gate,
		.site_info = { site->info, site->info_len },
		.uptime_s = net_now_ms() / 1000,
		.restarts = gate->restarts,
		.http = *http_conn_counters(),
		.tls = *tls_counters(),
		.relayed = *relayed_counters(),
		.has_proxies = settings->proxies.count > 0,
		.has_syslog = settings->syslog.port != 0,
	};
	net_read_counters(&out->net);
	collect_pools(out);
	collect_chains(out);
}
