/*
 * tls/engine.h without cryptography, so that each state is a byte away: what the
 * client's handshake records begin with says how the handshake goes on, and a sealed
 * record is its plaintext XOR a constant, between a sequence number and a sum.
 *
 * And the client to it, which checks every record that it gets.
 */
#pragma once

#include "tests/tls/fake_net.h"
#include "tls/engine.h"

/* First byte of a client's handshake record. */
enum fake_message {
	FAKE_NOTHING = 'N',   /* no answer */
	FAKE_HELLO = 'H',     /* fake_engine.flight_len bytes of answer */
	FAKE_FINISHED = 'F',  /* a short answer, done */
	FAKE_RESUMED = 'R',   /* done, without an answer and without a signature */
	FAKE_BAD = 'B',       /* failed, with an alert */
	FAKE_SILENT = 'S',    /* failed, without one */
};

struct fake_engine {
	size_t flight_len;    /* whole record, 6..TLS_FLIGHT_MAX */
	size_t finished_len;
	size_t calls;         /* of tls_handshake_take() */
};

extern struct fake_engine fake_engine;

#define FAKE_OVERHEAD 29

/* ---- The client ------------------------------------------------------------ */

#define FAKE_ALERTS_CAP 64

struct fake_client {
	struct net_conn *conn;
	uint64_t seq_out, seq_in;
	size_t read;          /* of conn->out */
	bool is_open;         /* records are sealed */
	uint8_t *plain;       /* what the server's app said, FAKE_OUT_CAP bytes */
	size_t plain_len;
	size_t record_lens[4096];   /* of sealed records of data */
	size_t record_count;
	size_t alert_count;
	uint8_t levels[FAKE_ALERTS_CAP], alerts[FAKE_ALERTS_CAP];
};

void client_init(struct fake_client *c, struct net_conn *conn);
void client_free(struct fake_client *c);

/* Build a record, sealed once the client is open; returns its length. */
size_t client_format(struct fake_client *c, uint8_t type,
    const void *payload, size_t len, uint8_t *out);

/* Build it and send it. */
void client_send(struct fake_client *c, uint8_t type,
    const void *payload, size_t len);

/* Read all whole records the server has sent; aborts when one is wrong. */
void client_read(struct fake_client *c);

/* Hello, Finished, and what the server says to them. */
void client_handshake(struct fake_client *c);
