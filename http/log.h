/*
 * The access log: one line per answered request, in the combined log format that
 * every log reader knows.  Pure.
 *
 *   ADDRESS - - [DATE] "REQUEST LINE" STATUS BODY-BYTES "REFERER" "USER AGENT"
 *
 * A stranger writes the quoted parts.  What is not visible ASCII, a quote or a backslash
 * appears as \xNN, so that a line is a line and a quote ends a field; what is longer
 * than the limits in config/limits.h ends in "...".
 */
#pragma once

#include "config/base.h"
#include "http/text.h"
#include "net/net.h"

/* More than the longest line that http_format_log() writes. */
#define HTTP_LOG_LINE_CAP 1024

struct http_log_entry {
	const struct net_peer *peer;
	const uint8_t *date;            /* as http_format_log_date() writes it */
	uint16_t status;
	uint64_t body_len;              /* what the answer has, if it is taken to its end */
	struct http_text line;          /* without bytes: "-" */
	struct http_text referer;       /* not sent: "-" */
	struct http_text user_agent;    /* not sent: "-" */
};

/* Write the line with its '\n' to out, which has HTTP_LOG_LINE_CAP bytes; returns its length. */
size_t http_format_log(const struct http_log_entry *entry, char *out);
