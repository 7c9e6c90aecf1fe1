/*
 * From plain HTTP to HTTPS: the redirect of each request, and the field that tells
 * browsers never to come without HTTPS again.  And from one name of a site to the one
 * that it wants to be known by.  Pure.
 */
#pragma once

#include "config/base.h"
#include "http/answer.h"

struct http_redirect {
	struct http_text hosts;   /* lower-case names, each followed by a NUL; maybe none */
	uint32_t port;            /* 1..65535 */
};

/*
 * Answer a GET or HEAD on a plain stream with 308 and the same target at https.
 *
 * The host is the one that the request was sent to if it is among redirect->hosts, or
 * if there are none; else the first of them.  A request that leaves no
 * host (none was sent, or one longer than LIMIT_HOST_LEN) gets 400.
 *
 * Nothing of the request is in the body; it is in Location only, as location.h
 * writes it.
 *
 * site     its redirect is not NULL
 * Source   RFC 9110, sections 7.2 and 15.4.9
 */
void http_answer_redirect(const struct http_site *site,
    const struct http_request *req, struct http_response *out);

/*
 * Answer with 308 and the same target at another name, on the same kind of stream.
 *
 * port   what the request named, 0 if none
 * name   1..LIMIT_HOST_LEN bytes, of the image
 */
void http_answer_canonical(const struct http_site *site,
    const struct http_request *req, uint32_t port, struct http_text name,
    struct http_response *out);

/* RFC 6797, section 6.1; preload is what browsers' lists ask for, of no RFC. */
struct http_hsts {
	bool on;
	bool subdomains;
	bool preload;
	uint32_t max_age_s;
};

/* Write the field with its CRLF, if it is on; returns its length. */
size_t http_format_hsts(const struct http_hsts *hsts,
    uint8_t out[HTTP_HSTS_CAP]);
