/*
 * ACME challenges without state: whoever asks for a token gets it back with the
 * thumbprint of the operator's account key, which is all an ACME server wants to
 * see (RFC 8555, section 8.3).  The token of the day need not be known here.  Pure.
 */
#pragma once

#include "config/base.h"
#include "http/answer.h"

/* RFC 7638 with SHA-256, in base64url without padding: RFC 8555, section 8.1. */
#define HTTP_THUMBPRINT_LEN 43

/* Letters, digits, '-' and '_' only, without padding: RFC 4648, section 5. */
bool http_is_base64url(struct http_text text);

/*
 * Answer a GET or HEAD if it is for a challenge.
 *
 * site     its thumbprint has HTTP_THUMBPRINT_LEN characters
 * out      written on true only
 * Returns  false if the path is not /.well-known/acme-challenge/TOKEN, as it was sent,
 *          with a token of 1..LIMIT_TOKEN_LEN characters of base64url
 */
MUST_USE bool http_answer_acme(const struct http_site *site,
    const struct http_request *req, struct http_response *out);
