/*
 * Clients and a network; see client.h.
 */
#include "tests/net/client.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/net.h"
#include "tests/net/neighbours.h"
#include "tests/net/wire.h"

#define MS 1000000u
#define PACKETS_CAP 8192
#define RESEND_NS (400 * (uint64_t)MS)

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

struct network network;
struct client clients[CLIENTS_CAP];
bool clients_check = true;

static size_t clients_used;      /* the others were never opened */

/* On their way: a frame, where to, and when it arrives. */
static struct packet {
	uint64_t at_ns;
	uint16_t len;       /* 0: free */
	bool to_server;
	uint8_t bytes[WIRE_FRAME_CAP];
} packets[PACKETS_CAP];
static size_t packets_used;

static void check_that(bool good, const char *what)
{
	if (good || !clients_check)
		return;
	fprintf(stderr, "client: %s\n", what);
	abort();
}

/* ---- The network --------------------------------------------------------- */

static void carry(const uint8_t *frame, size_t len, bool to_server, bool lossless)
{
	const uint32_t jitter = network.jitter_us == 0 ? 0 :
	    wire_random_below(network.jitter_us);
	struct packet *p = packets;

	if (!lossless && network.loss_per_10000 > 0 &&
	    wire_random_below(10000) < network.loss_per_10000)
		return;
	if (!lossless && !to_server && network.drop_countdown > 0 &&
	    --network.drop_countdown == 0)
		return;
	while (p < packets + packets_used && p->len != 0)
		p++;
	if (p == packets + PACKETS_CAP)
		return;
	if (p == packets + packets_used)
		packets_used++;
	p->at_ns = wire_now_ns() + 1000u * ((uint64_t)network.delay_us + jitter);
	p->len = (uint16_t)len;
	p->to_server = to_server;
	memcpy(p->bytes, frame, len);
}

/* ---- Segments from a client ---------------------------------------------- */

static uint32_t free_window(const struct client *c)
{
	return c->unread >= c->window_cap ? 0 :
	    c->window_cap - (uint32_t)c->unread;
}

/* The same as far as a segment can tell it. */
static uint32_t tellable_window(const struct client *c)
{
	const uint32_t scale = c->scaled ? c->scale : 0;
	const uint32_t window = free_window(c) >> scale;

	return (window < 65535 ? window : 65535) << scale;
}

/* Options of a SYN; returns their length. */
static size_t put_options(const struct client *c, uint8_t *at)
{
	size_t len = 0;

	if (c->mss != 0) {
		at[0] = 2;
		at[1] = 4;
		put16(at + 2, c->mss);
		len = 4;
	}
	if (c->scale != 255) {
		at[len] = 1;
		at[len + 1] = 3;
		at[len + 2] = 3;
		at[len + 3] = c->scale;
		len += 4;
	}
	return len;
}

/* Source address of a client, or of a stray SYN. */
static void frame_tcp(uint8_t *f, bool ipv6, const uint8_t *from, uint8_t *tcp_at,
    size_t tcp_len)
{
	const size_t ip_len = ipv6 ? 40 : 20;
	uint8_t *ip = f + frame_start(f, ipv6 ? 0x86dd : 0x0800);
	uint32_t pseudo;

	memset(ip, 0, ip_len);
	if (ipv6) {
		ip[0] = 0x60;
		put16(ip + 4, (uint32_t)tcp_len);
		ip[6] = 6;
		ip[7] = 64;
		memcpy(ip + 8, from, 16);
		memcpy(ip + 24, server_ipv6, 16);
		pseudo = wire_sum(ip + 8, 32, (uint32_t)tcp_len + 6);
	} else {
		ip[0] = 0x45;
		put16(ip + 2, (uint32_t)(20 + tcp_len));
		ip[8] = 64;
		ip[9] = 6;
		memcpy(ip + 12, from, 4);
		memcpy(ip + 16, server_ipv4, 4);
		put16(ip + 10, (uint16_t)~wire_sum(ip, 20, 0));
		pseudo = wire_sum(ip + 12, 8, (uint32_t)tcp_len + 6);
	}
	put16(tcp_at + 16, 0);
	put16(tcp_at + 16, (uint16_t)~wire_sum(tcp_at, tcp_len, pseudo));
}

