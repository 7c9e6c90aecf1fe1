/*
 * A world for the server; see wire.h.
 */
#include "tests/net/wire.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "config/limits.h"
#include "kernel/gate_check.h"

#define RX_OFF 2
#define FLYING_CAP LIMIT_TX_FRAMES
#define ALL_RIGHTS (GATE_RANGE_READ | GATE_RANGE_WRITE | GATE_RANGE_SEND)

struct gate_info wire_info;
struct net_needs wire_needs;
void (*wire_on_frame)(const uint8_t *frame, size_t len);
uint64_t wire_next_event_ns = UINT64_MAX;
uint32_t wire_nic_delay;
bool wire_nic_stuck;
uint32_t wire_nic_room = GATE_TX_BATCH;
bool wire_verbose;
bool wire_stop;

static struct gate_range range_list[4];
static struct gate_ranges ranges = { range_list, 0 };
static uint64_t random_state;

/* Frames towards the server. */
static struct {
	uint8_t bytes[WIRE_FRAME_CAP];
	size_t len;
	enum gate_rx_csum csum;
} waiting[256];
static size_t waiting_head, waiting_tail;

static bool with_server[LIMIT_RX_BUFFERS];

/*
 * Frames the NIC has taken and not reported: where their bytes are, and their
 * sum.
 */
static struct {
	uint16_t cookie;
	uint16_t slice_count;
	struct gate_slice slices[GATE_FRAME_SLICES];
	uint64_t sum;
} flying[FLYING_CAP];
static size_t flying_head, flying_tail;
static bool land_all;         /* the server sleeps: the NIC has time for the rest */

static void check_that(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "wire: %s\n", what);
	abort();
}

/* ---- Random numbers: splitmix64 ------------------------------------------ */

void wire_seed(uint64_t seed)
{
	random_state = seed;
}

uint64_t wire_random(void)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint32_t wire_random_below(uint32_t bound)
{
	return (uint32_t)(wire_random() % bound);
}

/* ---- Frames from the server ---------------------------------------------- */

