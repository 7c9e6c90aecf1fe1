/*
 * Dates as HTTP writes them.  Pure.  Times are Unix seconds, UTC, no leap seconds.
 */
#pragma once

#include "config/base.h"
#include "http/text.h"

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
#define HTTP_DATE_LEN 29

/* "06/Nov/1994:08:49:37 +0000" */
#define HTTP_LOG_DATE_LEN 26

/* The last second of the year 9999: the formats have four digits for the year. */
#define HTTP_TIME_MAX 253402300799

/*
 * Write HTTP_DATE_LEN bytes, IMF-fixdate: the one form we send (RFC 9110, section 5.6.7).
 * time    0..HTTP_TIME_MAX; anything else counts as the nearer end
 */
void http_format_date(int64_t time, uint8_t *out);

/* The same time as the combined log format writes it: HTTP_LOG_DATE_LEN bytes. */
void http_format_log_date(int64_t time, uint8_t *out);

/* "2026-11-22T19:26:12.123Z" */
#define HTTP_TIMESTAMP_LEN 24

/* A time in milliseconds as RFC 3339 has it: HTTP_TIMESTAMP_LEN bytes. */
void http_format_timestamp(uint64_t time_ms, uint8_t *out);

/*
 * Read any of the three forms a recipient MUST accept: IMF-fixdate, RFC 850's, asctime's.
 *
 * now      decides the century of RFC 850's two-digit year: a time that would be
 *          more than 50 years ahead is taken 100 years earlier
 * out      written on true only; may be negative (before 1970)
 * Returns  false for anything else, also impossible dates.  The name of the day has
 *          to be one, but not the right one.  ":60" is the following second.
 * Source   RFC 9110, section 5.6.7
 */
MUST_USE bool http_parse_date(struct http_text text, int64_t now,
    int64_t *out);
