/*
 * Contract: coding_encode.h.
 *
 * One shape for three libraries: a chunk of input goes in, all output that it causes comes
 * out.  Chunks have a fixed length, because where a library is told of the end may
 * show in what it makes.
 */
#include "romfs/mkromfs/coding_encode.h"

#include <stdio.h>
#include <stdlib.h>

#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include "romfs/mkromfs/memory.h"
#include "romfs/romfs.h"

#define CHUNK_LEN (256 * 1024)

struct effort {
	int gzip, brotli, zstd;
};

static const struct effort full_effort = { .gzip = 9, .brotli = 11, .zstd = 19 };
static const struct effort large_effort = { .gzip = 6, .brotli = 9, .zstd = 12 };

/* 32 KiB behind, in a gzip wrapping (zlib.h, deflateInit2). */
#define GZIP_WINDOW_BITS (15 + 16)
#define GZIP_MEMORY 8
#define GZIP_OS_UNKNOWN 255          /* RFC 1952, section 2.3.1 */

struct encoding {
	uint64_t limit, made;
	encode_sink *sink;
	void *to;
	enum encode_status status;
	uint8_t in[CHUNK_LEN];
	uint8_t out[CHUNK_LEN];
	union {
		z_stream gzip;
		BrotliEncoderState *brotli;
		ZSTD_CCtx *zstd;
	};
};

/* The codings, each as three steps. */
struct encoder {
	void (*start)(struct encoding *e, uint64_t len, const struct effort *effort);
	/* Code `len` bytes of e->in; false: e->status says why not. */
	bool (*add)(struct encoding *e, size_t len, bool last);
	void (*end)(struct encoding *e);
};

static const struct effort *effort_for(uint64_t len)
{
	return len > ENCODE_LARGE_LEN ? &large_effort : &full_effort;
}

/* Pass `len` bytes of e->out on. */
static bool pass_on(struct encoding *e, size_t len)
{
	e->made += len;
	if (e->made > e->limit)
		e->status = ENCODE_NOT_WORTH;
	else if (len > 0 && !e->sink(e->to, e->out, len))
		e->status = ENCODE_BAD_SINK;
	return e->status == ENCODE_OK;
}

/* ---- gzip ------------------------------------------------------------------ */

static void gzip_start(struct encoding *e, uint64_t len, const struct effort *effort)
{
	/* zlib reads it later, and writes nothing to it. */
	static gz_header header = { .os = GZIP_OS_UNKNOWN };

	(void)len;
	e->gzip = (z_stream){ 0 };
	if (deflateInit2(&e->gzip, effort->gzip, Z_DEFLATED, GZIP_WINDOW_BITS,
	    GZIP_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK ||
	    deflateSetHeader(&e->gzip, &header) != Z_OK)
		die("zlib: out of memory");
}

static bool gzip_add(struct encoding *e, size_t len, bool last)
{
	int status;

	e->gzip.next_in = e->in;
	e->gzip.avail_in = (uInt)len;
	do {
		e->gzip.next_out = e->out;
		e->gzip.avail_out = sizeof e->out;
		status = deflate(&e->gzip, last ? Z_FINISH : Z_NO_FLUSH);
		ASSERT(status != Z_STREAM_ERROR);
		if (!pass_on(e, sizeof e->out - e->gzip.avail_out))
			return false;
	} while (e->gzip.avail_out == 0 || (last && status != Z_STREAM_END));
	return true;
}

static void gzip_end(struct encoding *e)
{
	deflateEnd(&e->gzip);
}

/* ---- brotli ---------------------------------------------------------------- */

/* The least window that holds the content: a larger one costs memory on both sides. */
static uint32_t brotli_window(uint64_t len)
{
	uint32_t log = BROTLI_MIN_WINDOW_BITS;

	/* RFC 7932, section 9.1: a window has 16 bytes less than its power of two. */
	while (log < BROTLI_MAX_WINDOW_BITS && (UINT64_C(1) << log) - 16 < len)
		log++;
	return log;
}

static void brotli_start(struct encoding *e, uint64_t len, const struct effort *effort)
{
	const uint32_t hint = len < UINT32_MAX ? (uint32_t)len : UINT32_MAX;

	e->brotli = BrotliEncoderCreateInstance(NULL, NULL, NULL);
	if (e->brotli == NULL ||
	    !BrotliEncoderSetParameter(e->brotli, BROTLI_PARAM_QUALITY,
	        (uint32_t)effort->brotli) ||
	    !BrotliEncoderSetParameter(e->brotli, BROTLI_PARAM_LGWIN,
	        brotli_window(len)) ||
	    !BrotliEncoderSetParameter(e->brotli, BROTLI_PARAM_SIZE_HINT, hint))
		die("brotli: out of memory");
}

static bool brotli_add(struct encoding *e, size_t len, bool last)
{
	const uint8_t *in = e->in;

	do {
		uint8_t *out = e->out;
		size_t out_left = sizeof e->out;

		if (!BrotliEncoderCompressStream(e->brotli,
		    last ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_PROCESS,
		    &len, &in, &out_left, &out, NULL))
			die("brotli: out of memory");
		if (!pass_on(e, sizeof e->out - out_left))
			return false;
	} while (len > 0 || BrotliEncoderHasMoreOutput(e->brotli) ||
	    (last && !BrotliEncoderIsFinished(e->brotli)));
	return true;
}

static void brotli_end(struct encoding *e)
{
	BrotliEncoderDestroyInstance(e->brotli);
}

/* ---- zstd ------------------------------------------------------------------ */

static void zstd_start(struct encoding *e, uint64_t len, const struct effort *effort)
{
	e->zstd = ZSTD_createCCtx();
	if (e->zstd == NULL)
		die("zstd: out of memory");
	/* For less content than the window zstd makes it smaller by itself. */
	if (ZSTD_isError(ZSTD_CCtx_setParameter(e->zstd, ZSTD_c_compressionLevel,
	        effort->zstd)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(e->zstd, ZSTD_c_windowLog,
	        ZSTD_WINDOW_LOG)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(e->zstd, ZSTD_c_checksumFlag, 0)) ||
	    ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(e->zstd, len)))
		panic("zstd refuses its parameters");
}

