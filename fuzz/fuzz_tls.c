/* links: tests/host_panic.c tests/tls/fake_net.c tests/tls/line_app.c
 * tests/tls/mini_client.c tls/private.c tls/incoming.c tls/outgoing.c tls/stream.c
 * tls/engine_bearssl.c tls/keys_bearssl.c tls/gcm_bearssl.c tls/policy_bearssl.c
 * tls/curves_bearssl.c tls/choose.c tls/sessions.c @bearssl_tls
 * build/deps/bearssl/src/ssl/ssl_client.c build/deps/bearssl/src/ssl/ssl_hs_client.c
 * build/deps/bearssl/src/x509/x509_knownkey.c build/deps/bearssl/src/ec/ec_all_m31.c
 * -DFAKE_OUT_CAP=262144 */
/*
 * Private streams and the engine, as strangers and odd clients meet them.
 *
 * Input: a sequence of steps, each a byte that says what, and what it needs behind
 * it.  Bytes come as they are, or from real clients (BearSSL's) that do their
 * handshakes properly, so that the other steps reach what lies behind: their records
 * are changed, sealed with another type, held back; TCP has room or not, buffers
 * are there or not, time passes.
 *
 * Afterwards everything is given back.  What the server sent is whole records, nothing
 * follows a fatal alert, and a client that only did what it should got what it asked for.
 * (fake_net.c and line_app.c check the contracts on both sides of the stream.)
 */
#include <stdlib.h>
#include <string.h>

#include "kernel/gate.h"
#include "tests/tls/fake_net.h"
#include "tests/tls/line_app.h"
#include "tests/tls/mini_client.h"
#include "tls/engine.h"
#include "tls/private.h"
#include "tls/tls_int.h"

#define STEPS_MAX 120
#define HANDSHAKES_MAX 8
#define CLIENTS 4
#define RECORD_CAP 20000
#define ASKED_CAP 1024

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum step {
	STEP_RAW = 0,      /* length 2, bytes */
	STEP_CONNECT,      /* client and style 1 */
	STEP_NEXT,         /* the client's next record, as it is; pieces 1 */
	STEP_CHANGED,      /* the same, with byte (offset 2) XOR value 1 */
	STEP_DROPPED,      /* its next record is lost */
	STEP_LISTEN,       /* the client reads what the server sent */
	STEP_ASK,          /* length 1, bytes: what the client's user says */
	STEP_SEALED,       /* type 1, length 2, bytes: a record of an open client */
	STEP_ROOM,         /* room 2: all is acknowledged */
	STEP_EXPIRE,
	STEP_FIN,
	STEP_RESET,
	STEP_SELECT,       /* client 1 */
	STEP_POOLS,        /* which 1, left 1 */
	STEP_TIME,         /* 1: 2^n ms */
	STEP_AGAIN,        /* the client asks for a new handshake */
	STEP_GOODBYE,      /* the client says close_notify */
	STEP_RUN,          /* the client goes on until nothing moves */
	STEP_KINDS,
};

struct input {
	const uint8_t *at;
	size_t left;
};

struct client {
	struct net_conn *conn;
	struct mini_client tls;
	bool has_tls;
	bool is_honest;            /* did, and suffered, only what is usual */
	size_t heard;              /* of conn->out */
	char asked[ASKED_CAP + 1];
	size_t asked_len;
};

static struct client clients[CLIENTS];
static struct client *c;           /* the one that is stepping */
static unsigned handshakes;
static bool is_starved;            /* pools were made smaller */
static uint64_t random_state;
static br_ssl_session_parameters session;
static bool has_session;

static void check(bool good)
{
	if (!good)
		abort();
}

/* ---- The world of the engine ----------------------------------------------- */

/* For speed: any signature is one, and any point a key. */
static uint8_t public_point[65] = { 4 };
static br_ec_public_key public_key = {
	.curve = BR_EC_secp256r1, .q = public_point, .qlen = 65
};
static uint8_t certificate[600] = { 0x30, 0x82, 0x02, 0x54 };
static struct tls_bundle bundle;

const struct tls_bundle *tls_bundle(void)
{
	return &bundle;
}

bool tls_refuses_unknown(void)
{
	return false;
}

enum gate_status gate_random(void *buf, size_t len)
{
	uint8_t *const out = buf;

	for (size_t i = 0; i < len; i++) {
		random_state = random_state * 6364136223846793005u + 1;
		out[i] = (uint8_t)(random_state >> 56);
	}
	return GATE_OK;
}

enum gate_status gate_sign(struct gate_sign *sign)
{
	sign->signature_len = 64;
	memset(sign->signature, 1, 64);
	return GATE_OK;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	bundle.chain_count = 1;
	bundle.chains[0] = (struct tls_chain){
		.kind = BUNDLE_KEY_P256, .key_bits = 256, .cert_count = 1,
		.certs = { { certificate, sizeof certificate } },
		.names = "a.example", .names_len = sizeof "a.example",
	};
	return 0;
}

/* ---- Steps ----------------------------------------------------------------- */

