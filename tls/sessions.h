/*
 * Sessions that can be resumed without a signature (RFC 5246, section 7.3): a
 * table of fixed size from session id to master secret.  What was forgotten is
 * wiped.
 */
#pragma once

#include "config/base.h"
#include "config/limits.h"

#define SESSION_ID_LEN 32u

struct session {
	uint8_t master[48];
	/*
	 * Whom the client asked for: a digest of the name, of no name if it
	 * named nobody.  Under another name a session must not be resumed (RFC
	 * 6066, section 3).
	 */
	uint8_t name[32];
	uint16_t suite;
};

/* Forget all. */
void sessions_start(void);

/* Remember; in its place the oldest of eight neighbours is forgotten. */
void sessions_save(const uint8_t id[SESSION_ID_LEN],
    const struct session *session, uint64_t now_ms);

/*
 * Find a session that is not older than LIMIT_SESSION_MS.  *out is written if
 * and only if there is one; it is a copy, the caller wipes it.
 * Cost    The same whether there is one or not, but for the copy.
 */
MUST_USE bool sessions_find(const uint8_t id[SESSION_ID_LEN], uint64_t now_ms,
    struct session *out);

/* Forget one, if it is there. */
void sessions_forget(const uint8_t id[SESSION_ID_LEN]);
