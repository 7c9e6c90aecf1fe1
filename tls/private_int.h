/*
 * A private stream, as the files that make it up see it.
 *
 *   private.c    net's functions: birth, handshake, deadlines, death
 *   incoming.c   the client's records: cut out, opened, offered to the app
 *   outgoing.c   ours: what the app sends, and alerts; sealed, and off to TCP
 *
 * A session lives from the client's first byte until the connection is gone.  There
 * is no path back from one state to an earlier one:
 *
 *   HANDSHAKE   records go to the engine.  `handshake` is NULL until the first of
 *               them is whole: who sends less holds nothing that others need.
 *   OPEN        the app has the stream; the keys are there
 *   ENDING      the last record, if any, is sealed, keys and handshake are wiped; once
 *               all is with TCP, so is our FIN.  Nothing the client sends is looked
 *               at, and of the app's functions only closed() is called.
 *
 * What leaves the stream, leaves in this order: what TCP did not take of `record`,
 * then `tail`.  While either is there, nothing is sealed but the last alert, and no
 * record of the client is looked at: each may need an answer.
 */
#pragma once

#include "tls/engine.h"
#include "tls/private.h"

enum session_state {
	SESSION_HANDSHAKE = 0,
	SESSION_OPEN,
	SESSION_ENDING,
};

/* A sealed alert; two of them can wait: a warning, and the last one. */
#define SEALED_ALERT_MAX (TLS_HEADER_LEN + 8 + 2 + 16)
#define SESSION_TAIL_CAP 64

_Static_assert(2 * SEALED_ALERT_MAX <= SESSION_TAIL_CAP,
    "a refused renegotiation and the end fit together");

struct tls_session {
	struct stream *stream;

	/* HANDSHAKE: the engine's object, and those around it in the list by age. */
	struct tls_handshake *handshake;
	struct tls_session *older, *newer;
	uint32_t handshake_len;   /* bytes the client sent for it */

	/* Out: what is sealed and not with TCP yet. */
	uint32_t record_left;     /* 0: there is no record */
	uint8_t *record;          /* its next byte, within net's record buffer */
	uint8_t tail[SESSION_TAIL_CAP];
	uint8_t tail_len;
	uint8_t growth;           /* full records sent since the stream was idle */
	uint64_t sent_ms;         /* when the last record of data was sealed */

	/* In, OPEN: plaintext that the app did not take. */
	uint8_t *kept;            /* net's hold buffer; NULL when kept_len is 0 */
	uint32_t kept_len;
	uint8_t quiet;            /* records without data since the last with some */

	uint8_t state;            /* enum session_state */
	bool app_waits;           /* a send took less than it was given: writable() is owed */
	bool resume;              /* the app asked for what is kept */
	bool stalled;             /* net holds bytes that were not looked at */
	bool partial;             /* net holds the beginning of a record, and has a deadline */
	bool got_fin;             /* the peer's FIN came */
	bool got_close;           /* close_notify came: what follows it is ignored */
	bool told_closed;         /* the app knows of one of these two */
};

/* The keys lie behind it, aligned to 16. */
#define SESSION_KEYS_OFF ((sizeof(struct tls_session) + 15) & ~(size_t)15)

static inline struct tls_keys *session_keys(struct tls_session *t)
{
	return (struct tls_keys *)(void *)((uint8_t *)t + SESSION_KEYS_OFF);
}

static inline void *app_of(struct stream *s)
{
	return (uint8_t *)s + STREAM_LEN;
}

/* ---- private.c ------------------------------------------------------------- */

/*
 * The stream one of whose functions is running, NULL once it is gone: after each
 * call of the app or of net_abort() this is looked at before anything else.
 */
extern struct stream *private_current;

/* The stream is there, and not at its end. */
static inline bool is_alive(const struct stream *s)
{
	return private_current == s && s->tls->state != SESSION_ENDING;
}

/*
 * Hand a whole record to the engine, and do what it says.
 * Returns false when that cannot be done now; writable() follows, or the stream
 * is gone.
 */
MUST_USE bool private_take_handshake(struct stream *s,
    const uint8_t *record, size_t len);

/* Send a fatal alert behind all that is under way, and close. */
void private_fail(struct stream *s, enum tls_alert alert);

/* Give back and wipe all but what is yet to be sent, and close behind that. */
void private_end(struct stream *s);

/* No byte follows those that were taken: tell the app, once, or give up. */
void private_take_end(struct stream *s);

/* ---- incoming.c ------------------------------------------------------------ */

/*
 * Take as many of the client's records as are whole and can be answered.  As
 * received() of net_app; the stream may be gone afterwards.
 */
MUST_USE size_t incoming_take(struct stream *s, const uint8_t *data, size_t len);

/* ---- outgoing.c ------------------------------------------------------------ */

/* Let TCP have what waits; true when all of it has left, else writable() follows. */
bool outgoing_flush(struct tls_session *t);

/*
 * Send whole records, len bytes that lie in a buffer of net_record_take(), which is
 * given back as soon as can be.  Nothing else may be waiting.
 */
void outgoing_send(struct tls_session *t, uint8_t *records, size_t len);

/* Append an alert to the tail, sealed if there are keys to do it with. */
void outgoing_append_alert(struct tls_session *t, bool fatal,
    enum tls_alert alert);
