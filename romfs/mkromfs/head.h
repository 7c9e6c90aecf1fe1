/*
 * Rendered answer heads and the pages mkromfs makes itself.  What a head says and
 * why is in romfs/README.md, "Answers"; the status line, Date and Connection are
 * the server's to put in front.
 */
#pragma once

#include "config/base.h"
#include "romfs/mkromfs/media.h"
#include "romfs/mkromfs/sha256.h"

/* Enough for a type of MEDIA_TYPE_CAP bytes and a URL of LIMIT_TARGET_LEN. */
#define HEAD_CAP 9216

/* An entity tag: 16 bytes of a digest in base64url, in quotes. */
#define ETAG_LEN 24

struct head {
	char text[HEAD_CAP];
	uint32_t len;
	uint16_t etag_at;        /* 0 and 0 without an entity tag */
	uint16_t etag_len;
};

/* The value of Content-Type; cap at least MEDIA_TYPE_CAP + 20. */
void head_content_type(char *out, size_t cap, const char *type, bool is_utf8);

/* 200 for a file. */
void head_file(struct head *head, const char *content_type, uint64_t body_len,
    int64_t modified, const uint8_t digest[SHA256_LEN]);

/* 304 for a file: the ETag alone (RFC 9110, section 15.4.5). */
void head_not_modified(struct head *head, const uint8_t digest[SHA256_LEN]);

/* 404 with a body of this type. */
void head_not_found(struct head *head, const char *content_type, uint64_t body_len);

/* 301 to a percent-encoded URL, and its page; the caller frees the page. */
char *head_redirect(struct head *head, const char *url);

/* The page for sites without a 404.html; static. */
extern const char page_not_found[];
#define PAGE_CONTENT_TYPE "text/html; charset=utf-8"
