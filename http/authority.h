/*
 * host [ ":" port ], as in the Host field and in an absolute-form target.  Pure.
 */
#pragma once

#include "config/base.h"
#include "http/text.h"

struct http_authority {
	struct http_text host;  /* as sent; an IPv6 literal with its brackets */
	uint32_t port;          /* 0 when none was sent, or an empty one */
};

/*
 * Take an authority apart.
 *
 * text     without user information: "user@" is refused (RFC 9110, section 4.2.4)
 * out      written on true only; host may be empty
 * Returns  false if the text does not fit the grammar or the port is above 65535
 * Source   RFC 3986, sections 3.2.2 and 3.2.3.  Not checked: that what stands in
 *          brackets is a good IPv6 address; it is compared and never used.
 *          Not offered: IPvFuture, which no version was ever defined of.
 */
MUST_USE bool http_parse_authority(struct http_text text,
    struct http_authority *out);

/*
 * The same place: hosts equal but for case, ports equal once a missing one is
 * replaced by default_port (RFC 9110, section 4.2.3).
 */
bool http_authority_equal(const struct http_authority *a,
    const struct http_authority *b, uint32_t default_port);
