/* The encoders: a file of the site into one coding, as a stream. */
#pragma once

#include "config/base.h"
#include "romfs/mkromfs/coding_source.h"

/*
 * Files of more bytes get less effort: at full effort a GiB of text would take brotli
 * alone an hour.
 */
#define ENCODE_LARGE_LEN (32u << 20)

/* The window that every zstd decoder of the web has: 8 MiB (RFC 9659, section 3). */
#define ZSTD_WINDOW_LOG 23

/* Takes the output; false and errno if it cannot. */
typedef bool encode_sink(void *to, const uint8_t *data, size_t len);

enum encode_status {
	ENCODE_OK,               /* the whole source was read */
	ENCODE_NOT_WORTH,        /* more than `limit` bytes would come out; given up on the way */
	ENCODE_BAD_SOURCE,       /* source_read() said errno */
	ENCODE_BAD_SINK,         /* the sink said errno */
};

/*
 * Code an opened source.  What comes out depends on its bytes and on coding_parameters()
 * alone.  Up to 200 MiB of memory, far less for small files.  Memory that cannot be had
 * ends in die().
 *
 * gzip   one member without name and time (RFC 1952)
 * br     no large window (RFC 7932)
 * zstd   one frame with its content's length, without checksum (RFC 8878)
 */
MUST_USE enum encode_status coding_encode(unsigned coding, struct source *source,
    uint64_t limit, encode_sink *sink, void *to);

#define CODING_PARAMETERS_CAP 128

/* All that besides the content decides what coding_encode() makes: as text. */
void coding_parameters(unsigned coding, char out[CODING_PARAMETERS_CAP]);
