/*
 * Which of several content codings a client gets: proactive negotiation.  Pure.
 */
#pragma once

#include "config/base.h"
#include "http/request.h"

/*
 * Choose among the codings of an entry.
 *
 * offered, count  1..4 of enum romfs_coding; [0] is ROMFS_IDENTITY, the others in the order of
 *                 preference: of those with the highest weight the first is taken, identity last
 * chosen          written if true: index into offered
 * Returns         false if the client refuses all of them (406): identity is refused only by
 *                 "identity;q=0", or "*;q=0" without a word about identity
 * Cost            one pass over the field; nothing without it: identity
 * Source          RFC 9110, sections 12.4.2 (weights, exact to three decimals) and 12.5.3.  A list
 *                 that does not fit the grammar counts up to the element that does not: who
 *                 can not be understood gets the coding that everybody can read.  Of a
 *                 coding that is named twice the last weight counts.
 */
MUST_USE bool http_choose_coding(const struct http_request *req,
    const uint8_t *offered, uint32_t count, uint32_t *chosen);

/*
 * The client asks for Repr-Digest with sha-256: Want-Repr-Digest gives it 1 to 10
 * (RFC 9530, section 4).  A list counts up to the first member that is no "key=integer".
 */
bool http_wants_digest(const struct http_request *req);
