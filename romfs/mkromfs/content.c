/* Contract: content.h. */
#include "romfs/mkromfs/content.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "romfs/mkromfs/output.h"
#include "romfs/mkromfs/report.h"

/* len bytes; otherwise false, and errno says why: ESTALE if there are not so many. */
static bool copy(int fd, uint64_t len, const struct content_sink *sink)
{
	uint64_t done = 0;

	while (done < len) {
		const size_t want = len - done < CONTENT_CHUNK_LEN ?
		    (size_t)(len - done) : CONTENT_CHUNK_LEN;
		const ssize_t got = read(fd, sink->chunk, want);

		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0)
			errno = ESTALE;
		if (got <= 0)
			return false;
		sha256_add(sink->sha, sink->chunk, (size_t)got);
		if (sink->scan != NULL)
			media_scan_add(sink->scan, sink->chunk, (size_t)got);
		output_write(sink->off + done, sink->chunk, (size_t)got);
		done += (uint64_t)got;
	}
	return true;
}

static void report(const char *path)
{
	report_error(path, "%s", errno == ESTALE ?
	    "changed while it was read" : strerror(errno));
}

bool content_copy(const struct site *site, const struct site_file *file,
    const struct content_sink *sink)
{
	const int fd = site_open(site, file->path, O_RDONLY | O_NONBLOCK);
	/* One that grew meanwhile has another length. */
	const bool ok = fd >= 0 && site_is_unchanged(fd, file) &&
	    copy(fd, file->len, sink) && site_is_unchanged(fd, file);
	char *full;

	if (!ok) {
		full = site_full_path(site, file->path);
		report(full);
		free(full);
	}
	if (fd >= 0)
		close(fd);
	return ok;
}

bool content_copy_own(const char *path, uint64_t len, const struct content_sink *sink)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	const bool ok = fd >= 0 && copy(fd, len, sink);

	if (!ok)
		report(path);
	if (fd >= 0)
		close(fd);
	return ok;
}
