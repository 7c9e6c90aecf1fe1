/*
 * What the server counts, as three kinds of text: one table (figures.c), three
 * renderings.  Pure.
 *
 *   HTML      a page for people
 *   JSON      one object: {"info":{...},"uptime_seconds":12,"http_requests_total":{"2xx":1,...}}
 *   metrics   Prometheus' text format 0.0.4, the same names with "stele_" in front
 *
 * Each is written in pieces, so that nothing holds a whole page: piece i is the same
 * part of it every time, with the figures of the moment.
 */
#pragma once

#include "config/base.h"
#include "http/conn.h"
#include "http/text.h"
#include "kernel/gate.h"
#include "net/net.h"
#include "net/text.h"
#include "tls/relayed.h"
#include "tls/tls.h"

#define HTTP_FIGURES_POOLS 16

/* Everything there is at one moment. */
struct http_figures {
	const struct gate_info *info;
	struct http_text site_info;      /* lines "word value\n" of the ROM (romfs.h) */
	uint64_t uptime_s;
	uint64_t restarts;
	uint64_t open;                   /* connections */
	struct net_counters net;
	struct http_counters http;
	struct tls_counters tls;
	struct relayed_counters relayed;
	/* What is not there has no figures: */
	bool has_proxies;
	bool has_syslog;
	uint32_t pool_count;             /* those without elements are left out */
	struct net_pool pools[HTTP_FIGURES_POOLS];
	uint32_t chain_count;            /* 0: there is no HTTPS */
	struct {
		const char *name;        /* the first; "": none */
		bool is_known;           /* we know the time, */
		int64_t days_left;       /* and this; below 0: expired */
	} chains[LIMIT_CHAINS];
};

enum http_rendering {
	HTTP_RENDER_HTML,
	HTTP_RENDER_JSON,
	HTTP_RENDER_METRICS,
};

/* Bytes of a piece at most. */
#define HTTP_FIGURES_PIECE_CAP 496

/*
 * Append piece `index` of a rendering.
 *
 * out      has HTTP_FIGURES_PIECE_CAP bytes of room
 * Returns  false, with nothing appended, when the rendering has ended before this piece.
 *          Which part of the page a piece is does not depend on the counters: only on
 *          the counts of pools and chains, and the has_ fields.
 */
MUST_USE bool http_write_figures(const struct http_figures *figures,
    enum http_rendering rendering, uint32_t index, struct text *out);