static void send_segment(struct client *c, uint8_t flags, uint32_t seq,
    const uint8_t *data, size_t len)
{
	uint8_t f[WIRE_FRAME_CAP];
	uint8_t *tcp = f + 14 + (c->ipv6 ? 40 : 20);
	uint32_t window = (flags & SYN) != 0 ? free_window(c) : tellable_window(c);
	size_t head = 20;

	if (c->muted)
		return;
	memset(tcp, 0, 20);
	put16(tcp, c->port);
	put16(tcp + 2, 80);
	put32(tcp + 4, seq);
	if ((flags & ACK) != 0)
		put32(tcp + 8, c->rcv_nxt);
	if ((flags & SYN) != 0) {
		head += put_options(c, tcp + 20);
		put16(tcp + 14, window < 65535 ? window : 65535);
	} else {
		put16(tcp + 14, window >> (c->scaled ? c->scale : 0));
	}
	tcp[12] = (uint8_t)(head / 4 << 4);
	tcp[13] = flags;
	if (len > 0)
		memcpy(tcp + head, data, len);
	frame_tcp(f, c->ipv6, c->ipv6 ? our_ipv6 : our_ipv4, tcp, head + len);
	if ((flags & ACK) != 0) {
		const uint32_t edge = c->rcv_nxt + window;

		if ((int32_t)(edge - c->offered) > 0)
			c->offered = edge;
		c->segments_unacked = 0;
	}
	carry(f, (size_t)(tcp - f) + head + len, true, false);
}

static void send_ack(struct client *c)
{
	send_segment(c, ACK, c->snd_nxt, NULL, 0);
}

/* Send what the server's window allows of `out`, and the FIN behind it. */
static void push(struct client *c)
{
	const uint32_t base = c->iss + 1;

	if (c->state != CLIENT_OPEN)
		return;
	while (c->snd_nxt - base < c->out_len &&
	    c->snd_nxt - c->snd_una < c->server_window) {
		const size_t off = c->snd_nxt - base;
		size_t n = c->out_len - off;

		if (n > 1460)
			n = 1460;
		if (n > c->server_window - (c->snd_nxt - c->snd_una))
			n = c->server_window - (c->snd_nxt - c->snd_una);
		send_segment(c, ACK | PSH, c->snd_nxt, c->out + off, n);
		c->snd_nxt += (uint32_t)n;
	}
	if (c->fin_sent && c->snd_nxt - base == c->out_len) {
		send_segment(c, FIN | ACK, c->snd_nxt, NULL, 0);
		c->snd_nxt++;
	}
	if (c->snd_nxt != c->snd_una && c->resend_ns == 0)
		c->resend_ns = wire_now_ns() + RESEND_NS;
}

static void resend(struct client *c)
{
	if (c->state == CLIENT_SYN_SENT)
		send_segment(c, SYN, c->iss, NULL, 0);
	c->snd_nxt = c->state == CLIENT_SYN_SENT ? c->iss + 1 : c->snd_una;
	c->resend_ns = wire_now_ns() + RESEND_NS;
	push(c);
}

/* ---- Segments from the server -------------------------------------------- */

/* Bytes of the stream, perhaps out of order, perhaps again. */
static void store(struct client *c, uint32_t seq, const uint8_t *data, size_t len)
{
	const size_t off = seq - (c->irs + 1);

	if ((int32_t)(seq - (c->irs + 1)) < 0 || off + len > c->got_cap) {
		check_that(false, "the server sent more than there is");
		return;
	}
	for (size_t i = 0; i < len; i++) {
		check_that(!c->have[off + i] || c->got[off + i] == data[i],
		    "a byte came a second time and was another");
		c->have[off + i] = 1;
		c->got[off + i] = data[i];
	}
	while (c->rcv_nxt - (c->irs + 1) < c->got_cap &&
	    c->have[c->rcv_nxt - (c->irs + 1)]) {
		c->rcv_nxt++;
		c->unread++;
	}
}