/* What is left of the input; reading beyond its end gives zeros. */
static uint32_t take(struct input *in, size_t bytes)
{
	uint32_t value = 0;

	for (; bytes > 0 && in->left > 0; bytes--, in->at++, in->left--)
		value = value << 8 | *in->at;
	return value;
}

static const uint8_t *take_bytes(struct input *in, size_t len, size_t *got)
{
	const uint8_t *const at = in->at;

	*got = len < in->left ? len : in->left;
	in->at += *got;
	in->left -= *got;
	return at;
}

/* To the server, in pieces of so many bytes, as far as its window goes. */
static void give(const uint8_t *bytes, size_t len, size_t piece)
{
	while (len > 0) {
		size_t n = len < piece ? len : piece;

		if (n > fake_window(c->conn))
			n = fake_window(c->conn);
		if (n == 0) {
			c->is_honest = false;
			return;
		}
		fake_receive(c->conn, bytes, n);
		bytes += n;
		len -= n;
	}
}

static void step_raw(struct input *in)
{
	size_t len;
	const uint8_t *bytes = take_bytes(in, take(in, 2), &len);

	c->is_honest = false;
	give(bytes, len, SIZE_MAX);
}

static void forget(struct client *client)
{
	if (client->conn != NULL)
		fake_free(client->conn);
	client->conn = NULL;
	client->has_tls = false;
}

/* TCP takes so many bytes, but no more than the test has memory for. */
static void set_room(size_t room)
{
	const size_t most = FAKE_OUT_CAP - c->conn->out_len;

	fake_acknowledge(c->conn, room < most ? room : most);
}

static void open_plainly(void)
{
	c->conn = fake_open();
	c->heard = 0;
	c->asked_len = 0;
	c->is_honest = false;
	set_room(65536);
}

static void step_connect(struct input *in)
{
	static const uint16_t suites[] = {
		0, BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	};
	const uint32_t how = take(in, 1);
	const struct mini_style style = {
		.seed = how,
		.server_key = &public_key,
		.suite = suites[how >> 2 & 3],
		.name = (how & 16) != 0 ? "a.example" : NULL,
		.protocol = (how & 32) != 0 ? "http/1.1" : NULL,
		.session = has_session && (how & 64) != 0 ? &session : NULL,
	};

	c = &clients[how & 3];
	forget(c);
	open_plainly();
	if (handshakes++ >= HANDSHAKES_MAX)
		return;
	mini_start(&c->tls, &style);
	c->has_tls = true;
	c->is_honest = style.suite != suites[3];
}

static size_t next_record(uint8_t *record)
{
	return c->has_tls ? mini_take_record(&c->tls, record, RECORD_CAP) : 0;
}

static void step_next(struct input *in)
{
	uint8_t record[RECORD_CAP];
	const size_t piece = take(in, 1);
	const size_t len = next_record(record);

	give(record, len, piece == 0 ? SIZE_MAX : piece);
}

static void step_changed(struct input *in)
{
	uint8_t record[RECORD_CAP];
	const size_t off = take(in, 2);
	const uint8_t value = (uint8_t)take(in, 1);
	const size_t len = next_record(record);

	if (len == 0)
		return;
	c->is_honest = false;
	record[off % len] ^= value;
	give(record, len, SIZE_MAX);
}

/* What the server says goes to the client; true if that was anything. */
static bool listen_up(void)
{
	const size_t len = c->conn->out_len - c->heard;
	size_t done;

	if (!c->has_tls || len == 0)
		return false;
	done = mini_give(&c->tls, c->conn->out + c->heard, len);
	c->heard += done;
	if (mini_is_open(&c->tls)) {
		br_ssl_engine_get_session_parameters(&c->tls.ctx.eng, &session);
		has_session = true;
	}
	return done > 0;
}

static void step_ask(struct input *in)
{
	size_t len, taken;
	const uint8_t *bytes = take_bytes(in, take(in, 1), &len);

	if (!c->has_tls || len > ASKED_CAP - c->asked_len)
		return;
	taken = mini_write(&c->tls, bytes, len);
	memcpy(c->asked + c->asked_len, bytes, taken);
	c->asked_len += taken;
	/* For line_answer(), which wants a string. */
	for (size_t i = 0; i < taken; i++) {
		if (bytes[i] == '\0')
			c->is_honest = false;
	}
}

static void step_sealed(struct input *in)
{
	uint8_t record[16384 + 64];
	const uint8_t type = (uint8_t)take(in, 1);
	size_t len;
	const uint8_t *bytes = take_bytes(in, take(in, 2) % 16385, &len);

	if (!c->has_tls || !mini_is_open(&c->tls))
		return;
	c->is_honest = false;
	give(record, mini_seal(&c->tls, type, bytes, len, record), SIZE_MAX);
}

static void step_pools(struct input *in)
{
	struct fake_pool *const pools[] = {
		&fake.sessions, &fake.handshakes, &fake.holds, &fake.small,
		&fake.large,
	};
	struct fake_pool *const pool = pools[take(in, 1) % ARRAY_LEN(pools)];
	const size_t left = take(in, 1) % 8;

	/* Whoever is reset for it, or waits, may not complain. */
	pool->cap = pool->used + left;
	is_starved = true;
}

