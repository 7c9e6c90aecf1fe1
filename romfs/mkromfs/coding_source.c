/* Contract: coding_source.h. */
#include "romfs/mkromfs/coding_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "romfs/mkromfs/memory.h"

#define CHUNK_LEN (64 * 1024)

bool source_open(struct source *source, const struct site *site, size_t file)
{
	*source = (struct source){ .file = &site->files[file] };
	/* O_NONBLOCK: should it have become a pipe, we do not wait for its other end. */
	source->fd = site_open(site, source->file->path, O_RDONLY | O_NONBLOCK);
	if (source->fd < 0)
		return false;
	if (!site_is_unchanged(source->fd, source->file)) {
		source_close(source);
		return false;
	}
	sha256_start(&source->sha);
	return true;
}

bool source_read(struct source *source, uint8_t *out, size_t cap, size_t *got)
{
	*got = 0;
	while (*got < cap) {
		const ssize_t n = read(source->fd, out + *got, cap - *got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		if (n == 0)
			break;
		*got += (size_t)n;
	}
	source->done += *got;
	sha256_add(&source->sha, out, *got);
	/* Of all lengths only the one that the walk saw. */
	if (source->done > source->file->len ||
	    (*got < cap && source->done < source->file->len)) {
		errno = ESTALE;
		return false;
	}
	return true;
}

bool source_finish(struct source *source, uint8_t digest[SHA256_LEN])
{
	uint8_t *chunk = xmalloc(CHUNK_LEN);
	size_t got;
	bool ok;

	do {
		ok = source_read(source, chunk, CHUNK_LEN, &got);
	} while (ok && got > 0);
	free(chunk);
	if (!ok || !site_is_unchanged(source->fd, source->file))
		return false;
	sha256_end(&source->sha, digest);
	return true;
}

void source_close(struct source *source)
{
	const int saved = errno;

	close(source->fd);
	errno = saved;
}
