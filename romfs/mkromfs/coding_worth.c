/* Contract: coding_worth.h. */
#include "romfs/mkromfs/coding_worth.h"

#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "romfs/mkromfs/memory.h"

/* Fast, and it sees what entropy coding alone would save, too. */
#define PROBE_LEVEL 1
#define PROBE_SAVED_PART 64

uint64_t coding_limit(uint64_t len)
{
	const uint64_t part = len / CODING_SAVED_PART + (len % CODING_SAVED_PART != 0);
	const uint64_t saved = part > CODING_SAVED_LEN ? part : CODING_SAVED_LEN;

	return len > saved ? len - saved : 0;
}

/*
 * Types that the table of Debian's media-types or its predecessors has.  What is missing
 * costs a probe, no more; so what may hold plain data (TIFF, WAVE, PDF, EPS) is left out.
 */
static const char *const compressed_types[] = {
	"application/epub+zip", "application/font-woff", "application/gzip",
	"application/java-archive", "application/ogg", "application/vnd.comicbook+zip",
	"application/vnd.comicbook-rar", "application/vnd.debian.binary-package",
	"application/vnd.ms-cab-compressed", "application/vnd.rar",
	"application/x-7z-compressed", "application/x-bzip2", "application/x-gtar-compressed",
	"application/x-gzip", "application/x-rar-compressed", "application/x-xz",
	"application/zip", "application/zstd",
	"audio/aac", "audio/flac", "audio/mp4", "audio/mpeg", "audio/ogg", "audio/opus",
	"audio/webm",
	"font/woff", "font/woff2",
	"image/avif", "image/gif", "image/heic", "image/heif", "image/jpeg", "image/jxl",
	"image/png", "image/webp",
	"video/mp4", "video/mpeg", "video/ogg", "video/quicktime", "video/webm",
	"video/x-matroska",
};

/* Office documents: ZIP files, all of them. */
static const char *const compressed_families[] = {
	"application/vnd.oasis.opendocument.",
	"application/vnd.openxmlformats-officedocument.",
};

bool coding_type_is_compressed(const char *type)
{
	for (size_t i = 0; i < ARRAY_LEN(compressed_types); i++)
		if (strcmp(type, compressed_types[i]) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_LEN(compressed_families); i++)
		if (strncmp(type, compressed_families[i],
		    strlen(compressed_families[i])) == 0)
			return true;
	return false;
}

void probe_start(struct probe *probe, uint64_t content_len)
{
	probe->chunk_count = content_len / PROBE_CHUNK_LEN +
	    (content_len % PROBE_CHUNK_LEN != 0);
	probe->next = 0;
	probe->len = 0;
}

/* PROBE_CHUNKS of them, or all if there are no more. */
static bool is_sampled(const struct probe *probe)
{
	const uint64_t i = probe->next, count = probe->chunk_count;

	return count <= PROBE_CHUNKS || i == 0 ||
	    i * PROBE_CHUNKS / count != (i - 1) * PROBE_CHUNKS / count;
}

void probe_add(struct probe *probe, const uint8_t *chunk, size_t len)
{
	ASSERT(probe->next < probe->chunk_count);
	if (is_sampled(probe)) {
		ASSERT(len <= sizeof probe->sample - probe->len);
		memcpy(probe->sample + probe->len, chunk, len);
		probe->len += len;
	}
	probe->next++;
}

bool probe_is_worth(const struct probe *probe)
{
	const size_t cap = ZSTD_compressBound(probe->len);
	uint8_t *out = xmalloc(cap);
	const size_t len = ZSTD_compress(out, cap, probe->sample, probe->len, PROBE_LEVEL);

	free(out);
	if (ZSTD_isError(len))
		die(ZSTD_getErrorName(len));
	return len + probe->len / PROBE_SAVED_PART <= probe->len;
}
