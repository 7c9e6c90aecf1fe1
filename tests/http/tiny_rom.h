/*
 * A site of a handful of paths, put together by hand from romfs/format.h: for the
 * responder's tests and for the fuzz harness, which want to know every byte.
 */
#pragma once

#include "romfs/romfs.h"

/* Last-Modified of everything in it: Sun, 06 Nov 1994 08:49:37 GMT. */
#define TINY_MODIFIED 784111777

struct tiny_entry {
	const char *path;          /* NULL: the page for what is not found */
	uint16_t status;           /* 200, 301 or 404 */
	const char *etag;          /* with quotes; NULL if status is not 200 */
	const char *body;
};

/*
 * The paths: "/" and "/index.html" with "hello\n" and etag "root"; "/a b.txt" with "ab" and
 * etag "ab"; "/empty" with nothing and etag "e"; "/dir" redirecting to "/dir/", which
 * has "dir\n" and etag "d"; "/\d%?" redirecting there, too.  The page for the rest
 * is "nothing here\n".
 */
extern const struct tiny_entry tiny_entries[];
extern const size_t tiny_entry_count;

/* Build it, once, and open it.  Aborts if the reader refuses what was built. */
const struct romfs *tiny_rom(void);
