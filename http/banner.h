/*
 * What the console says when the server is ready.
 */
#pragma once

#include "config/base.h"
#include "http/settings.h"
#include "http/text.h"
#include "kernel/gate.h"
#include "net/text.h"
#include "romfs/romfs.h"

/* More than the longest banner. */
#define HTTP_BANNER_CAP 1024

/*
 * Write the banner: version, machine, image hash, files of the site, crashes so far,
 * and the boot chart.  Addresses are not in it: net prints each with its URL as it
 * becomes known.  Pure.
 *
 * ready_ns  when the server began to listen, ns since the first instruction; the
 *           last bar of the chart
 */
void http_format_banner(const struct gate_info *info,
    const struct romfs *fs, uint64_t ready_ns, struct text *out);

/*
 * Write one line: whether there is HTTPS, for whom, and what plain HTTP does beside
 * it.  Pure.
 *
 * hosts     as http_redirect has them; of many the first few are named
 */
void http_format_https(const struct http_bundle *bundle,
    const struct http_settings *settings, struct http_text hosts,
    struct text *out);

/*
 * Write one line: which pages, logs and proxies the settings ask for; nothing if
 * they ask for none.  Pure.
 */
void http_format_ops(const struct http_settings *settings, struct text *out);