/* Take the reading program's time into account. */
static void read_some(struct client *c)
{
	const uint64_t now = wire_now_ns();
	uint64_t n;

	if (c->read_rate == UINT32_MAX) {
		c->unread = 0;
	} else {
		n = (now - c->last_read_ns) / MS * c->read_rate;
		if (n == 0)
			return;
		c->unread = c->unread > n ? c->unread - n : 0;
	}
	c->last_read_ns = now;
}

static void count(struct client *c, size_t len)
{
	c->segments++;
	c->short_segments += len > 0 && len < c->mss;
	c->payload_bytes += len;
	if (len > c->payload_max)
		c->payload_max = (uint32_t)len;
	if (c->burst_ns != wire_now_ns())
		c->burst = 0;
	c->burst_ns = wire_now_ns();
	c->burst += (uint32_t)len;
	if (c->burst > c->burst_max)
		c->burst_max = c->burst;
}

static void take_ack(struct client *c, uint32_t ack, uint32_t window)
{
	if ((int32_t)(ack - c->snd_una) >= 0 && (int32_t)(ack - c->snd_nxt) <= 0) {
		if (ack != c->snd_una)
			c->resend_ns = 0;
		c->snd_una = ack;
		c->server_window = window;
		c->fin_acked = c->fin_sent &&
		    ack - (c->iss + 1) == c->out_len + 1;
	}
	push(c);
}

static void take_data(struct client *c, const uint8_t *tcp, const uint8_t *data,
    size_t len)
{
	const uint32_t seq = get32(tcp + 4);
	const bool fin = (tcp[13] & FIN) != 0;
	const uint32_t expected = c->rcv_nxt;

	read_some(c);
	count(c, len);
	/*
	 * One byte beyond the edge is the probe of a closed window.  Where
	 * packets overtake each other, an acknowledgement may reach the server
	 * with an older window, which counts from it then (RFC 9293, section
	 * 3.10.7.4).
	 */
	check_that((int32_t)(seq + len - c->offered) <= (len == 1 ? 1 : 0) ||
	    network.loss_per_10000 > 0 || network.jitter_us > 0,
	    "a segment reaches beyond the window");
	check_that(c->mss < 256 || len <= c->mss, "a segment is longer than the MSS");
	/* Taken if there is room by now, whatever was offered. */
	if (len > 0 && ((int32_t)(seq + len - c->offered) <= 0 ||
	    seq + len - c->rcv_nxt <= free_window(c)))
		store(c, seq, data, len);
	if (fin && seq + len == c->rcv_nxt && !c->fin_received) {
		c->fin_received = true;
		c->rcv_nxt++;
	}
	if (len > 0 || fin) {
		c->segments_unacked++;
		if (c->segments_unacked >= c->ack_every || fin || seq != expected ||
		    (tcp[13] & PSH) != 0)
			send_ack(c);
	}
}

static void take_segment(struct client *c, const uint8_t *tcp, size_t len)
{
	const size_t head = 4u * (tcp[12] >> 4);
	const uint8_t flags = tcp[13];

	if ((flags & RST) != 0) {
		if (get32(tcp + 4) == c->rcv_nxt || c->state == CLIENT_SYN_SENT)
			c->state = CLIENT_RESET;
		return;
	}
	if ((flags & SYN) != 0) {
		bool scaled = false;

		for (size_t i = 20; i + 1 < head && tcp[i] != 0;
		    i += tcp[i] == 1 ? 1 : tcp[i + 1])
			scaled = scaled || tcp[i] == 3;
		if (c->state == CLIENT_SYN_SENT) {
			c->irs = get32(tcp + 4);
			c->rcv_nxt = c->irs + 1;
			c->offered = c->rcv_nxt;
			c->snd_una = c->snd_nxt = c->iss + 1;
			c->server_window = get16(tcp + 14);
			c->scaled = scaled;
			c->state = CLIENT_OPEN;
			c->resend_ns = 0;
		}
		send_ack(c);
		push(c);
		return;
	}
	if (c->state != CLIENT_OPEN)
		return;
	check_that((flags & ACK) != 0, "a segment without ACK");
	take_ack(c, get32(tcp + 8), get16(tcp + 14));
	take_data(c, tcp, tcp + head, len - head);
}

