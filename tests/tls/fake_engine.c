/*
 * The engine without cryptography, and its client: tests/tls/fake_engine.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/tls/fake_engine.h"

#define MAGIC_HANDSHAKE 0x68616e64u
#define MAGIC_KEYS 0x6b657973u
#define MASK 0x5A

struct tls_handshake {
	uint32_t magic;
	bool is_done, is_resumed;
};

struct tls_keys {
	uint32_t magic;
	uint64_t seq_in, seq_out;
};

struct fake_engine fake_engine = { .flight_len = 3000, .finished_len = 51 };

static void check_at(bool good, const char *what, int line)
{
	if (!good) {
		fprintf(stderr, "fake engine, line %d: %s\n", line, what);
		abort();
	}
}
#define check(x) check_at((x), #x, __LINE__)

/* ---- The engine ------------------------------------------------------------ */

size_t tls_handshake_len(void)
{
	return sizeof(struct tls_handshake);
}

size_t tls_keys_len(void)
{
	return sizeof(struct tls_keys);
}

void tls_handshake_start(struct tls_handshake *hs)
{
	*hs = (struct tls_handshake){ .magic = MAGIC_HANDSHAKE };
}

static size_t put_record(uint8_t *out, uint8_t type, size_t len)
{
	memset(out, 0, len);
	out[0] = type;
	out[1] = 3;
	out[2] = 3;
	store_be16(out + 3, (uint16_t)(len - TLS_HEADER_LEN));
	return len;
}

static size_t put_alert(uint8_t *out, uint8_t alert)
{
	put_record(out, TLS_ALERT, 7);
	out[5] = 2;
	out[6] = alert;
	return 7;
}

enum tls_progress tls_handshake_take(struct tls_handshake *hs,
    const uint8_t *record, size_t len, uint8_t *out, size_t *out_len)
{
	check(hs->magic == MAGIC_HANDSHAKE && !hs->is_done);
	check(len > TLS_HEADER_LEN &&
	    len - TLS_HEADER_LEN == load_be16(record + 3));
	fake_engine.calls++;
	*out_len = 0;
	if (record[0] == TLS_CHANGE_CIPHER_SPEC)
		return TLS_MORE;
	if (record[0] == TLS_ALERT)
		return TLS_FAILED;
	switch (record[5]) {
	case FAKE_HELLO:
		*out_len = put_record(out, TLS_HANDSHAKE,
		    fake_engine.flight_len);
		return TLS_MORE;
	case FAKE_FINISHED:
		*out_len = put_record(out, TLS_HANDSHAKE,
		    fake_engine.finished_len);
		out[5] = FAKE_FINISHED;
		hs->is_done = true;
		return TLS_DONE;
	case FAKE_RESUMED:
		hs->is_done = hs->is_resumed = true;
		return TLS_DONE;
	case FAKE_BAD:
		*out_len = put_alert(out, TLS_HANDSHAKE_FAILURE);
		return TLS_FAILED;
	case FAKE_SILENT:
		return TLS_FAILED;
	default:
		return TLS_MORE;
	}
}

size_t tls_handshake_alert(struct tls_handshake *hs, enum tls_alert alert,
    uint8_t out[64])
{
	check(hs->magic == MAGIC_HANDSHAKE);
	return put_alert(out, (uint8_t)alert);
}

void tls_handshake_finish(struct tls_handshake *hs, struct tls_keys *keys)
{
	check(hs->magic == MAGIC_HANDSHAKE && hs->is_done);
	*keys = (struct tls_keys){ .magic = MAGIC_KEYS };
}

bool tls_handshake_was_resumed(const struct tls_handshake *hs)
{
	return hs->is_resumed;
}

void tls_handshake_wipe(struct tls_handshake *hs)
{
	check(hs->magic == MAGIC_HANDSHAKE);
	hs->magic = 0;
}

/* ---- Records, for both sides ----------------------------------------------- */

static uint64_t sum(uint64_t seq, uint8_t type, const uint8_t *data,
    size_t len)
{
	uint64_t s = seq * 0x9E3779B97F4A7C15u + type;

	for (size_t i = 0; i < len; i++)
		s = (s ^ data[i]) * 0x100000001B3u;
	return s;
}

/* The plaintext becomes [header][sequence number][masked][sum, zeros]. */
static uint8_t *seal(uint64_t seq, uint8_t type, uint8_t *plain, size_t *len)
{
	uint8_t *const record = plain - 13;
	uint8_t *const tag = plain + *len;

	memset(tag, 0, 16);
	store_le64(tag, sum(seq, type, plain, *len));
	for (size_t i = 0; i < *len; i++)
		plain[i] ^= MASK;
	store_le64(record + TLS_HEADER_LEN, seq);
	record[0] = type;
	record[1] = 3;
	record[2] = 3;
	*len += FAKE_OVERHEAD;
	store_be16(record + 3, (uint16_t)(*len - TLS_HEADER_LEN));
	return record;
}

