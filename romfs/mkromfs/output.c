/* Contract: output.h. */
#include "romfs/mkromfs/output.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "romfs/mkromfs/memory.h"

static const char *final_path;
static char *temporary;
static volatile sig_atomic_t pending;  /* `temporary` names a file of ours */
static int fd;

static void fail(const char *what)
{
	char text[512];

	snprintf(text, sizeof text, "cannot %s %s: %s", what, final_path,
	    strerror(errno));
	die(text);
}

static void on_signal(int number)
{
	if (pending)
		unlink(temporary);
	raise(number);           /* SA_RESETHAND: this time it kills */
}

void output_drop(void)
{
	if (!pending)
		return;
	pending = 0;
	unlink(temporary);
}

static void catch_signals(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGABRT };
	struct sigaction action = {
		.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND,
	};

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		sigaction(numbers[i], &action, NULL);
}

void output_start(const char *path)
{
	static const char suffix[] = ".new.XXXXXX";
	const mode_t mask = umask(0);
	sigset_t all, before;

	umask(mask);
	final_path = path;
	temporary = xmalloc(strlen(path) + sizeof suffix);
	strcpy(temporary, path);
	strcat(temporary, suffix);

	/* No signal between the file and the note that it is ours. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	fd = mkstemp(temporary);
	pending = fd >= 0;
	catch_signals();
	signal(SIGXFSZ, SIG_IGN);  /* a file too large is an error like a full disk */
	atexit(output_drop);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (fd < 0 || fchmod(fd, 0666 & ~mask) != 0)
		fail("write");
}

void output_write(uint64_t off, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	while (len > 0) {
		const ssize_t done = pwrite(fd, bytes, len, (off_t)off);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			fail("write");
		bytes += done;
		off += (uint64_t)done;
		len -= (size_t)done;
	}
}

const void *output_map(uint64_t len)
{
	void *bytes;

	if (ftruncate(fd, (off_t)len) != 0)
		fail("write");
	bytes = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
	if (bytes == MAP_FAILED)
		fail("read back");
	return bytes;
}

void output_finish(void)
{
	if (close(fd) != 0)
		fail("write");
	if (rename(temporary, final_path) != 0)
		fail("name");
	pending = 0;
}