static struct client *find_client(uint32_t port, bool ipv6)
{
	for (size_t i = 0; i < clients_used; i++) {
		if (clients[i].state != CLIENT_IDLE && clients[i].port == port &&
		    clients[i].ipv6 == ipv6)
			return &clients[i];
	}
	return NULL;
}

/* ---- The world ----------------------------------------------------------- */

static void from_server(const uint8_t *frame, size_t len)
{
	uint8_t answer[WIRE_FRAME_CAP];
	const size_t n = neighbours_answer(frame, len, answer);

	if (n > 0)
		carry(answer, n, true, true);
	else
		carry(frame, len, false, false);
}

static void arrive(struct packet *p)
{
	const bool ipv6 = get16(p->bytes + 12) == 0x86dd;
	const uint8_t *ip = p->bytes + 14;
	const uint8_t *tcp = ip + (ipv6 ? 40 : 20);
	struct client *c;

	if (p->to_server) {
		wire_deliver(p->bytes, p->len, GATE_RX_UNCHECKED);
	} else if (ip[ipv6 ? 6 : 9] == 6) {
		c = find_client(get16(tcp + 2), ipv6);
		if (c != NULL)
			take_segment(c, tcp, p->len - (size_t)(tcp - p->bytes));
	}
	p->len = 0;
}

/* Packets that have arrived, programs that read, timers that have run out. */
static void run_world(void)
{
	const uint64_t now = wire_now_ns();
	uint64_t next = UINT64_MAX;

	for (;;) {
		struct packet *first = NULL;

		for (size_t i = 0; i < packets_used; i++) {
			if (packets[i].len != 0 && (first == NULL ||
			        packets[i].at_ns < first->at_ns))
				first = &packets[i];
		}
		if (first == NULL) {
			packets_used = 0;
			break;
		}
		if (first->at_ns > now) {
			next = first->at_ns;
			break;
		}
		arrive(first);
	}
	for (size_t i = 0; i < clients_used; i++) {
		struct client *c = &clients[i];

		if (c->state != CLIENT_OPEN && c->state != CLIENT_SYN_SENT)
			continue;
		if (c->resend_ns != 0 && c->resend_ns <= now)
			resend(c);
		if (c->resend_ns != 0 && c->resend_ns < next)
			next = c->resend_ns;
		if (c->state != CLIENT_OPEN)
			continue;
		read_some(c);
		/*
		 * Tell of a window that has opened by a segment or half of all.
		 */
		if (c->read_rate != 0 && c->read_rate != UINT32_MAX &&
		    (int32_t)(c->rcv_nxt + tellable_window(c) - c->offered) >=
		    (int32_t)(c->window_cap < 2920 ? 1 + c->window_cap / 2 : 1460))
			send_ack(c);
		if (c->unread > 0 && c->read_rate != 0 && now + MS < next)
			next = now + MS;
		/*
		 * Delayed acknowledgement: 40 ms at most, here at the next
		 * pause.
		 */
		if (c->segments_unacked > 0) {
			if (packets_used == 0)
				send_ack(c);
			else if (now + 40 * MS < next)
				next = now + 40 * MS;
		}
	}
	for (size_t i = 0; i < packets_used; i++) {
		if (packets[i].len != 0 && packets[i].at_ns < next)
			next = packets[i].at_ns;
	}
	wire_next_event_ns = next;
}

