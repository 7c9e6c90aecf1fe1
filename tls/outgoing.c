/*
 * What leaves a private stream: records are built, sealed and handed to TCP; see
XX
 *
 * Data is gathered with one copy, from the ROM into a record buffer, sealed there and
 * queued by reference.  A client can use nothing of a record before its last byte has
 * come.  So an answer begins with records of one segment, which grow while they are
 * never longer than what TCP can send at once: no record waits for a round trip.  In
 * bulk, records are as long as can be, and TCP takes them piece by piece.  All but
 * the last are whole segments.
 */
#include "tls/private_int.h"

#include "config/limits.h"

#define ALERT_WARNING 1
#define ALERT_FATAL 2

/* What is no longer is copied: a record buffer would wait for the client's word. */
#define COPY_MAX 512

/* A stream that was quiet for so long (ms) begins with short records again. */
#define GROWTH_PAUSE_MS 1000

/* Enough for the longest record of the shortest segments. */
#define GROWTH_MAX 8

/* ---- To TCP ---------------------------------------------------------------- */

bool outgoing_flush(struct tls_session *t)
{
	struct net_conn *const net = t->stream->net;

	if (t->record_left > 0) {
		const size_t taken =
		    net_send_static(net, t->record, t->record_left);

		t->record += taken;
		t->record_left -= (uint32_t)taken;
		if (t->record_left > 0)
			return false;
		/* The last byte of a buffer is never sent: this is still in it. */
		net_record_release(t->record);
	}
	if (t->tail_len > 0) {
		if (!net_send_copy(net, t->tail, t->tail_len))
			return false;
		t->tail_len = 0;
	}
	return true;
}

void outgoing_send(struct tls_session *t, uint8_t *records, size_t len)
{
	ASSERT(t->record_left == 0 && t->tail_len == 0);
	if (len == 0 || (len <= COPY_MAX &&
	    net_send_copy(t->stream->net, records, len))) {
		net_record_release(records);
		return;
	}
	t->record = records;
	t->record_left = (uint32_t)len;
	(void)outgoing_flush(t);
}

/* ---- Alerts ---------------------------------------------------------------- */

/* RFC 5246, section 7.2, before there are keys and an engine that knows of them. */
static size_t format_alert(enum tls_alert alert, uint8_t out[static 7])
{
	const uint8_t record[7] = {
		TLS_ALERT, 3, 3, 0, 2, ALERT_FATAL, (uint8_t)alert
	};

	__builtin_memcpy(out, record, sizeof record);
	return sizeof record;
}

static size_t seal_alert(struct tls_session *t, bool fatal,
    enum tls_alert alert, uint8_t *out)
{
	uint8_t buffer[TLS_HEAD_ROOM + 2 + TLS_TAIL_ROOM];
	uint8_t *const plain = buffer + TLS_HEAD_ROOM;
	const uint8_t *record;
	size_t len = 2;

	plain[0] = fatal ? ALERT_FATAL : ALERT_WARNING;
	plain[1] = (uint8_t)alert;
	record = tls_seal(session_keys(t), TLS_ALERT, plain, &len);
	ASSERT(len <= SEALED_ALERT_MAX);
	__builtin_memcpy(out, record, len);
	return len;
}

void outgoing_append_alert(struct tls_session *t, bool fatal,
    enum tls_alert alert)
{
	uint8_t *const out = t->tail + t->tail_len;
	size_t len;

	ASSERT(t->tail_len <= SEALED_ALERT_MAX);
	if (t->state == SESSION_OPEN) {
		len = seal_alert(t, fatal, alert, out);
	} else {
		ASSERT(t->tail_len == 0 && fatal);
		len = t->handshake == NULL ? format_alert(alert, out) :
		    tls_handshake_alert(t->handshake, alert, out);
	}
	t->tail_len += (uint8_t)len;
}

/* ---- Data ------------------------------------------------------------------ */

/* What is to be sent: a head, all or nothing, and a body behind it. */
struct gather {
	const uint8_t *head, *body;
	size_t head_len, body_len;
};

/*
 * How long the next record may be, with all that TLS adds; 0 when there is no room.
 */
static size_t choose_record_len(const struct tls_session *t, size_t head_len,
    size_t overhead)
{
	const size_t segment = net_segment_len(t->stream->net);
	const size_t room = net_send_room(t->stream->net);
	const size_t longest = (TLS_PLAIN_MAX + overhead) / segment * segment;
	const unsigned doubled = t->growth < 2 ? 0 : t->growth - 1u;
	const size_t needed =
	    (head_len + overhead + segment) / segment * segment;
	size_t len = segment << doubled;

	if (room == 0)
		return 0;
	if (len >= longest)
		return longest;
	if (len > room)
		len = room;
	/* The head's record is one, however short its segments are. */
	return len > needed ? len : needed;
}

/*
 * Build one record, seal it, send it.  Returns how many bytes of data are in it, 0
 * when it could not be: writable() follows.
 */
static size_t send_record(struct tls_session *t, const struct gather *g)
{
	const size_t overhead = tls_overhead(session_keys(t));
	const size_t left = g->head_len + g->body_len;
	const size_t record_len = choose_record_len(t, g->head_len, overhead);
	size_t plain_len = left, len;
	uint8_t *buffer;

	if (record_len == 0)
		return 0;
	if (plain_len > record_len - overhead)
		plain_len = record_len - overhead;
	buffer = net_record_take(t->stream->net,
	    TLS_HEAD_ROOM + plain_len + TLS_TAIL_ROOM);
	if (buffer == NULL)
		return 0;
	if (plain_len < left && t->growth < GROWTH_MAX)
		t->growth++;
	t->sent_ms = net_now_ms();

	buffer += TLS_HEAD_ROOM;
	if (g->head_len > 0)
		__builtin_memcpy(buffer, g->head, g->head_len);
	if (plain_len > g->head_len)
		__builtin_memcpy(buffer + g->head_len, g->body,
		    plain_len - g->head_len);
	len = plain_len;
	t->record = tls_seal(session_keys(t), TLS_DATA, buffer, &len);
	t->record_left = (uint32_t)len;
	(void)outgoing_flush(t);
	return plain_len;
}

/* Send as much of a body as there is room for. */
static size_t send_body(struct tls_session *t, const uint8_t *body,
    size_t body_len)
{
	size_t done = 0;

	while (done < body_len && t->record_left == 0) {
		const struct gather rest = {
			.body = body + done, .body_len = body_len - done
		};
		const size_t sent = send_record(t, &rest);

		if (sent == 0)
			break;
		done += sent;
	}
	t->app_waits = done < body_len;
	return done;
}

bool private_send(struct stream *s, const void *head, size_t head_len,
    const void *body, size_t body_len, size_t *taken)
{
	struct tls_session *const t = s->tls;
	const struct gather all = { head, body, head_len, body_len };
	size_t sent = 0;

	*taken = body_len;
	if (t->state == SESSION_ENDING)
		return true;
	if (net_now_ms() - t->sent_ms >= GROWTH_PAUSE_MS)
		t->growth = 0;
	if (outgoing_flush(t))
		sent = send_record(t, &all);
	if (sent == 0) {
		t->app_waits = true;
		return false;
	}
	*taken = sent - head_len;
	*taken += send_body(t, all.body + *taken, body_len - *taken);
	return true;
}

size_t private_send_static(struct stream *s, const void *data, size_t len)
{
	struct tls_session *const t = s->tls;

	if (t->state == SESSION_ENDING)
		return len;
	if (!outgoing_flush(t)) {
		t->app_waits = len > 0;
		return 0;
	}
	return send_body(t, data, len);
}
