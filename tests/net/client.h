/*
 * Clients on the other end of the cable (wire.h): a small TCP that receives
 * well, and a network between that loses, delays and reorders.
 *
 * A client checks the sender at every segment: never beyond the window it
 * offered, never longer than its MSS, every byte the same as the one before it
 * had there.
 */
#pragma once

#include "config/base.h"

#define CLIENTS_CAP 600

enum client_state {
	CLIENT_IDLE = 0,
	CLIENT_SYN_SENT,
	CLIENT_OPEN,
	CLIENT_RESET,        /* the server reset it, or refused it */
};

struct client {
	enum client_state state;
	bool ipv6;
	uint16_t port;
	uint16_t mss;             /* what it asks for; 0: says nothing */
	uint8_t scale;            /* window scale it asks for; 255: none */
	uint32_t window_cap;      /* bytes it can hold unread */
	uint32_t read_rate;       /* bytes read a millisecond; 0: never; UINT32_MAX: all */
	uint32_t ack_every;       /* full segments an acknowledgement */
	bool muted;               /* sends nothing any more, not even acknowledgements */

	uint32_t iss, snd_una, snd_nxt;
	uint32_t irs, rcv_nxt;
	uint32_t offered;         /* right edge of the window it offered */
	uint32_t server_window;
	bool scaled;
	bool fin_received;
	bool fin_sent;
	bool fin_acked;

	uint8_t *got;             /* bytes received, in order from 0 */
	uint8_t *have;            /* per byte: 1 if received */
	size_t got_cap;
	uint64_t unread;          /* in order, not yet read by the client's program */
	uint64_t last_read_ns;
	uint32_t segments_unacked;

	uint8_t out[16384];       /* bytes to send */
	size_t out_len;
	uint64_t resend_ns;       /* when what is unacknowledged is sent again */

	/* For tests: what the server sent. */
	uint32_t segments, payload_max;
	uint32_t short_segments;  /* with payload, but less than an MSS of it */
	uint64_t payload_bytes;   /* with what came twice */
	uint32_t burst_max;       /* most payload at one point in time */
	uint32_t burst;
	uint64_t burst_ns;
};

struct network {
	uint32_t loss_per_10000;  /* of packets, in each direction */
	uint32_t delay_us;
	uint32_t jitter_us;       /* packets overtake each other by up to this */
	uint32_t drop_countdown;  /* the packet that makes it 0 is lost, once */
};

extern struct network network;
extern struct client clients[CLIENTS_CAP];

/*
 * True at first.  A harness that forges segments in a client's name clears it:
 * then the server may be right to send what a client did not ask for.
 */
extern bool clients_check;

/* Called once, after net_start(). */
void clients_start(void);

/*
 * Open clients[index]; room for `cap` received bytes; other fields as defaults.
 */
struct client *client_open(size_t index, bool ipv6, size_t cap);
void client_connect(struct client *c);
void client_send(struct client *c, const void *data, size_t len);
void client_close(struct client *c);   /* FIN */
void client_reset(struct client *c);   /* RST, and forget it */
void client_forget(struct client *c);  /* vanish without a word */

/*
 * Run server and world until done(arg) or `ms` have passed; returns done(arg).
 */
bool run_until(bool (*done)(void *arg), void *arg, uint32_t ms);
void run_ms(uint32_t ms);

/*
 * A segment in the name of a client, with anything in it: sequence and
 * acknowledgement numbers count from what would be right.
 */
struct forged {
	uint8_t flags;
	int32_t seq, ack;
	uint16_t window;
	const uint8_t *options;
	size_t options_len;       /* a multiple of 4, at most 40 */
	const uint8_t *data;
	size_t data_len;          /* at most 1400 */
};
void client_forge(struct client *c, const struct forged *forged);

/* A SYN from an address of its own that never answers. */
void send_stray_syn(uint32_t number);