bool run_until(bool (*done)(void *arg), void *arg, uint32_t ms)
{
	const uint64_t end = wire_now_ns() + (uint64_t)ms * MS;

	for (;;) {
		run_world();
		if (wire_next_event_ns > end)
			wire_next_event_ns = end;
		if (done(arg))
			return true;
		if (wire_now_ns() >= end)
			return false;
		check_that(net_poll(), "the loop ended");
	}
}

static bool never(void *arg)
{
	(void)arg;
	return false;
}

void run_ms(uint32_t ms)
{
	(void)run_until(never, NULL, ms);
}

void clients_start(void)
{
	wire_on_frame = from_server;
}

struct client *client_open(size_t index, bool ipv6, size_t cap)
{
	static uint16_t next_port = 10000;
	struct client *c = &clients[index];

	if (clients_used <= index)
		clients_used = index + 1;
	free(c->got);
	free(c->have);
	*c = (struct client){
		.ipv6 = ipv6,
		.port = next_port,
		.mss = ipv6 ? 1440 : 1460,
		.scale = 7,
		.window_cap = 1u << 20,
		.read_rate = UINT32_MAX,
		.ack_every = 2,
		.got = calloc(1, cap + 1),
		.have = calloc(1, cap + 1),
		.got_cap = cap,
		.iss = (uint32_t)wire_random(),
		.last_read_ns = wire_now_ns(),
	};
	next_port = next_port == 65535 ? 10000 : (uint16_t)(next_port + 1);
	return c;
}

void client_connect(struct client *c)
{
	c->state = CLIENT_SYN_SENT;
	c->snd_una = c->snd_nxt = c->iss;
	resend(c);
}

void client_send(struct client *c, const void *data, size_t len)
{
	if (c->out_len + len > sizeof c->out) {
		check_that(false, "client's buffer");
		return;
	}
	memcpy(c->out + c->out_len, data, len);
	c->out_len += len;
	push(c);
}

void client_close(struct client *c)
{
	c->fin_sent = true;
	push(c);
}

void client_reset(struct client *c)
{
	if (c->state == CLIENT_OPEN)
		send_segment(c, RST | ACK, c->snd_nxt, NULL, 0);
	c->state = CLIENT_IDLE;
}

void client_forget(struct client *c)
{
	c->state = CLIENT_IDLE;
}

void client_forge(struct client *c, const struct forged *forged)
{
	uint8_t f[WIRE_FRAME_CAP];
	uint8_t *tcp = f + 14 + (c->ipv6 ? 40 : 20);
	const size_t head = 20 + forged->options_len;

	memset(tcp, 0, 20);
	put16(tcp, c->port);
	put16(tcp + 2, 80);
	put32(tcp + 4, c->snd_nxt + (uint32_t)forged->seq);
	put32(tcp + 8, c->rcv_nxt + (uint32_t)forged->ack);
	tcp[12] = (uint8_t)(head / 4 << 4);
	tcp[13] = forged->flags;
	put16(tcp + 14, forged->window);
	if (forged->options_len > 0)
		memcpy(tcp + 20, forged->options, forged->options_len);
	if (forged->data_len > 0)
		memcpy(tcp + head, forged->data, forged->data_len);
	frame_tcp(f, c->ipv6, c->ipv6 ? our_ipv6 : our_ipv4, tcp,
	    head + forged->data_len);
	carry(f, (size_t)(tcp - f) + head + forged->data_len, true, true);
}

void send_stray_syn(uint32_t number)
{
	uint8_t f[54];
	uint8_t *tcp = f + 34;
	const uint8_t from[4] = {
		10, 77, (uint8_t)(1 + number / 250), (uint8_t)(1 + number % 250)
	};

	memset(tcp, 0, 20);
	put16(tcp, 1024 + number);
	put16(tcp + 2, 80);
	put32(tcp + 4, (uint32_t)wire_random());
	tcp[12] = 5 << 4;
	tcp[13] = SYN;
	put16(tcp + 14, 1000);
	frame_tcp(f, false, from, tcp, 20);
	wire_deliver(f, sizeof f, GATE_RX_UNCHECKED);
}