uint16_t wire_sum(const uint8_t *data, size_t len, uint32_t start)
{
	uint64_t sum = start;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	if (len % 2 != 0)
		sum += (uint32_t)data[len - 1] << 8;
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/*
 * The sum of everything a transport checksum covers, the field itself included.
 */
static uint16_t transport_sum(const uint8_t *frame, size_t len, bool ipv6)
{
	const uint8_t *ip = frame + 14;
	const size_t head = ipv6 ? 40 : 20;
	const size_t transport_len = len - 14 - head;
	const uint32_t pseudo = wire_sum(ip + (ipv6 ? 8 : 12), ipv6 ? 32 : 8,
	    (uint32_t)transport_len + (ipv6 ? ip[6] : ip[9]));

	return wire_sum(ip + head, transport_len, pseudo);
}

/* One frame as it goes over the wire: its lengths and sums are right. */
static void emit(const uint8_t *frame, size_t len)
{
	const uint8_t *ip = frame + 14;
	const unsigned type = (unsigned)frame[12] << 8 | frame[13];

	check_that(len <= 14u + wire_info.mtu, "a frame is longer than the MTU");
	if (type == 0x0800) {
		const size_t total = (size_t)ip[2] << 8 | ip[3];

		check_that(ip[0] == 0x45 && total == len - 14, "IPv4 length");
		check_that(wire_sum(ip, 20, 0) == 0xffff, "IPv4 header checksum");
		if (ip[9] == 6 || (ip[9] == 17 && (ip[26] | ip[27]) != 0))
			check_that(transport_sum(frame, len, false) == 0xffff,
			    "TCP or UDP checksum, IPv4");
	} else if (type == 0x86dd) {
		const size_t total = (size_t)ip[4] << 8 | ip[5];

		check_that(total == len - 54, "IPv6 length");
		if (ip[6] == 6 || ip[6] == 17 || ip[6] == 58)
			check_that(transport_sum(frame, len, true) == 0xffff,
			    "checksum, IPv6");
	} else {
		check_that(type == 0x0806, "an unknown kind of frame");
	}
	if (wire_on_frame != NULL)
		wire_on_frame(frame, len);
}

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
	    (uint32_t)at[2] << 8 | at[3];
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

/*
 * Complete the checksum that the server left to the NIC: it holds the pseudo
 * sum.
 */
static void complete_sum(uint8_t *frame, size_t len, const struct gate_tx *tx)
{
	const uint16_t sum = wire_sum(frame + tx->csum_start,
	    len - tx->csum_start, 0);

	put16(frame + tx->csum_start + tx->csum_offset, (uint16_t)~sum);
}

/* Cut a long TCP segment into short ones, as a NIC does. */
static void emit_pieces(uint8_t *frame, size_t len, const struct gate_tx *tx)
{
	const bool ipv6 = tx->offload == GATE_TX_TSO6;
	const size_t ip_len = ipv6 ? 40 : 20;
	const uint8_t *tcp = frame + 14 + ip_len;
	const uint32_t seq = get32(tcp + 4);
	const uint8_t flags = tcp[13];
	/*
	 * The pseudo sum of the whole contains the whole length; take it out.
	 */
	static uint8_t piece[WIRE_FRAME_CAP];

	check_that(tx->csum_start == 14 + ip_len && tx->csum_offset == 16 &&
	    tx->header_len == tx->csum_start + 4u * (tcp[12] >> 4),
	    "offsets of a segment to be cut");
	check_that((flags & 0x06) == 0, "SYN or RST in a segment to be cut");
	check_that(tx->header_len + tx->gso_size <= 14u + wire_info.mtu,
	    "pieces longer than the MTU");
	check_that(len > (size_t)tx->header_len + tx->gso_size,
	    "one piece needs no cutting");
	for (size_t off = tx->header_len; off < len; off += tx->gso_size) {
		const size_t n = len - off < tx->gso_size ? len - off : tx->gso_size;
		const size_t piece_len = tx->header_len + n;
		uint8_t *ip = piece + 14;

		memcpy(piece, frame, tx->header_len);
		memcpy(piece + tx->header_len, frame + off, n);
		put32(piece + tx->csum_start + 4,
		    seq + (uint32_t)(off - tx->header_len));
		if (off + n < len)
			piece[tx->csum_start + 13] = flags & (uint8_t)~0x09;
		if (ipv6) {
			put16(ip + 4, (uint32_t)(piece_len - 54));
		} else {
			put16(ip + 2, (uint32_t)(piece_len - 14));
			put16(ip + 10, 0);
			put16(ip + 10, (uint16_t)~wire_sum(ip, 20, 0));
		}
		put16(piece + tx->csum_start + 16, 0);
		put16(piece + tx->csum_start + 16,
		    (uint16_t)~transport_sum(piece, piece_len, ipv6));
		emit(piece, piece_len);
	}
}

static void transmit(const struct gate_tx *tx, const struct gate_slice *slices)
{
	static uint8_t frame[GATE_FRAME_MAX];
	size_t len = 0;

	for (size_t i = 0; i < tx->slice_count; i++) {
		const struct gate_slice *s = &slices[tx->first_slice + i];

		memcpy(frame + len, s->addr, s->len);
		len += s->len;
	}
	if (tx->offload == GATE_TX_PLAIN) {
		emit(frame, len);
		return;
	}
	/* What the server put there is the pseudo-header's sum, no more. */
	complete_sum(frame, len, tx);
	check_that(transport_sum(frame, len,
	        frame[12] == 0x86) == 0xffff, "the pseudo-header's sum");
	if (tx->offload == GATE_TX_CSUM)
		emit(frame, len);
	else
		emit_pieces(frame, len, tx);
}

/* ---- The gate ------------------------------------------------------------ */

static uint64_t sum_slices(const struct gate_slice *slices, size_t count)
{
	uint64_t sum = 14695981039346656037u;

	for (size_t i = 0; i < count; i++) {
		const uint8_t *at = slices[i].addr;

		for (size_t k = 0; k < slices[i].len; k++)
			sum = (sum ^ at[k]) * 1099511628211u;
	}
	return sum;
}

static void take_off(const struct gate_tx *tx, const struct gate_slice *slices)
{
	const size_t at = flying_tail++ % FLYING_CAP;

	check_that(flying_tail - flying_head <= FLYING_CAP, "frames in flight");
	flying[at].cookie = tx->cookie;
	flying[at].slice_count = tx->slice_count;
	memcpy(flying[at].slices, slices + tx->first_slice,
	    tx->slice_count * sizeof slices[0]);
	flying[at].sum = sum_slices(flying[at].slices, tx->slice_count);
}

static uint16_t land(void)
{
	const size_t at = flying_head++ % FLYING_CAP;

	check_that(sum_slices(flying[at].slices, flying[at].slice_count) ==
	    flying[at].sum, "bytes of a frame changed before it was sent");
	return flying[at].cookie;
}

static void receive_frames(struct gate_net *net)
{
	net->rx_count = 0;
	for (uint16_t i = 0; i < wire_info.rx_count &&
	    waiting_head != waiting_tail && net->rx_count < GATE_RX_BATCH; i++) {
		const size_t at = waiting_head % ARRAY_LEN(waiting);

		if (with_server[i])
			continue;
		with_server[i] = true;
		waiting_head++;
		memcpy(wire_info.rx_base + i * wire_info.rx_size + RX_OFF,
		    waiting[at].bytes, waiting[at].len);
		net->rx[net->rx_count++] = (struct gate_rx){
			.buffer = i, .off = RX_OFF,
			.len = (uint16_t)waiting[at].len,
			.csum = (uint16_t)waiting[at].csum,
		};
	}
	net->more = waiting_head != waiting_tail;
}

enum gate_status gate_net(struct gate_net *net)
{
	static uint64_t unused[GATE_SLICE_BATCH];

	check_that(gate_check_counts(net) == GATE_OK, "counts of an exchange");
	for (size_t i = 0; i < net->tx_count; i++)
		check_that(gate_check_frame(&net->tx[i], net->slices,
		        net->slice_count, &ranges, wire_info.nic_features,
		        unused) == GATE_OK, "a frame that the kernel would refuse");
	for (size_t i = 0; i < net->give_count; i++) {
		check_that(net->give[i] < wire_info.rx_count &&
		    with_server[net->give[i]], "a buffer that is not the server's");
		with_server[net->give[i]] = false;
	}

	net->done_count = 0;
	while (flying_tail - flying_head > (land_all ? 0 : wire_nic_delay) &&
	    net->done_count < GATE_DONE_BATCH && !wire_nic_stuck)
		net->done[net->done_count++] = land();
	land_all = false;
	net->tx_taken = 0;
	while (net->tx_taken < net->tx_count && net->tx_taken < wire_nic_room) {
		const struct gate_tx *tx = &net->tx[net->tx_taken++];

		take_off(tx, net->slices);
		transmit(tx, net->slices);
	}
	receive_frames(net);
	return GATE_OK;
}

enum gate_status gate_wait(uint64_t deadline_ns, uint32_t *woke)
{
	uint64_t until = deadline_ns < wire_next_event_ns ?
	    deadline_ns : wire_next_event_ns;

	*woke = wire_stop ? GATE_WOKE_STOP : 0;
	land_all = true;
	if (waiting_head != waiting_tail ||
	    (flying_tail != flying_head && !wire_nic_stuck)) {
		*woke |= GATE_WOKE_NET;
		return GATE_OK;
	}
	if (until > wire_info.clock.ns_base)
		wire_info.clock.ns_base = until;
	if (wire_info.clock.ns_base >= deadline_ns)
		*woke |= GATE_WOKE_TIME;
	return GATE_OK;
}

enum gate_status gate_random(void *buf, size_t len)
{
	uint8_t *at = buf;

	check_that(len > 0 && len <= GATE_RANDOM_MAX, "random length");
	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)wire_random();
	return GATE_OK;
}

