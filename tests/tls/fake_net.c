/*
 * The network in memory: tests/tls/fake_net.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/tls/fake_net.h"

/* A record buffer; it goes when its owner and all that is queued of it have gone. */
struct fake_record {
	struct fake_record *next;
	uint8_t *bytes;
	size_t len;
	size_t users;
	bool is_owned, is_small;
};

struct fake_net fake;

static struct fake_record *records;

static void check_at(bool good, const char *what, int line)
{
	if (!good) {
		fprintf(stderr, "fake net, line %d: %s\n", line, what);
		abort();
	}
}
#define check(x) check_at((x), #x, __LINE__)

static bool pool_use(struct fake_pool *pool)
{
	if (pool->used == pool->cap)
		return false;
	pool->used++;
	return true;
}

static void pool_free(struct fake_pool *pool)
{
	check(pool->used > 0);
	pool->used--;
}

static void *fill(size_t len)
{
	uint8_t *const p = malloc(len);

	check(p != NULL);
	memset(p, 0xA5, len);
	return p;
}

void fake_net_start(size_t session_len, size_t handshake_len)
{
	check(records == NULL);
	fake = (struct fake_net){
		.now_ms = 100000,
		.segment_len = 1460,
		.static_max = SIZE_MAX,
		.session_len = session_len,
		.handshake_len = handshake_len,
		.sessions = { .cap = 64 },
		.handshakes = { .cap = 64 },
		.holds = { .cap = 64 },
		.small = { .cap = 64 },
		.large = { .cap = 64 },
		.peer = { .addr = { 192, 0, 2, 1 } },
	};
}

bool fake_is_idle(void)
{
	return fake.sessions.used == 0 && fake.handshakes.used == 0 &&
	    fake.holds.used == 0 && fake.small.used == 0 &&
	    fake.large.used == 0 && records == NULL;
}

/* ---- Objects --------------------------------------------------------------- */

void *net_session_take(void)
{
	return pool_use(&fake.sessions) ? fill(fake.session_len) : NULL;
}

void net_session_give(void *session)
{
	pool_free(&fake.sessions);
	free(session);
}

void *net_handshake_take(void)
{
	return pool_use(&fake.handshakes) ? fill(fake.handshake_len) : NULL;
}

void net_handshake_give(void *handshake)
{
	pool_free(&fake.handshakes);
	free(handshake);
}

uint8_t *net_hold_take(struct net_conn *c)
{
	check(c->hold == NULL && !c->dead);
	if (pool_use(&fake.holds))
		c->hold = fill(LIMIT_HOLD_LEN);
	return c->hold;
}

void net_hold_give(struct net_conn *c)
{
	if (c->hold == NULL)
		return;
	pool_free(&fake.holds);
	free(c->hold);
	c->hold = NULL;
}

/* ---- Records --------------------------------------------------------------- */

static struct fake_record *find_record(const uint8_t *at)
{
	struct fake_record *r = records;

	while (r != NULL && !(at >= r->bytes && at < r->bytes + r->len))
		r = r->next;
	return r;
}

static void drop_record(struct fake_record *record)
{
	struct fake_record **at = &records;

	check(record->users > 0);
	if (--record->users > 0)
		return;
	while (*at != record)
		at = &(*at)->next;
	*at = record->next;
	pool_free(record->is_small ? &fake.small : &fake.large);
	free(record->bytes);
	free(record);
}

uint8_t *net_record_take(struct net_conn *c, size_t len)
{
	const bool is_small = len <= LIMIT_RECORD_SMALL_LEN;
	struct fake_record *record;

	check(!c->dead && len > 0 && len < LIMIT_RECORD_LEN);
	if (!pool_use(is_small ? &fake.small : &fake.large)) {
		c->wants_room = true;
		return NULL;
	}
	record = fill(sizeof *record);
	*record = (struct fake_record){
		.next = records,
		.len = is_small ? LIMIT_RECORD_SMALL_LEN : LIMIT_RECORD_LEN,
		.users = 1, .is_owned = true, .is_small = is_small,
	};
	record->bytes = fill(record->len);
	records = record;
	return record->bytes;
}

void net_record_release(uint8_t *at)
{
	struct fake_record *const record = find_record(at);

	check(record != NULL && record->is_owned);
	record->is_owned = false;
	drop_record(record);
}

/* What was queued by reference is as it was, and can go. */
static void release_queued(struct net_conn *c)
{
	for (size_t i = 0; i < c->queued_count; i++) {
		const struct fake_queued *q = &c->queued[i];

		check(memcmp(q->at, c->out + q->out_off, q->len) == 0);
		drop_record(q->record);
	}
	c->queued_count = 0;
}

/* ---- Sending --------------------------------------------------------------- */

static void append(struct net_conn *c, const void *data, size_t len)
{
	check(len <= FAKE_OUT_CAP - c->out_len && len <= c->room);
	if (len > 0)
		memcpy(c->out + c->out_len, data, len);
	c->out_len += len;
	c->room -= len;
}

bool net_send_copy(struct net_conn *c, const void *data, size_t len)
{
	check(!c->dead && !c->closing && len > 0 && len <= 512);
	if (len > c->room) {
		c->wants_room = true;
		return false;
	}
	append(c, data, len);
	return true;
}

