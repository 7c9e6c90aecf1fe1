/*
 * HTTP on a stream: between tls/stream.h, which moves bytes, and the parser and the
 * responder, which know what they mean.
 */
#pragma once

#include "config/base.h"
#include "http/answer.h"
#include "http/settings.h"
#include "http/text.h"
#include "romfs/romfs.h"
#include "tls/stream.h"

/* Since the server's start, on plain and private streams. */
struct http_counters {
	uint64_t connections;   /* opened; private ones after their handshake */
	uint64_t requests;      /* answered, refusals included */
	uint64_t refused;       /* of these: malformed, too large or late */
	uint64_t by_class[6];   /* [2]: answers with 2xx, and so on to [5] */
	uint64_t body_bytes;    /* of answers' bodies, counted when an answer begins */
};

/*
 * Say what is served; called once, before stream_listen_plain() and _private().
 *
 * fs         kept by reference
 * settings   its texts are kept by reference
 * hosts      as http_redirect has them, kept by reference
 */
void http_conn_start(const struct romfs *fs,
    const struct http_settings *settings, struct http_text hosts);

/*
 * Ask this function about every request before the site is asked; called once, behind
 * http_conn_start(), or never.
 */
void http_conn_serve_status(http_status_function *status);

/* Gets lines of the access log, each with its '\n'. */
typedef void http_log_function(const char *line, size_t len);

/*
 * Hand every line of the access log to this function, too, whether the console has it or
 * not; called once, behind http_conn_start(), or never.
 */
void http_conn_copy_log(http_log_function *copy);

/* The functions for stream_listen_plain() and stream_listen_private(). */
extern const struct stream_app http_app;

const struct http_counters *http_conn_counters(void);
