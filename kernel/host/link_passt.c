/*
 * Frames through passt's stream socket: each is preceded by its length, four
 * bytes in network order, as QEMU's "-netdev stream" has it.
 *
 * Towards us, bytes wait in `in` until they make a frame.  From us, what the
 * socket does not take at once of a frame waits in `out`; until it is gone,
 * there is no room.
 */
#include "kernel/host/link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define LEN_LEN 4

static uint8_t in[1u << 18];
static size_t in_start, in_end;
static uint8_t out[LEN_LEN + GATE_FRAME_MAX];
static size_t out_start, out_end;

static bool out_flushed(struct link *link)
{
	while (out_start < out_end) {
		const ssize_t n = write(link->fd, out + out_start,
		    out_end - out_start);

		if (n < 0 && errno == EAGAIN)
			return false;
		if (n < 0)
			host_fail("passt is gone: %s", strerror(errno));
		out_start += (size_t)n;
	}
	return true;
}

static bool passt_send(struct link *link, const struct gate_tx *tx,
    const struct gate_slice *slices)
{
	out_end = out_start < out_end ? out_end : 0;
	if (out_end != 0 && !out_flushed(link))
		return false;
	out_start = 0;
	out_end = LEN_LEN;
	for (size_t i = 0; i < tx->slice_count; i++) {
		const struct gate_slice *s = &slices[tx->first_slice + i];

		memcpy(out + out_end, s->addr, s->len);
		out_end += s->len;
	}
	const uint32_t len_be = __builtin_bswap32((uint32_t)(out_end - LEN_LEN));

	memcpy(out, &len_be, sizeof len_be);
	(void)out_flushed(link);
	return true;
}

/* Read what is there; false when nothing came. */
static bool fill_in(struct link *link)
{
	if (in_start > 0) {
		memmove(in, in + in_start, in_end - in_start);
		in_end -= in_start;
		in_start = 0;
	}
	const ssize_t n = read(link->fd, in + in_end, sizeof in - in_end);

	if (n < 0 && errno == EAGAIN)
		return false;
	if (n <= 0)
		host_fail("passt is gone: %s", n < 0 ? strerror(errno) : "end");
	in_end += (size_t)n;
	return true;
}

static size_t passt_receive(struct link *link, uint8_t *frame, size_t cap,
    uint16_t *csum)
{
	(void)out_flushed(link);
	*csum = GATE_RX_UNCHECKED;
	for (;;) {
		const size_t left = in_end - in_start;
		uint32_t len = 0;

		if (left >= LEN_LEN)
			len = load_be32(in + in_start);
		if (len > sizeof in - LEN_LEN)
			host_fail("passt sent a frame of %u bytes", len);
		if (left < LEN_LEN || left - LEN_LEN < len) {
			if (!fill_in(link))
				return 0;
			continue;
		}
		in_start += LEN_LEN + len;
		if (len < GATE_FRAME_MIN || len > cap)
			continue;
		memcpy(frame, in + in_start - len, len);
		return len;
	}
}

struct link *link_open_passt(const char *socket_path)
{
	static struct link link = {
		.name = "passt",
		.send = passt_send,
		.receive = passt_receive,
	};
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (strlen(socket_path) >= sizeof addr.sun_path)
		host_fail("%s: a socket's path is shorter", socket_path);
	memcpy(addr.sun_path, socket_path, strlen(socket_path));
	link.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (link.fd < 0 ||
	    connect(link.fd, (struct sockaddr *)&addr, sizeof addr) < 0 ||
	    fcntl(link.fd, F_SETFL, O_NONBLOCK) < 0)
		host_fail("%s: %s", socket_path, strerror(errno));
	return &link;
}