size_t net_send_static(struct net_conn *c, const void *data, size_t len)
{
	const size_t room = c->room < fake.static_max ? c->room : fake.static_max;
	const size_t n = len < room ? len : room;
	struct fake_record *const record = find_record(data);

	check(!c->dead && !c->closing);
	if (record == NULL && fake.is_plain) {
		append(c, data, n);
		c->wants_room |= n < len;
		return n;
	}
	/* A private stream sends nothing but records; the last byte is never sent. */
	check(record != NULL && record->is_owned);
	check((const uint8_t *)data + len < record->bytes + record->len);
	if (n > 0) {
		check(c->queued_count < FAKE_QUEUED_CAP);
		c->queued[c->queued_count++] = (struct fake_queued){
			record, data, c->out_len, n
		};
		record->users++;
	}
	append(c, data, n);
	if (n < len)
		c->wants_room = true;
	return n;
}

size_t net_send_room(struct net_conn *c)
{
	check(!c->dead && !c->closing);
	if (c->room == 0)
		c->wants_room = true;
	return c->room < fake.segment_len ? c->room :
	    c->room / fake.segment_len * fake.segment_len;
}

size_t net_segment_len(const struct net_conn *c)
{
	check(!c->dead);
	return fake.segment_len;
}

/* ---- Life ------------------------------------------------------------------ */

static void finish(struct net_conn *c)
{
	check(!c->dead);
	c->dead = true;
	c->app->closed(c->state);
	/* By the contract it is gone now. */
	memset(c->state, 0xDD, sizeof c->state);
	free(c->offered);
	c->offered = NULL;
	net_hold_give(c);
	release_queued(c);
}

void net_abort(struct net_conn *c)
{
	if (c->dead)
		return;
	c->was_reset = true;
	finish(c);
}

void net_close(struct net_conn *c)
{
	check(!c->dead && !c->closing);
	c->closing = true;
	c->held_len = 0;
	free(c->offered);
	c->offered = NULL;
}

void net_set_wait(struct net_conn *c, enum net_wait wait)
{
	check(!c->dead && !c->closing);
	c->wait = wait;
	c->wait_since = fake.now_ms;
}

void net_resume(struct net_conn *c)
{
	check(!c->dead);
	c->resume = true;
}

/* Unless the engine's tests, which have a clock of their own, are there, too. */
__attribute__((weak)) uint64_t net_now_ms(void)
{
	return fake.now_ms;
}

const struct net_peer *net_peer(const struct net_conn *c)
{
	return &c->peer;
}

void net_set_peer(struct net_conn *c, const struct net_peer *peer)
{
	check(!c->dead && c->busy);
	c->peer = *peer;
}

void net_set_app(struct net_conn *c, const struct net_app *app)
{
	check(!c->dead);
	c->app = app;
}

static size_t offer(struct net_conn *c, size_t fresh)
{
	size_t used;

	/* A copy that ends where its allocation ends. */
	c->offered = fill(c->held_len + (c->held_len == 0));
	memcpy(c->offered, c->held, c->held_len);
	c->received_calls++;
	used = c->app->received(c->state, c, c->offered, c->held_len, fresh);
	free(c->offered);
	c->offered = NULL;
	if (c->dead || c->closing)
		return 0;
	check(used <= c->held_len);
	c->held_len -= used;
	memmove(c->held, c->held + used, c->held_len);
	return used;
}

static void enter(struct net_conn *c)
{
	check(!c->busy);
	c->busy = true;
}

static void leave(struct net_conn *c)
{
	for (size_t calls = 0; c->resume; calls++) {
		check(calls < 2 * LIMIT_HOLD_LEN);
		c->resume = false;
		if (c->dead || c->closing ||
		    (c->held_len == 0 && c->hold == NULL))
			break;
		if (offer(c, c->held_len) == 0 && c->hold == NULL)
			break;
	}
	c->busy = false;
}

bool net_listen(uint16_t port, const struct net_app *app)
{
	(void)port;
	if (app->app_len > LIMIT_CONN_APP_LEN)
		return false;
	fake.listening = app;
	return true;
}

struct net_conn *fake_open(void)
{
	struct net_conn *const c = calloc(1, sizeof *c);

	check(c != NULL && fake.listening != NULL);
	c->app = fake.listening;
	c->peer = fake.peer;
	c->room = SIZE_MAX / 2;
	c->out = malloc(FAKE_OUT_CAP);
	check(c->out != NULL);
	net_set_wait(c, NET_WAIT_IDLE);
	check(c->app->opened(c->state, c));
	return c;
}

void fake_free(struct net_conn *c)
{
	if (!c->dead)
		finish(c);
	free(c->out);
	free(c);
}

size_t fake_window(const struct net_conn *c)
{
	return sizeof c->held - c->held_len;
}

void fake_receive(struct net_conn *c, const void *data, size_t len)
{
	const size_t fresh = c->held_len;

	if (c->dead || c->closing || len == 0)
		return;
	check(len <= fake_window(c));
	memcpy(c->held + c->held_len, data, len);
	c->held_len += len;
	enter(c);
	offer(c, fresh);
	leave(c);
}

void fake_acknowledge(struct net_conn *c, size_t room)
{
	if (c->dead)
		return;
	release_queued(c);
	c->room = room;
	if (!c->wants_room || c->closing)
		return;
	c->wants_room = false;
	enter(c);
	c->app->writable(c->state, c);
	leave(c);
}

void fake_peer_closes(struct net_conn *c)
{
	if (c->dead || c->closing)
		return;
	enter(c);
	c->app->peer_closed(c->state, c);
	leave(c);
}

void fake_expire(struct net_conn *c)
{
	if (c->dead)
		return;
	if (c->closing) {
		net_abort(c);
		return;
	}
	enter(c);
	c->app->expired(c->state, c, c->wait);
	if (!c->closing && !c->dead)
		net_abort(c);
	leave(c);
}
