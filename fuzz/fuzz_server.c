/* links: @server tests/net/client.c tests/net/neighbours.c tests/net/wire.c
 * tests/http/tiny_rom.c kernel/gate_check.c */
/*
 * The whole of ring 3, as a stranger on the network meets it.
 *
 * Input: a sequence of steps, each a byte that says what, and what it needs
 * behind it. Frames come as they are, or repaired so that lengths and checksums
 * do not stop them; clients do a proper handshake, so that bytes reach HTTP;
 * segments are forged in a client's name with numbers near the right ones; time
 * passes.
 *
 * After each input every connection is ended, and every pool has to be as empty
 * as before.  The wire (tests/net/wire.h) checks each frame that the server
 * sends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/conn.h"
#include "net/net.h"
#include "net/nic.h"
#include "net/pools.h"
#include "tests/http/tiny_rom.h"
#include "tests/net/client.h"
#include "tests/net/neighbours.h"
#include "tests/net/wire.h"

#include "lwip/etharp.h"
#include "lwip/nd6.h"
#include "lwip/priv/tcp_priv.h"

#define STEPS_MAX 300
#define CLIENTS 8
#define ANSWER_CAP 65536

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum step {
	STEP_FRAME = 0,        /* length 2, frame */
	STEP_REPAIRED,         /* length 2, frame: put right below the transport */
	STEP_TIME,             /* 1: 2^n ms, up to 16 s */
	STEP_CONNECT,          /* client 1, MSS 2, scale 1, window 4 */
	STEP_SEND,             /* client 1, length 1, bytes */
	STEP_CLOSE,            /* client 1 */
	STEP_RESET,            /* client 1 */
	STEP_FORGET,           /* client 1 */
	STEP_FORGE,            /* client 1, struct forged */
	STEP_READ,             /* client 1, rate 1, acknowledge every 1 */
	STEP_NIC,              /* room 1, delay 1 */
	STEP_SYN,              /* 1: a stranger's */
	STEP_DHCP,             /* length 1, options: a message to our DHCP client */
	STEP_KINDS,
};

/* What is left of the input; reading beyond its end gives zeros. */
struct input {
	const uint8_t *at;
	size_t left;
};

static uint32_t take(struct input *in, size_t bytes)
{
	uint32_t value = 0;

	for (; bytes > 0 && in->left > 0; bytes--, in->at++, in->left--)
		value = value << 8 | *in->at;
	return value;
}

/* Up to `len` bytes; *got receives how many there are. */
static const uint8_t *take_bytes(struct input *in, size_t len, size_t *got)
{
	const uint8_t *at = in->at;

	*got = len < in->left ? len : in->left;
	in->at += *got;
	in->left -= *got;
	return at;
}

static void step_frame(struct input *in, bool repaired)
{
	const size_t wanted = take(in, 2) % 1515;
	uint8_t frame[1600] = { 0 };
	size_t len;
	const uint8_t *bytes = take_bytes(in, wanted, &len);

	memcpy(frame, bytes, len);
	if (repaired && len >= 14) {
		memcpy(frame, server_mac, 6);
		frame_repair(frame, len);
	}
	wire_deliver(frame, len, GATE_RX_UNCHECKED);
}

static void step_connect(struct input *in)
{
	const uint32_t which = take(in, 1);
	const size_t index = which % CLIENTS;
	struct client *c;

	client_reset(&clients[index]);
	c = client_open(index, (which & 0x80) != 0, ANSWER_CAP);
	c->mss = (uint16_t)take(in, 2);
	c->scale = (uint8_t)take(in, 1);
	c->window_cap = take(in, 4);
	if (c->scale > 14)
		c->scale = 255;
	client_connect(c);
	run_ms(2);
}

static void step_forge(struct input *in)
{
	struct client *c = &clients[take(in, 1) % CLIENTS];
	struct forged forged = { .flags = (uint8_t)take(in, 1) };
	size_t got;

	forged.seq = (int16_t)take(in, 2);
	forged.ack = (int16_t)take(in, 2);
	forged.window = (uint16_t)take(in, 2);
	forged.options = take_bytes(in, take(in, 1) % 11 * 4, &got);
	forged.options_len = got / 4 * 4;
	forged.data = take_bytes(in, take(in, 2) % 1400, &forged.data_len);
	if (c->state == CLIENT_OPEN || c->state == CLIENT_SYN_SENT)
		client_forge(c, &forged);
}

/* Behind a BOOTP header with everything right in it. */
static void step_dhcp(struct input *in)
{
	static const uint8_t cookie[4] = { 0x63, 0x82, 0x53, 0x63 };
	uint8_t f[42 + 240 + 256] = { 0 };
	size_t len;
	const uint8_t *options = take_bytes(in, take(in, 1), &len);
	uint8_t *bootp = f + 42;

	frame_start(f, 0x0800);
	f[14 + 8] = 64;
	f[14 + 9] = 17;
	memcpy(f + 26, our_ipv4, 4);
	put16(f + 34, 67);
	put16(f + 36, 68);
	bootp[0] = 2;
	bootp[1] = 1;
	bootp[2] = 6;
	memcpy(bootp + 4, neighbours.dhcp_xid, 4);
	memcpy(bootp + 16, server_ipv4, 4);
	memcpy(bootp + 28, server_mac, 6);
	memcpy(bootp + 236, cookie, 4);
	memcpy(bootp + 240, options, len);
	frame_repair(f, 42 + 240 + len);
	wire_deliver(f, 42 + 240 + len, GATE_RX_VOUCHED);
}

