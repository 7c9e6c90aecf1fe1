/*
 * What the client sends: records are cut out, opened, and what is in them is offered
 * to the app; see private_int.h.
 *
 * A record is looked at when it is whole, and when what it may make us say can be
 * said; until then it stays with net.  It is opened in one static buffer that is
 * empty between two calls.  Plaintext that the app does not take is kept in net's
 * hold buffer for the connection.
 */
#include "tls/private_int.h"

#include "config/limits.h"

#define ALERT_WARNING 1
#define CLIENT_HELLO 1
#define VERSION_TLS12 0x0303

/*
 * The app takes something of so many bytes, or is busy and will ask for them: a
 * request head that is longer is refused.  Below that, one more record fits.
 */
#define KEPT_MAX (LIMIT_REQUEST_HEAD_LEN - 1)

_Static_assert(KEPT_MAX + TLS_PLAIN_MAX <= LIMIT_HOLD_LEN,
    "what is kept and one record more fit into the hold buffer");
_Static_assert(TLS_HEADER_LEN + TLS_PAYLOAD_MAX <= LIMIT_HOLD_LEN,
    "net holds a record until it is whole");

/* For who types http:// and the port of https://. */
static const char plain_answer[] =
    "HTTP/1.1 400 Bad Request\r\n"
    "Content-Type: text/plain\r\n"
    "Connection: close\r\n"
    "\r\n"
    "This port speaks HTTPS: the address begins with https://\n";

/* The record that is being opened. */
static _Alignas(16) uint8_t scratch[TLS_OPEN_HEAD_ROOM + TLS_PAYLOAD_MAX +
    TLS_OPEN_TAIL_ROOM];

/* ---- The app's side -------------------------------------------------------- */

/* Offer what is kept, of which the bytes from fresh on are new. */
static void offer_kept(struct stream *s, size_t fresh)
{
	struct tls_session *const t = s->tls;
	const size_t used = private_app->received(app_of(s), s,
	    t->kept, t->kept_len, fresh);

	if (!is_alive(s))
		return;
	ASSERT(used <= t->kept_len);
	if (used == 0) {
		/* Once more would lead nowhere, either. */
		t->resume = false;
		return;
	}
	t->kept_len -= (uint32_t)used;
	if (t->kept_len > 0) {
		__builtin_memmove(t->kept, t->kept + used, t->kept_len);
	} else {
		net_hold_give(s->net);
		t->kept = NULL;
	}
}

/* Offer plaintext of a record behind what is kept. */
static void offer(struct stream *s, const uint8_t *plain, size_t len)
{
	struct tls_session *const t = s->tls;
	const size_t before = t->kept_len;
	size_t used = 0;

	if (before == 0) {
		used = private_app->received(app_of(s), s, plain, len, 0);
		if (!is_alive(s))
			return;
		ASSERT(used <= len);
		if (used == len)
			return;
		t->kept = net_hold_take(s->net);
		if (t->kept == NULL) {
			net_abort(s->net);
			return;
		}
	}
	__builtin_memcpy(t->kept + before, plain + used, len - used);
	t->kept_len += (uint32_t)(len - used);
	if (before > 0)
		offer_kept(s, before);
}

/* ---- Opened records -------------------------------------------------------- */

/*
 * A record that brings nothing is legal, and costs us as much as one that does: so
 * many in a row, and no more.
 */
static void count_quiet(struct stream *s)
{
	if (++s->tls->quiet > LIMIT_QUIET_RECORDS)
		private_fail(s, TLS_UNEXPECTED_MESSAGE);
}

static void take_data(struct stream *s, const uint8_t *plain, size_t len)
{
	if (len == 0) {
		count_quiet(s);
		return;
	}
	s->tls->quiet = 0;
	offer(s, plain, len);
}

/* RFC 5246, section 7.2; one record may hold several (section 6.2.1). */
static void take_alerts(struct stream *s, const uint8_t *plain, size_t len)
{
	if (len == 0 || len % 2 != 0) {
		private_fail(s, TLS_DECODE_ERROR);
		return;
	}
	for (size_t i = 0; i < len; i += 2) {
		if (plain[i] != ALERT_WARNING) {
			/* Fatal: the client is gone, and hears nothing. */
			net_abort(s->net);
			return;
		}
		if (plain[i + 1] == TLS_CLOSE_NOTIFY) {
			s->tls->got_close = true;
			private_take_end(s);
			return;
		}
	}
	count_quiet(s);
}

/*
 * Not offered: RFC 5246, section 7.4.1.1 (renegotiation): nothing here asks for
 * certificates later, and it is a way to make us sign for ever.  Refused with the
 * warning that section 7.2.2 names; any other message has no place here.
 */
static void take_handshake_again(struct stream *s,
    const uint8_t *plain, size_t len)
{
	if (len < 4 || plain[0] != CLIENT_HELLO ||
	    (load_be32(plain) & 0xffffff) != len - 4) {
		private_fail(s, TLS_UNEXPECTED_MESSAGE);
		return;
	}
	outgoing_append_alert(s->tls, false, TLS_NO_RENEGOTIATION);
	(void)outgoing_flush(s->tls);
	count_quiet(s);
}

static void take_protected(struct stream *s, uint8_t type,
    const uint8_t *payload, size_t len)
{
	struct tls_keys *const keys = session_keys(s->tls);
	uint8_t *const opened = scratch + TLS_OPEN_HEAD_ROOM;
	const uint8_t *plain = NULL;

	if (len >= tls_overhead(keys) - TLS_HEADER_LEN) {
		__builtin_memcpy(opened, payload, len);
		plain = tls_open(keys, type, opened, &len);
	}
	if (plain == NULL)
		private_fail(s, TLS_BAD_RECORD_MAC);
	else if (type == TLS_DATA)
		take_data(s, plain, len);
	else if (type == TLS_ALERT)
		take_alerts(s, plain, len);
	else
		take_handshake_again(s, plain, len);
}

