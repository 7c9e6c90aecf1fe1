/*
 * Contract: coding_check.h.
 *
 * Coded bytes go through a decoder piece by piece; each piece that comes out is compared
 * with as much of the source.
 */
#include "romfs/mkromfs/coding_check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "romfs/mkromfs/coding_encode.h"
#include "romfs/mkromfs/memory.h"
#include "romfs/romfs.h"

#define CHUNK_LEN (64 * 1024)
#define GZIP_WINDOW_BITS (15 + 16)   /* gzip's wrapping and no other (zlib.h) */

struct checking {
	int fd;
	uint64_t off, len;           /* of the coded bytes: read so far, all */
	const uint8_t *in;           /* those that wait for the decoder */
	size_t in_len;
	bool at_end;                 /* of a member, a frame, the stream */
	struct check *result;
	uint8_t coded[CHUNK_LEN];
	uint8_t plain[CHUNK_LEN];    /* what came out */
	uint8_t wanted[CHUNK_LEN];   /* and as much of the source */
	union {
		z_stream gzip;
		BrotliDecoderState *brotli;
		ZSTD_DCtx *zstd;
	};
};

struct decoder {
	void (*start)(struct checking *c);
	/* Decode from c->in to c->plain; false after writing down a reason. */
	bool (*step)(struct checking *c, size_t *plain_len);
	void (*end)(struct checking *c);
};

__attribute__((format(printf, 2, 3)))
static bool different(struct checking *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(c->result->reason, sizeof c->result->reason, format, args);
	va_end(args);
	return false;
}

static void consumed(struct checking *c, size_t left)
{
	c->in += c->in_len - left;
	c->in_len = left;
}

/* ---- gzip ------------------------------------------------------------------ */

static void gzip_start(struct checking *c)
{
	c->gzip = (z_stream){ 0 };
	if (inflateInit2(&c->gzip, GZIP_WINDOW_BITS) != Z_OK)
		die("zlib: out of memory");
}

static bool gzip_step(struct checking *c, size_t *plain_len)
{
	int status;

	if (c->at_end) {             /* RFC 1952, section 2.2: members follow each other */
		inflateReset(&c->gzip);
		c->at_end = false;
	}
	c->gzip.next_in = (uint8_t *)c->in;
	c->gzip.avail_in = (uInt)c->in_len;
	c->gzip.next_out = c->plain;
	c->gzip.avail_out = sizeof c->plain;
	status = inflate(&c->gzip, Z_NO_FLUSH);
	consumed(c, c->gzip.avail_in);
	*plain_len = sizeof c->plain - c->gzip.avail_out;
	if (status == Z_MEM_ERROR)
		die("zlib: out of memory");
	if (status == Z_STREAM_END) {
		c->at_end = true;
		c->result->parts++;
		return true;
	}
	if (status == Z_OK || status == Z_BUF_ERROR)
		return true;
	return different(c, c->result->parts > 0 ?
	    "has something behind its end that is not gzip (%s)" :
	    "is not gzip, or damaged (%s)",
	    c->gzip.msg != NULL ? c->gzip.msg : "it wants a dictionary");
}

static void gzip_end(struct checking *c)
{
	inflateEnd(&c->gzip);
}

/* ---- brotli ---------------------------------------------------------------- */

static void brotli_start(struct checking *c)
{
	c->brotli = BrotliDecoderCreateInstance(NULL, NULL, NULL);
	if (c->brotli == NULL)
		die("brotli: out of memory");
}

static bool brotli_step(struct checking *c, size_t *plain_len)
{
	size_t in_left = c->in_len, out_left = sizeof c->plain;
	const uint8_t *in = c->in;
	uint8_t *out = c->plain;
	BrotliDecoderResult result;

	if (c->at_end)
		return different(c, "has something behind its end");
	result = BrotliDecoderDecompressStream(c->brotli, &in_left, &in,
	    &out_left, &out, NULL);
	consumed(c, in_left);
	*plain_len = sizeof c->plain - out_left;
	if (result == BROTLI_DECODER_RESULT_ERROR)
		return different(c, "is not brotli, or damaged (%s)",
		    BrotliDecoderErrorString(BrotliDecoderGetErrorCode(c->brotli)));
	if (result == BROTLI_DECODER_RESULT_SUCCESS) {
		c->at_end = true;
		c->result->parts++;
	}
	return true;
}

static void brotli_end(struct checking *c)
{
	BrotliDecoderDestroyInstance(c->brotli);
}

/* ---- zstd ------------------------------------------------------------------ */

