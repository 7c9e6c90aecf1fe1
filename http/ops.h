/*
 * What operators see of a running server, other than the console: status pages, health
 * checks, the access log by syslog.  Starts what the settings ask for.
 */
#pragma once

#include "config/base.h"
#include "http/settings.h"
#include "http/text.h"
#include "kernel/gate.h"
#include "net/net.h"
#include "romfs/romfs.h"

/* Ask net for what will be needed; before net_start(). */
void http_ops_need(const struct http_settings *settings,
    struct net_needs *needs);

/*
 * Start; after net_start() and http_conn_start().
 *
 * all       kept by reference
 * hosts     the first is the HOSTNAME of syslog messages; without it, our address
 * Returns   NULL, or a sentence for the operator
 */
MUST_USE const char *http_ops_start(const struct gate_info *info,
    const struct romfs *fs, const struct http_settings *settings,
    struct http_text hosts);
