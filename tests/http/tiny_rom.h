/*
 * A site of a handful of paths, put together by hand from romfs/format.h: for the
 * responder's tests and for the fuzz harness, which want to know every byte.
 */
#pragma once

#include "romfs/romfs.h"

/* Last-Modified of everything in it: Sun, 06 Nov 1994 08:49:37 GMT. */
#define TINY_MODIFIED 784111777

/* Where to look for what it answers; bodies and tags are tiny_entries[]'s. */
struct tiny_entry {
	const char *path;          /* NULL: a page */
	uint16_t status;
	const char *etag;          /* with quotes; NULL if status is not 200 */
	const char *body;
	const char *location;      /* 3xx: the value of Location */
	uint8_t flags;             /* ROM_ENTRY_... */
};

/*
 * The paths:
 *
 *   "/", "/index.html"  200, "hello\n", etag "root"
 *   "/a b.txt"          200, "ab", etag "ab"
 *   "/empty"            200, nothing, etag "e"
 *   "/dir/"             200, "dir\n", etag "d"
 *   "/page.txt"         200, TINY_PAGE, etag "p", and the codings of tiny_codings[]
 *   "/campaign"         200, "all\n", etag "c"; but with ?id=X rule 0 answers
 *   "/dir", "/\d%?"     301 to "/dir/", with the request's query
 *   "/frag"             308 to "/dir/#top", with the request's query
 *   "/away"             302 to "https://other.example/x?y=1", without
 *
 * The rules for other paths:
 *
 *   0  "/campaign" ?id=:id     302 to "/c/:id", forced
 *   1  "/old/:name"            301 to "/dir/:name#t", with the request's query
 *   2  "/app/" and any bytes   200, "/index.html"
 *   3  "/files" and the rest   200, "/:rest" where that is a file
 *   4  "/dir/" and any bytes   404, "nothing in dir\n"
 *
 * The page for the rest is "nothing here\n".  All heads are, each line with CRLF:
 *
 *   Content-Length, Content-Type: text/plain, then for 200 Content-Encoding and (where there
 *   are codings) Vary: Accept-Encoding, ETag; for 3xx Location
 *
 * and those of the 304 answers ETag, and Vary where the 200 has it.
 */
extern const struct tiny_entry tiny_entries[];
extern const size_t tiny_entry_count;

#define TINY_PAGE "The quick brown fox jumps over the lazy dog, again and again.\n"

/* The further codings of "/page.txt", in their order. */
struct tiny_coding {
	enum romfs_coding coding;
	const char *name;          /* of Content-Encoding */
	const char *etag;
	const char *body;
};

extern const struct tiny_coding tiny_codings[2];

/* Repr-Digest of every representation with this tag. */
const char *tiny_digest_line(const char *etag);

/* Build it, once, and open it.  Aborts if the reader refuses what was built. */
const struct romfs *tiny_rom(void);
