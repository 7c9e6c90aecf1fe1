/*
 * Rendered answer heads.  What a head says and why is in romfs/README.md, "Answers"; the status line, Date and Connection are
 * the server's to put in front.
 */
#pragma once

#include "config/base.h"
#include "config/limits.h"
#include "romfs/format.h"
#include "romfs/mkromfs/headers.h"
#include "romfs/mkromfs/sha256.h"

/* An entity tag: 16 bytes of a digest in base64url, in quotes; with the NUL. */
#define ETAG_CAP 25

struct head {
	char text[LIMIT_ANSWER_HEAD_LEN];
	uint16_t len;
	uint16_t mark_at, mark_len, type_len;   /* as in struct rom_variant */
	uint8_t length_line_len;
	bool too_long;           /* the fields do not fit; the rest means nothing then */
};

/* Everything a head says. */
struct head_facts {
	uint16_t status;
	uint64_t body_len;
	const char *content_type;
	const char *coding;      /* Content-Encoding; NULL: none */
	bool varies;             /* the entry has several codings */
	const char *location;    /* 3xx */
	const char *etag;        /* 200 */
	int64_t modified;        /* -1: no Last-Modified */
	/* Defaults, which the edits may change; NULL: none. */
	const char *cache_control;
	const char *csp;
	const struct header_edits *edits;       /* may be NULL */
};

/* The head of the answer. */
void head_render(struct head *head, const struct head_facts *facts);

/* The head of the 304 answer: what it has to say of the fields of the 200. */
void head_render_not_modified(struct head *head, const struct head_facts *facts);

/* The value of Content-Type that a site's _headers gives; NULL: none. */
const char *head_given_type(const struct header_edits *edits);

/* The edits have a Strict-Transport-Security: it is left out, the setting hsts= has it. */
bool head_has_hsts(const struct header_edits *edits);

/* The entity tag for a digest. */
void head_etag(char out[ETAG_CAP], const uint8_t digest[SHA256_LEN]);

/* "Repr-Digest: ..." CRLF, without a NUL (RFC 9530, section 3). */
void head_digest_line(char out[ROM_DIGEST_LINE_LEN], const uint8_t digest[SHA256_LEN]);