static void step_run(void)
{
	uint8_t record[RECORD_CAP];
	size_t len;

	for (int i = 0; i < 100; i++) {
		bool moved = false;

		while ((len = next_record(record)) > 0) {
			give(record, len, SIZE_MAX);
			moved = true;
		}
		set_room(65536);
		if (!listen_up() && !moved)
			return;
	}
}

static void step_by_event(struct input *in, enum step step)
{
	switch (step) {
	case STEP_ROOM:
		set_room(take(in, 2));
		break;
	case STEP_EXPIRE:
		c->is_honest = false;
		fake_expire(c->conn);
		break;
	case STEP_FIN:
		c->is_honest = false;
		fake_peer_closes(c->conn);
		break;
	case STEP_RESET:
		forget(c);
		open_plainly();
		break;
	case STEP_SELECT:
		c = &clients[take(in, 1) % CLIENTS];
		if (c->conn == NULL)
			open_plainly();
		break;
	case STEP_POOLS:
		step_pools(in);
		break;
	case STEP_TIME:
		fake.now_ms += UINT64_C(1) << take(in, 1) % 28;
		break;
	default:
		break;
	}
}

static void step(struct input *in)
{
	const enum step kind = (enum step)(take(in, 1) % STEP_KINDS);
	uint8_t record[RECORD_CAP];

	switch (kind) {
	case STEP_RAW:
		step_raw(in);
		break;
	case STEP_CONNECT:
		step_connect(in);
		break;
	case STEP_NEXT:
		step_next(in);
		break;
	case STEP_CHANGED:
		step_changed(in);
		break;
	case STEP_DROPPED:
		if (next_record(record) > 0)
			c->is_honest = false;
		break;
	case STEP_LISTEN:
		(void)listen_up();
		break;
	case STEP_ASK:
		step_ask(in);
		break;
	case STEP_SEALED:
		step_sealed(in);
		break;
	case STEP_AGAIN:
		c->is_honest = false;
		if (c->has_tls)
			mini_renegotiate(&c->tls);
		break;
	case STEP_GOODBYE:
		c->is_honest = false;
		if (c->has_tls)
			mini_close(&c->tls);
		break;
	case STEP_RUN:
		step_run();
		break;
	default:
		step_by_event(in, kind);
		break;
	}
}

/* ---- What has to hold ------------------------------------------------------ */

/* Whole records in order; in clear a fatal alert is the last. */
static void check_out(const struct net_conn *conn)
{
	static const char plain[] = "HTTP/1.1 400 ";
	const uint8_t *at = conn->out;
	size_t left = conn->out_len;

	if (left >= sizeof plain && memcmp(at, plain, sizeof plain - 1) == 0)
		return;
	while (left > 0) {
		size_t len;

		if (left < TLS_HEADER_LEN)
			break;
		len = TLS_HEADER_LEN + load_be16(at + 3);
		check(at[0] >= TLS_CHANGE_CIPHER_SPEC && at[0] <= TLS_DATA);
		check(at[1] == 3 && at[2] <= 3 && len > TLS_HEADER_LEN);
		check(len <= TLS_HEADER_LEN + TLS_PLAIN_MAX + 24);
		if (len > left)
			break;
		if (at[0] == TLS_ALERT && len == TLS_HEADER_LEN + 2) {
			check(at[5] == 1 || at[5] == 2);
			check(at[5] == 1 || left == len);
		}
		at += len;
		left -= len;
	}
	/* Cut off only if the connection was. */
	check(left == 0 || !conn->closing);
}

static void check_honest(struct client *client)
{
	static uint8_t wanted[LINE_BODY_CAP + 64];
	const struct mini_client *const tls = &client->tls;
	size_t len = 0;

	check(br_ssl_engine_last_error(&tls->ctx.eng) == BR_ERR_OK);
	check(!client->conn->was_reset);
	client->asked[client->asked_len] = '\0';
	/* One long answer is enough to compare. */
	if (strchr(client->asked, '\n') != NULL) {
		strchr(client->asked, '\n')[1] = '\0';
		len = line_answer(client->asked, wanted);
	}
	if (len > tls->got_len)
		len = tls->got_len;
	check(memcmp(tls->got, wanted, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct input in = { data, len };

	random_state = 1;
	handshakes = 0;
	is_starved = false;
	has_session = false;
	memset(&line, 0, sizeof line);
	tls_engine_start();
	fake_net_start(private_session_len(), tls_handshake_len());
	if (!stream_listen_private(443, &line_app))
		abort();
	c = &clients[0];
	open_plainly();
	for (int i = 0; i < STEPS_MAX && in.left > 0; i++)
		step(&in);
	for (size_t i = 0; i < CLIENTS; i++) {
		if (clients[i].conn == NULL)
			continue;
		check_out(clients[i].conn);
		if (clients[i].is_honest && !is_starved)
			check_honest(&clients[i]);
		forget(&clients[i]);
	}
	check(fake_is_idle());
	return 0;
}