enum gate_status gate_log(const void *text, size_t len)
{
	check_that(len > 0 && len <= GATE_LOG_MAX, "console text length");
	if (wire_verbose)
		fwrite(text, 1, len, stderr);
	return GATE_OK;
}

/* There are no keys in this world. */
enum gate_status gate_sign(struct gate_sign *sign)
{
	(void)sign;
	return GATE_BAD_VALUE;
}

enum gate_status gate_stop(enum gate_stop how, const char *text, size_t len)
{
	fprintf(stderr, "gate_stop(%d): %.*s\n", (int)how, (int)len, text);
	abort();
}

/* ---- Tests' side --------------------------------------------------------- */

uint64_t wire_now_ns(void)
{
	return wire_info.clock.ns_base;
}

void wire_deliver(const uint8_t *frame, size_t len, enum gate_rx_csum csum)
{
	const size_t at = waiting_tail % ARRAY_LEN(waiting);

	if (waiting_tail - waiting_head == ARRAY_LEN(waiting) || len < 14)
		return;
	if (len > WIRE_FRAME_CAP)
		len = WIRE_FRAME_CAP;
	memcpy(waiting[at].bytes, frame, len);
	waiting[at].len = len;
	waiting[at].csum = csum;
	waiting_tail++;
}

static uint8_t *memory(size_t len)
{
	void *at = mmap(NULL, len, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check_that(at != MAP_FAILED, "out of memory");
	range_list[ranges.count++] = (struct gate_range){
		.start = (uint64_t)(uintptr_t)at, .len = len, .rights = ALL_RIGHTS,
	};
	return at;
}

void wire_start(const struct wire_options *options)
{
	extern char __executable_start[], _end[];
	static uint8_t keep[GATE_KEEP_LEN];
	static const uint8_t mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };

	wire_seed(options->seed);
	range_list[ranges.count++] = (struct gate_range){
		.start = (uint64_t)(uintptr_t)__executable_start,
		.len = (uint64_t)(_end - __executable_start),
		.rights = ALL_RIGHTS,
	};
	range_list[ranges.count++] = (struct gate_range){
		.start = (uint64_t)(uintptr_t)options->rom,
		.len = options->rom_len, .rights = GATE_RANGE_SEND,
	};
	if (options->keep != NULL)
		memcpy(keep, options->keep, sizeof keep);
	/* The clock stands still between gate calls: a factor of zero. */
	wire_info = (struct gate_info){
		.clock = { .ns_base = 1000000000u, .wall_ns = 1800000000000000000u },
		.version = GATE_VERSION,
		.nic_features = options->nic_features,
		.mtu = 1500,
		.rx_count = 64,
		.rx_size = LIMIT_RX_BUFFER_LEN,
		.restarts = options->restarts,
		.rx_base = memory(64 * LIMIT_RX_BUFFER_LEN),
		.rom = options->rom,
		.rom_len = options->rom_len,
		.pool = memory(options->pool_len),
		.pool_len = options->pool_len,
		.keep = keep,
	};
	memcpy(wire_info.mac, mac, sizeof mac);
	wire_info.cmdline_len = (uint32_t)strlen(options->cmdline);
	memcpy(wire_info.cmdline, options->cmdline, wire_info.cmdline_len);
}
