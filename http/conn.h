/*
 * HTTP on a connection: between net.h, which moves bytes, and the parser and the
 * responder, which know what they mean.
 */
#pragma once

#include "config/base.h"
#include "net/net.h"
#include "romfs/romfs.h"

/* Since the server's start. */
struct http_counters {
	uint64_t connections;   /* opened */
	uint64_t requests;      /* answered, refusals included */
	uint64_t by_class[6];   /* [2]: answers with 2xx, and so on to [5] */
};

/*
 * Say what is served; called once, before net_listen().
 *
 * fs         kept by reference
 * log        write the access log
 */
void http_conn_start(const struct romfs *fs, bool log);

/* The functions for net_listen(). */
extern const struct net_app http_app;

const struct http_counters *http_conn_counters(void);
