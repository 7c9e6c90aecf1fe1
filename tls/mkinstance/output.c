/* Contract: output.h. */
#include "tls/mkinstance/output.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tls/mkinstance/report.h"

static char *temporary;
static volatile sig_atomic_t pending;  /* `temporary` names a file of ours */

static void on_signal(int number)
{
	if (pending)
		unlink(temporary);
	raise(number);           /* SA_RESETHAND: this time it kills */
}

static void drop(void)
{
	if (!pending)
		return;
	pending = 0;
	unlink(temporary);
}

static void catch_signals(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGABRT };
	static bool done;
	struct sigaction action = {
		.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND,
	};

	if (done)
		return;
	done = true;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		sigaction(numbers[i], &action, NULL);
	signal(SIGXFSZ, SIG_IGN);  /* a file too large is an error like a full disk */
	atexit(drop);
}

/* A new file beside `path`, readable by its owner only; -1 on errors. */
static int start(const char *path)
{
	static const char suffix[] = ".new.XXXXXX";
	sigset_t all, before;
	int fd;

	free(temporary);
	temporary = xmalloc(strlen(path) + sizeof suffix);
	strcpy(temporary, path);
	strcat(temporary, suffix);

	/* No signal between the file and the note that it is ours. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	fd = mkstemp(temporary);
	pending = fd >= 0;
	catch_signals();
	sigprocmask(SIG_SETMASK, &before, NULL);
	return fd;
}

static bool write_all(int fd, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		const ssize_t done = write(fd, bytes, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		bytes += done;
		len -= (size_t)done;
	}
	return true;
}

bool output_write(const char *path, const void *data, size_t len, mode_t mode)
{
	const int fd = start(path);
	bool good = fd >= 0 && fchmod(fd, mode) == 0 && write_all(fd, data, len);
	int reason = errno;

	if (fd >= 0 && close(fd) != 0 && good) {
		reason = errno;
		good = false;
	}
	if (good && rename(temporary, path) != 0) {
		reason = errno;
		good = false;
	}
	if (!good) {
		report_error(path, "cannot be written: %s", strerror(reason));
		drop();
	}
	pending = 0;
	return good;
}
