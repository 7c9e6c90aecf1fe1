/* links: kernel/vnet.c kernel/virtio.c kernel/vq.c tests/kernel/fake_nic.c
 * tests/host_panic.c */
/*
 * The NIC driver and its queues against a device that writes what the input says,
 * wherever it can reach: rings, descriptors, buffers, its registers.
 *
 * A model of who owns each buffer and each cookie runs alongside.  Whatever the
 * device does: a buffer is handed to the server only when it is not the server's,
 * a cookie comes back exactly once, a frame lies inside its buffer, and nothing
 * is touched outside (which AddressSanitizer sees).
 *
 * Input: a sequence of operations, one byte each, followed by their arguments.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/vnet.h"
#include "tests/kernel/fake_nic.h"

#define COOKIES 4096

static struct {
	const uint8_t *at, *end;
} in;

static struct {
	bool with_server[LIMIT_RX_BUFFERS];
	bool in_flight[COOKIES];
	uint16_t next_cookie;
} model;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* ---- Input --------------------------------------------------------------- */

static uint8_t get8(void)
{
	return in.at < in.end ? *in.at++ : 0;
}

static uint16_t get16(void)
{
	const uint16_t low = get8();

	return (uint16_t)(low | get8() << 8);
}

static uint32_t get32(void)
{
	const uint32_t low = get16();

	return low | (uint32_t)get16() << 16;
}

/* ---- The server's side --------------------------------------------------- */

static void server_sends(void)
{
	struct vnet_slice slices[GATE_FRAME_SLICES];
	struct gate_tx tx = { .offload = get8() % 4 };
	const uint16_t n = 1 + get8() % GATE_FRAME_SLICES;

	for (uint16_t i = 0; i < n; i++)
		slices[i] = (struct vnet_slice){ .pa = 0x5000u + i, .len = 1u + i };
	tx.cookie = model.next_cookie;
	if (model.in_flight[tx.cookie] || !vnet_tx(slices, n, &tx))
		return;
	model.in_flight[tx.cookie] = true;
	model.next_cookie = (uint16_t)((tx.cookie + 1) % COOKIES);
}

static void server_collects_sent(void)
{
	uint16_t cookies[GATE_DONE_BATCH];
	const uint16_t n = vnet_tx_done(cookies, get8());

	for (uint16_t i = 0; i < n; i++) {
		ASSERT(cookies[i] < COOKIES && model.in_flight[cookies[i]]);
		model.in_flight[cookies[i]] = false;
	}
}

static void server_receives(void)
{
	struct gate_rx rx[GATE_RX_BATCH];
	bool more;
	const uint16_t cap = get8() % (GATE_RX_BATCH + 1);
	const uint16_t n = vnet_rx(rx, cap, &more);

	ASSERT(n <= cap);
	for (uint16_t i = 0; i < n; i++) {
		ASSERT(rx[i].buffer < LIMIT_RX_BUFFERS);
		ASSERT(!model.with_server[rx[i].buffer]);
		ASSERT(rx[i].len >= GATE_FRAME_MIN);
		ASSERT(rx[i].off + rx[i].len <= LIMIT_RX_BUFFER_LEN);
		model.with_server[rx[i].buffer] = true;
	}
}

static void server_gives(void)
{
	uint16_t list[8];
	const uint16_t n = get8() % 8;
	bool fine = true;

	for (uint16_t i = 0; i < n; i++) {
		list[i] = get16() % (LIMIT_RX_BUFFERS + 8);
		if (list[i] >= LIMIT_RX_BUFFERS || !model.with_server[list[i]])
			fine = false;
		for (uint16_t j = 0; j < i; j++) {
			if (list[j] == list[i])
				fine = false;
		}
	}
	ASSERT(vnet_can_give(list, n) == fine);
	for (uint16_t i = 0; fine && i < n; i++) {
		vnet_give(list[i]);
		model.with_server[list[i]] = false;
	}
}

static void server_gives_all(void)
{
	for (uint16_t i = 0; i < LIMIT_RX_BUFFERS; i++) {
		if (!model.with_server[i])
			continue;
		vnet_give(i);
		model.with_server[i] = false;
	}
}

static void server_restarts(void)
{
	if (vnet_restart() == NULL)
		ASSERT(vnet_check() == NULL);
	memset(&model, 0, sizeof model);
}

/* ---- The device's side --------------------------------------------------- */

/* Complete the chain that is next in the available ring, as a sound device would. */
static void device_completes_next(unsigned q)
{
	struct fake_queue *fq = &fake_nic.queue[q];
	const uint32_t len = get16() % (LIMIT_RX_BUFFER_LEN + 4);

	if (fq->size == 0 || fq->at == fq->avail->idx)
		return;
	fake_nic_complete(q, fq->avail->ring[fq->at++ & (fq->size - 1)], len);
}

static void device_completes_any(void)
{
	const unsigned q = get8() % 2;
	const uint32_t id = get32();

	if (fake_nic.queue[q].size != 0)
		fake_nic_complete(q, id, get32());
}

static void device_writes_rings(void)
{
	const uint32_t off = get16() % FAKE_RING_LEN;

	for (uint32_t n = get8() % 32; n > 0; n--)
		fake_nic.ring[(off + n) % FAKE_RING_LEN] = get8();
}

static void device_sets_index(void)
{
	struct fake_queue *fq = &fake_nic.queue[get8() % 2];
	const uint16_t idx = get16();

	if (fq->size != 0)
		fq->used->idx = idx;
}

static void device_writes_buffers(void)
{
	const uint32_t off = get32() % (FAKE_RX_LEN - 4);

	store_le32(fake_nic.rx + off, get32());
}

static void device_changes_its_mind(void)
{
	const uint8_t what = get8();

	fake_nic.status |= what & 64;
	fake_nic.fails_to_start = (what & 1) != 0;
	if (what & 2)
		fake_nic.offers ^= 1ull << (get8() & 63);
	if (what & 4)
		fake_nic.queue_max[get8() % 2] = get16();
}

static void one_step(void)
{
	switch (get8() % 16) {
	case 0: server_sends(); break;
	case 1: vnet_tx_commit(); break;
	case 2: server_collects_sent(); break;
	case 3: server_receives(); break;
	case 4: server_gives(); break;
	case 5: server_gives_all(); break;
	case 6: (void)vnet_wake_on(true); break;
	case 7: (void)vnet_wake_on(false); break;
	case 8: device_completes_next(0); break;
	case 9: device_completes_next(1); break;
	case 10: device_completes_any(); break;
	case 11: device_writes_rings(); break;
	case 12: device_sets_index(); break;
	case 13: device_writes_buffers(); break;
	case 14: device_changes_its_mind(); (void)vnet_check(); break;
	case 15: server_restarts(); break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	in.at = data;
	in.end = data + len;
	memset(&model, 0, sizeof model);
	fake_nic_clear();
	if (vnet_start("") != NULL || vnet_set_buffers(FAKE_RX_PA,
	    LIMIT_RX_BUFFERS, LIMIT_RX_BUFFER_LEN) != NULL ||
	    vnet_restart() != NULL)
		abort();              /* a sound device was refused */
	while (in.at < in.end)
		one_step();
	return 0;
}