static uint8_t *unseal(uint64_t seq, uint8_t type, uint8_t *payload,
    size_t *len)
{
	uint8_t *const plain = payload + 8;

	check(*len >= 24);
	*len -= 24;
	for (size_t i = 0; i < *len; i++)
		plain[i] ^= MASK;
	if (load_le64(payload) != seq || *len > TLS_PLAIN_MAX ||
	    load_le64(plain + *len) != sum(seq, type, plain, *len))
		return NULL;
	return plain;
}

uint8_t *tls_open(struct tls_keys *keys, uint8_t type,
    uint8_t *payload, size_t *len)
{
	check(keys->magic == MAGIC_KEYS);
	return unseal(keys->seq_in++, type, payload, len);
}

uint8_t *tls_seal(struct tls_keys *keys, uint8_t type,
    uint8_t *plain, size_t *len)
{
	check(keys->magic == MAGIC_KEYS && *len <= TLS_PLAIN_MAX);
	return seal(keys->seq_out++, type, plain, len);
}

size_t tls_overhead(const struct tls_keys *keys)
{
	check(keys->magic == MAGIC_KEYS);
	return FAKE_OVERHEAD;
}

void tls_keys_wipe(struct tls_keys *keys)
{
	check(keys->magic == MAGIC_KEYS);
	keys->magic = 0;
}

/* ---- The client ------------------------------------------------------------ */

void client_init(struct fake_client *c, struct net_conn *conn)
{
	memset(c, 0, sizeof *c);
	c->conn = conn;
	c->plain = malloc(FAKE_OUT_CAP);
	check(c->plain != NULL);
}

void client_free(struct fake_client *c)
{
	free(c->plain);
}

size_t client_format(struct fake_client *c, uint8_t type,
    const void *payload, size_t len, uint8_t *out)
{
	if (!c->is_open) {
		put_record(out, type, TLS_HEADER_LEN + len);
		memcpy(out + TLS_HEADER_LEN, payload, len);
		return TLS_HEADER_LEN + len;
	}
	memcpy(out + 13, payload, len);
	(void)seal(c->seq_out++, type, out + 13, &len);
	return len;
}

void client_send(struct fake_client *c, uint8_t type,
    const void *payload, size_t len)
{
	uint8_t record[TLS_HEADER_LEN + TLS_PAYLOAD_MAX + 64];

	fake_receive(c->conn, record,
	    client_format(c, type, payload, len, record));
}

static void take_alert(struct fake_client *c, const uint8_t *p, size_t len)
{
	check(len == 2 && c->alert_count < FAKE_ALERTS_CAP);
	/* Nothing comes after the end. */
	check(c->alert_count == 0 || (c->levels[c->alert_count - 1] == 1 &&
	    c->alerts[c->alert_count - 1] != TLS_CLOSE_NOTIFY));
	c->levels[c->alert_count] = p[0];
	c->alerts[c->alert_count++] = p[1];
}

static void take_sealed(struct fake_client *c, uint8_t *record, size_t len)
{
	const uint8_t type = record[0];
	size_t plain_len = len - TLS_HEADER_LEN;
	const uint8_t *plain = unseal(c->seq_in++, type,
	    record + TLS_HEADER_LEN, &plain_len);

	check(plain != NULL);
	if (type == TLS_ALERT) {
		take_alert(c, plain, plain_len);
		return;
	}
	check(type == TLS_DATA && plain_len > 0);
	check(c->alert_count == 0 || (c->levels[c->alert_count - 1] == 1 &&
	    c->alerts[c->alert_count - 1] == TLS_NO_RENEGOTIATION));
	memcpy(c->plain + c->plain_len, plain, plain_len);
	c->plain_len += plain_len;
	c->record_lens[c->record_count++ % 4096] = len;
}

void client_read(struct fake_client *c)
{
	static uint8_t copy[TLS_HEADER_LEN + TLS_PAYLOAD_MAX];

	while (c->conn->out_len - c->read >= TLS_HEADER_LEN) {
		const uint8_t *record = c->conn->out + c->read;
		const size_t len =
		    TLS_HEADER_LEN + load_be16(record + 3);

		check(record[1] == 3 && record[2] == 3 && len <= sizeof copy);
		if (len > c->conn->out_len - c->read)
			return;
		memcpy(copy, record, len);
		c->read += len;
		if (c->is_open)
			take_sealed(c, copy, len);
		else if (copy[0] == TLS_ALERT)
			take_alert(c, copy + 5, len - 5);
		else
			c->is_open = copy[5] == FAKE_FINISHED;
	}
}

void client_handshake(struct fake_client *c)
{
	client_send(c, TLS_HANDSHAKE, "Hello", 5);
	client_send(c, TLS_CHANGE_CIPHER_SPEC, "\1", 1);
	client_send(c, TLS_HANDSHAKE, "Finished", 8);
	client_read(c);
}
