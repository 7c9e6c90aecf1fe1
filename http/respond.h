/*
 * From a parsed request to the bytes that answer it.  Pure: the site, the time and
 * the room to work in come in, a value goes out.  What an answer is: answer.h.
 */
#pragma once

#include "config/base.h"
#include "http/answer.h"

/*
 * Answer a request that was parsed with HTTP_OK.
 *
 * The answer never has a body if the method is HEAD, or the status 304 (romfs.h).  A
 * site that redirects to HTTPS does so for every GET and HEAD, however its path
 * would be answered there, but for ACME challenges.
 *
 * Source  RFC 9110, sections 9.3.1, 9.3.2, 13.2 and 15
 */
void http_respond(const struct http_site *site,
    const struct http_request *req, struct http_response *out);