/* ---- Records --------------------------------------------------------------- */

/*
 * A record whose plaintext would be longer than RFC 5246, section 6.2.1 allows is
 * refused by its header: before it is whole, and before its sum is looked at.
 */
static size_t payload_max(struct tls_session *t)
{
	if (t->state != SESSION_OPEN)
		return TLS_PLAIN_MAX;
	return TLS_PLAIN_MAX + tls_overhead(session_keys(t)) - TLS_HEADER_LEN;
}

/*
 * What is wrong with a record, as far as its header tells; TLS_CLOSE_NOTIFY stands
 * for nothing.  RFC 5246, sections 6 and 6.2.1.
 */
static enum tls_alert find_fault(struct tls_session *t, const uint8_t *header)
{
	const bool is_open = t->state == SESSION_OPEN;
	const uint8_t type = header[0];
	const uint16_t version = load_be16(header + 1);
	const size_t len = load_be16(header + 3);

	if (type < TLS_CHANGE_CIPHER_SPEC || type > TLS_DATA)
		return TLS_UNEXPECTED_MESSAGE;
	if (is_open ? version != VERSION_TLS12 : version >> 8 != 3)
		return TLS_PROTOCOL_VERSION;
	if (type == (is_open ? TLS_CHANGE_CIPHER_SPEC : TLS_DATA))
		return TLS_UNEXPECTED_MESSAGE;
	if (len > payload_max(t))
		return TLS_RECORD_OVERFLOW;
	if (!is_open && (len == 0 ||
	    t->handshake_len + TLS_HEADER_LEN + len > LIMIT_HANDSHAKE_LEN))
		return TLS_DECODE_ERROR;
	return TLS_CLOSE_NOTIFY;
}

/* The first bytes of a request in the clear: a method's name. */
static bool looks_like_http(const struct tls_session *t,
    const uint8_t *header)
{
	if (t->state != SESSION_HANDSHAKE || t->handshake_len > 0)
		return false;
	for (size_t i = 0; i < 3; i++) {
		if (header[i] < 'A' || header[i] > 'Z')
			return false;
	}
	return true;
}

static void answer_plainly(struct stream *s)
{
	const bool said =
	    net_send_copy(s->net, plain_answer, sizeof plain_answer - 1);

	(void)said;      /* without room the end alone has to do */
	private_end(s);
}

/*
 * Take the record at the front; returns its length, or 0: it is not whole, or cannot
 * be taken now, or the stream has come to its end.
 */
static size_t take_record(struct stream *s, const uint8_t *data, size_t len)
{
	struct tls_session *const t = s->tls;
	enum tls_alert fault;
	size_t payload_len;

	if (len < TLS_HEADER_LEN)
		return 0;
	fault = find_fault(t, data);
	if (fault != TLS_CLOSE_NOTIFY) {
		if (looks_like_http(t, data))
			answer_plainly(s);
		else
			private_fail(s, fault);
		return 0;
	}
	payload_len = load_be16(data + 3);
	if (len - TLS_HEADER_LEN < payload_len)
		return 0;
	if (t->state == SESSION_OPEN) {
		take_protected(s, data[0], data + TLS_HEADER_LEN, payload_len);
	} else if (!private_take_handshake(s, data,
	    TLS_HEADER_LEN + payload_len)) {
		if (private_current == s)
			t->stalled = true;
		return 0;
	}
	return TLS_HEADER_LEN + payload_len;
}

/*
 * No record is taken while something waits to be sent, as its answer would have to
 * wait, too; nor while the app has enough to do.
 */
static bool is_blocked(const struct tls_session *t)
{
	return t->record_left > 0 || t->tail_len > 0 || t->app_waits ||
	    t->kept_len > KEPT_MAX;
}

/*
 * A record that has begun is part of a request, also when the app knows of none yet:
 * it has to be there in the time of one.
 */
static void watch_partial(struct stream *s, bool partial, bool is_new)
{
	struct tls_session *const t = s->tls;
	const bool was_partial = t->partial;

	t->partial = partial;
	if (t->state != SESSION_OPEN || s->wait != NET_WAIT_IDLE)
		return;
	if (partial && (is_new || !was_partial))
		net_set_wait(s->net, NET_WAIT_REQUEST);
	else if (!partial && was_partial)
		net_set_wait(s->net, NET_WAIT_IDLE);
}

size_t incoming_take(struct stream *s, const uint8_t *data, size_t len)
{
	struct tls_session *const t = s->tls;
	size_t used = 0;

	t->stalled = false;
	while (is_alive(s)) {
		if (t->resume && t->kept_len > 0) {
			t->resume = false;
			offer_kept(s, t->kept_len);
		} else if (used == len || t->got_close) {
			break;
		} else if (is_blocked(t)) {
			t->stalled = true;
			break;
		} else {
			const size_t taken =
			    take_record(s, data + used, len - used);

			if (taken == 0)
				break;
			used += taken;
		}
	}
	if (!is_alive(s))
		return len;
	t->resume = false;
	if (t->got_close)
		return len;
	watch_partial(s, used < len && !t->stalled, used > 0);
	if (t->got_fin && !t->stalled)
		private_take_end(s);
	return used;
}