static void step_send(struct input *in)
{
	struct client *c = &clients[take(in, 1) % CLIENTS];
	size_t len;
	const uint8_t *bytes = take_bytes(in, take(in, 1), &len);

	if (c->state == CLIENT_OPEN)
		client_send(c, bytes, len);
}

static void step_read(struct input *in)
{
	struct client *c = &clients[take(in, 1) % CLIENTS];

	c->read_rate = take(in, 1);
	c->ack_every = 1 + take(in, 1);
}

static struct client *open_client(struct input *in)
{
	static struct client nobody;
	struct client *c = &clients[take(in, 1) % CLIENTS];

	return c->state == CLIENT_OPEN ? c : &nobody;
}

static void one_step(struct input *in)
{
	switch ((enum step)(take(in, 1) % STEP_KINDS)) {
	case STEP_FRAME:
		step_frame(in, false);
		break;
	case STEP_REPAIRED:
		step_frame(in, true);
		break;
	case STEP_TIME:
		run_ms(1u << take(in, 1) % 15);
		break;
	case STEP_CONNECT:
		step_connect(in);
		break;
	case STEP_SEND:
		step_send(in);
		break;
	case STEP_CLOSE:
		client_close(open_client(in));
		break;
	case STEP_RESET:
		client_reset(open_client(in));
		break;
	case STEP_FORGET:
		client_forget(open_client(in));
		break;
	case STEP_FORGE:
		step_forge(in);
		break;
	case STEP_READ:
		step_read(in);
		break;
	case STEP_NIC:
		wire_nic_room = 1 + take(in, 1) % GATE_TX_BATCH;
		wire_nic_delay = take(in, 1);
		break;
	case STEP_SYN:
		send_stray_syn(take(in, 1));
		break;
	case STEP_DHCP:
		step_dhcp(in);
		break;
	case STEP_KINDS:
		break;
	}
	run_ms(1);
}

/* ---- After an input ------------------------------------------------------ */

static bool is_idle(void *arg)
{
	(void)arg;
	for (enum pool_id id = 0; id < POOL_COUNT; id++) {
		/* Multicast groups and listeners stay. */
		if (pool_level(id) != 0 && id != POOL_OTHER)
			return false;
	}
	return nic_frames_out() == 0 && nic_buffers_held() == 0;
}

static void end_everything(void)
{
	for (size_t i = 0; i < CLIENTS; i++)
		client_forget(&clients[i]);
	wire_nic_room = GATE_TX_BATCH;
	wire_nic_delay = 0;
	while (tcp_active_pcbs != NULL)
		tcp_abort(tcp_active_pcbs);
	while (tcp_tw_pcbs != NULL)
		tcp_abort(tcp_tw_pcbs);
	/*
	 * What was learnt of neighbours and routers is forgotten, with the
	 * packets that wait for them: a router that does not answer is waited
	 * for without end.
	 */
	etharp_cleanup_netif(netif_default);
	nd6_cleanup_netif(netif_default);
	nd6_restart_netif(netif_default);
	if (!run_until(is_idle, NULL, 120000)) {
		char line[512];

		fprintf(stderr, "left behind: %.*s",
		    (int)pools_format(line, sizeof line), line);
		abort();
	}
	/* The router speaks again. */
	run_ms(5000);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const struct http_settings settings = { .log = true };
	const struct romfs *fs = tiny_rom();

	(void)argc;
	(void)argv;
	/* The address that SLAAC makes of this MAC: RFC 4291, appendix A. */
	memcpy(server_ipv6 + 8, (const uint8_t[]){
		0x50, 0x54, 0, 0xff, 0xfe, 0x12, 0x34, 0x56 }, 8);
	wire_start(&(struct wire_options){
		.nic_features = GATE_NIC_CSUM_TX | GATE_NIC_TSO4 | GATE_NIC_TSO6,
		.cmdline = "log=off",
		.pool_len = 1u << 20,
		.rom = fs->image,
		.rom_len = fs->image_len,
		.seed = 1,
	});
	if (net_start(&wire_info, &wire_needs) != NULL)
		abort();
	http_conn_start(fs, &settings, (struct http_text){ 0 });
	if (!stream_listen_plain(80, &http_app))
		abort();
	clients_start();
	clients_check = false;
	run_ms(8000);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct input in = { data, len };

	wire_seed(1);
	for (int i = 0; i < STEPS_MAX && in.left > 0; i++)
		one_step(&in);
	run_ms(50);
	end_everything();
	return 0;
}