static void zstd_start(struct checking *c)
{
	c->zstd = ZSTD_createDCtx();
	if (c->zstd == NULL)
		die("zstd: out of memory");
	if (ZSTD_isError(ZSTD_DCtx_setParameter(c->zstd, ZSTD_d_windowLogMax,
	    ZSTD_WINDOW_LOG)))
		panic("zstd refuses its parameters");
}

static bool zstd_step(struct checking *c, size_t *plain_len)
{
	ZSTD_inBuffer in = { .src = c->in, .size = c->in_len };
	ZSTD_outBuffer out = { .dst = c->plain, .size = sizeof c->plain };
	const size_t left = ZSTD_decompressStream(c->zstd, &out, &in);

	consumed(c, in.size - in.pos);
	*plain_len = out.pos;
	if (!ZSTD_isError(left)) {
		c->at_end = left == 0;
		c->result->parts += c->at_end;
		return true;
	}
	switch (ZSTD_getErrorCode(left)) {
	case ZSTD_error_memory_allocation:
		die("zstd: out of memory");
	case ZSTD_error_frameParameter_windowTooLarge:
		return different(c, "needs a window of more than 8 MiB, which browsers "
		    "refuse (RFC 9659)");
	case ZSTD_error_dictionary_wrong:
		return different(c, "needs a dictionary");
	default:
		return different(c, c->result->parts > 0 ?
		    "has something behind its end that is not zstd (%s)" :
		    "is not zstd, or damaged (%s)", ZSTD_getErrorName(left));
	}
}

static void zstd_end(struct checking *c)
{
	ZSTD_freeDCtx(c->zstd);
}

/* ---- All ------------------------------------------------------------------- */

static const struct decoder decoders[] = {
	[ROMFS_GZIP] = { gzip_start, gzip_step, gzip_end },
	[ROMFS_BROTLI] = { brotli_start, brotli_step, brotli_end },
	[ROMFS_ZSTD] = { zstd_start, zstd_step, zstd_end },
};

/* More coded bytes, if all before have been taken. */
static bool refill(struct checking *c)
{
	const uint64_t left = c->len - c->off;
	ssize_t got;

	if (c->in_len > 0 || left == 0)
		return true;
	do {
		got = pread(c->fd, c->coded, left < CHUNK_LEN ? (size_t)left : CHUNK_LEN,
		    (off_t)c->off);
	} while (got < 0 && errno == EINTR);
	if (got == 0)
		errno = ESTALE;          /* shorter than it was */
	if (got <= 0)
		return false;
	c->in = c->coded;
	c->in_len = (size_t)got;
	c->off += (uint64_t)got;
	return true;
}

/* What came out is what the source has next. */
static enum check_status compare(struct checking *c, size_t len, struct source *source)
{
	const uint64_t at = source->done;
	size_t got;

	if (!source_read(source, c->wanted, len, &got))
		return CHECK_BAD_SOURCE;
	for (size_t i = 0; i < got; i++) {
		if (c->plain[i] == c->wanted[i])
			continue;
		different(c, "decodes to something else than its file, from byte %llu on",
		    (unsigned long long)(at + i));
		return CHECK_DIFFERENT;
	}
	if (got == len)
		return CHECK_SAME;
	different(c, "decodes to more than its file's %llu bytes",
	    (unsigned long long)source->file->len);
	return CHECK_DIFFERENT;
}

static enum check_status check_all(struct checking *c, const struct decoder *decoder,
    struct source *source)
{
	enum check_status status;
	size_t plain_len;

	do {
		if (!refill(c))
			return CHECK_BAD_CODED;
		if (c->in_len == 0 && c->at_end)
			break;
		if (!decoder->step(c, &plain_len))
			return CHECK_DIFFERENT;
		status = compare(c, plain_len, source);
		if (status != CHECK_SAME)
			return status;
		if (plain_len == 0 && !c->at_end && c->off == c->len && c->in_len == 0) {
			different(c, "ends too early");
			return CHECK_DIFFERENT;
		}
	} while (true);
	if (source->done == source->file->len)
		return CHECK_SAME;
	different(c, "decodes to only %llu of its file's %llu bytes",
	    (unsigned long long)source->done, (unsigned long long)source->file->len);
	return CHECK_DIFFERENT;
}

enum check_status coding_check(unsigned coding, int fd, uint64_t len,
    struct source *source, struct check *out)
{
	const struct decoder *decoder = &decoders[coding];
	struct checking *c = xmalloc(sizeof *c);
	enum check_status status;

	*out = (struct check){ 0 };
	c->fd = fd;
	c->off = 0;
	c->len = len;
	c->in = c->coded;
	c->in_len = 0;
	c->at_end = false;
	c->result = out;
	decoder->start(c);
	status = check_all(c, decoder, source);
	decoder->end(c);
	free(c);
	return status;
}
