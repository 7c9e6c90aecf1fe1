/*
 * The network in memory: tests/http/fake_net.h.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/http/fake_net.h"

struct fake_net fake;

static const struct net_app *app;     /* of the connection, */
static const struct net_app *listener;    /* and of the last net_listen() */
static bool resume;
static bool owed;                 /* a send found too little room */
static uint8_t *offered;          /* gone after the call, and after net_close() */
static _Alignas(16) uint8_t state[LIMIT_CONN_APP_LEN];

/* net.h never looks inside, so anything will do. */
static struct net_conn *conn(void)
{
	return (struct net_conn *)(void *)&fake;
}

static void check(bool good)
{
	if (!good)
		abort();
}

void fake_open(const struct stream_app *with, bool is_private)
{
	check(is_private ? stream_listen_private(443, with) :
	    stream_listen_plain(80, with));
	memset(&fake, 0, sizeof fake);
	memset(state, 0, sizeof state);
	fake.room = SIZE_MAX;
	fake.unix_time = 1790000000;
	app = listener;
	resume = false;
	owed = false;
	check(app->app_len <= sizeof state && app->opened(state, conn()));
}

/* Offer what is held, of which the last fresh_len bytes are new. */
static size_t offer(size_t fresh_len)
{
	/* A copy that ends where its allocation ends. */
	offered = malloc(fake.held_len);
	check(offered != NULL);
	memcpy(offered, fake.held, fake.held_len);
	fake.received_calls++;
	const size_t used = app->received(state, conn(), offered,
	    fake.held_len, fake.held_len - fresh_len);
	free(offered);
	offered = NULL;
	check(used <= fake.held_len);
	fake.held_len -= used;
	memmove(fake.held, fake.held + used, fake.held_len);
	return used;
}

static void after_call(void)
{
	while (resume && !fake.closing) {
		resume = false;
		if (fake.held_len == 0 || offer(0) == 0)
			break;
	}
}

void fake_receive(const void *data, size_t len)
{
	if (fake.closing || fake.reset)
		return;
	check(len <= sizeof fake.held - fake.held_len);
	memcpy(fake.held + fake.held_len, data, len);
	fake.held_len += len;
	offer(len);
	after_call();
}

void fake_acknowledge(size_t room)
{
	fake.room = room;
	if (!owed || fake.closing || fake.reset)
		return;
	owed = false;
	app->writable(state, conn());
	after_call();
}

void fake_peer_closes(void)
{
	if (fake.closing || fake.reset)
		return;
	app->peer_closed(state, conn());
	after_call();
}

void fake_expire(void)
{
	app->expired(state, conn(), fake.wait);
	if (!fake.closing)
		fake.reset = true;
	app->closed(state);
}

/* ---- net.h -------------------------------------------------------------------- */

bool net_listen(uint16_t port, const struct net_app *with)
{
	check(port != 0);
	listener = with;
	return true;
}

void net_set_wait(struct net_conn *c, enum net_wait wait)
{
	check(c == conn() && !fake.closing);
	fake.wait = wait;
	fake.wait_set++;
}

static void append(const void *data, size_t len)
{
	check(!fake.closing && len <= sizeof fake.out - fake.out_len);
	if (len == 0)
		return;
	memcpy(fake.out + fake.out_len, data, len);
	fake.out_len += len;
	fake.room -= len;
}

bool net_send_copy(struct net_conn *c, const void *data, size_t len)
{
	check(c == conn() && len > 0 && len <= 512);
	if (len > fake.room) {
		owed = true;
		return false;
	}
	append(data, len);
	return true;
}

size_t net_send_static(struct net_conn *c, const void *data, size_t len)
{
	const size_t n = len < fake.room ? len : fake.room;

	check(c == conn());
	append(data, n);
	owed |= n < len;
	return n;
}

void net_resume(struct net_conn *c)
{
	check(c == conn());
	resume = true;
}

void net_close(struct net_conn *c)
{
	check(c == conn() && !fake.closing);
	fake.closing = true;
	free(offered);
	offered = NULL;
}

void net_abort(struct net_conn *c)
{
	(void)c;
	check(false);      /* HTTP closes; it is net that resets */
}

const struct net_peer *net_peer(const struct net_conn *c)
{
	static const struct net_peer peer = { .addr = { 192, 0, 2, 1 } };

	(void)c;
	return &peer;
}

uint64_t net_unix_time(void)
{
	return fake.unix_time;
}

void net_log(const char *text, size_t len)
{
	check(len <= sizeof fake.log - fake.log_len);
	memcpy(fake.log + fake.log_len, text, len);
	fake.log_len += len;
}