static bool zstd_add(struct encoding *e, size_t len, bool last)
{
	ZSTD_inBuffer in = { .src = e->in, .size = len };
	size_t left;

	do {
		ZSTD_outBuffer out = { .dst = e->out, .size = sizeof e->out };

		left = ZSTD_compressStream2(e->zstd, &out, &in,
		    last ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			die(ZSTD_getErrorName(left));
		if (!pass_on(e, out.pos))
			return false;
	} while (in.pos < in.size || (last && left > 0));
	return true;
}

static void zstd_end(struct encoding *e)
{
	ZSTD_freeCCtx(e->zstd);
}

/* ---- All ------------------------------------------------------------------- */

static const struct encoder encoders[] = {
	[ROMFS_GZIP] = { gzip_start, gzip_add, gzip_end },
	[ROMFS_BROTLI] = { brotli_start, brotli_add, brotli_end },
	[ROMFS_ZSTD] = { zstd_start, zstd_add, zstd_end },
};

/* From the source's next byte to its last, or until e->status is not ENCODE_OK. */
static void encode_all(struct encoding *e, const struct encoder *encoder,
    struct source *source)
{
	size_t len;

	do {
		if (!source_read(source, e->in, sizeof e->in, &len)) {
			e->status = ENCODE_BAD_SOURCE;
			return;
		}
		if (!encoder->add(e, len, source->done == source->file->len))
			return;
	} while (source->done < source->file->len);
}

enum encode_status coding_encode(unsigned coding, struct source *source,
    uint64_t limit, encode_sink *sink, void *to)
{
	const struct encoder *encoder = &encoders[coding];
	struct encoding *e = xmalloc(sizeof *e);
	enum encode_status status;

	e->limit = limit;
	e->made = 0;
	e->sink = sink;
	e->to = to;
	e->status = ENCODE_OK;
	encoder->start(e, source->file->len, effort_for(source->file->len));
	encode_all(e, encoder, source);
	encoder->end(e);
	status = e->status;
	free(e);
	return status;
}

void coding_parameters(unsigned coding, char out[CODING_PARAMETERS_CAP])
{
	switch (coding) {
	case ROMFS_GZIP:
		snprintf(out, CODING_PARAMETERS_CAP, "gzip zlib %s level %d %d memory %d "
		    "large %u chunk %d", zlibVersion(), full_effort.gzip,
		    large_effort.gzip, GZIP_MEMORY, ENCODE_LARGE_LEN, CHUNK_LEN);
		return;
	case ROMFS_BROTLI:
		snprintf(out, CODING_PARAMETERS_CAP, "br brotli %x quality %d %d window %d "
		    "large %u chunk %d", BrotliEncoderVersion(), full_effort.brotli,
		    large_effort.brotli, BROTLI_MAX_WINDOW_BITS, ENCODE_LARGE_LEN,
		    CHUNK_LEN);
		return;
	default:
		snprintf(out, CODING_PARAMETERS_CAP, "zstd zstd %s level %d %d window %d "
		    "large %u chunk %d", ZSTD_versionString(), full_effort.zstd,
		    large_effort.zstd, ZSTD_WINDOW_LOG, ENCODE_LARGE_LEN, CHUNK_LEN);
	}
}
