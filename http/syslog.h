/*
 * A line of the access log as a syslog message.  Pure.
 *
 *   <134>1 TIMESTAMP HOSTNAME stele - access - LINE
 *
 * 134 is local0.info.  LINE is as on the console, without its end.  It is visible ASCII
 * (log.h), so there is no byte order mark in front: RFC 5424, section 6.4 asks for one
 * only where text is announced as UTF-8, and many receivers show it.
 *
 * Source  RFC 5424, section 6
 */
#pragma once

#include "config/base.h"
#include "http/text.h"

/* What is in front of the line at most: a HOSTNAME has 255 characters. */
#define HTTP_SYSLOG_HEAD_CAP 320

struct http_syslog_entry {
	uint64_t time_ms;         /* Unix time; 0: unknown */
	struct http_text host;    /* no bytes: unknown; cut at 255, '?' for what may not be in it */
	struct http_text line;    /* an '\n' at its end is left out */
};

/*
 * Write a message.
 *
 * cap      bytes of out, more than HTTP_SYSLOG_HEAD_CAP; a line that does not fit ends in
 *          "..." (section 6.1 lets messages be cut at their end)
 * Returns  its length, at most cap
 */
size_t http_format_syslog(const struct http_syslog_entry *entry, char *out,
    size_t cap);
