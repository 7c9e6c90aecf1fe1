/*
 * A frame to send can only be made of the server's own memory and the ROM: the NIC
 * can never be made to read the kernel's, or anything that is not there.
 *
 * case kernel cpu=max,-umip: frames refused as they should
 * case outside: frames refused as they should
 * case shape: frames refused as they should
 * case offload: frames refused as they should
 * case batch: frames refused as they should
 */
#include "config/limits.h"
#include "tests/guard/guard.h"

static struct gate_net net;
static uint8_t frame[1600];

static void one_slice(const void *addr, uint32_t len)
{
	memset(&net, 0, sizeof net);
	net.tx_count = 1;
	net.slice_count = 1;
	net.tx[0].slice_count = 1;
	net.slices[0].addr = addr;
	net.slices[0].len = len;
}

static void expect(const char *what, enum gate_status want)
{
	if (gate_net(&net) != want)
		survived(what);
	if (want != GATE_OK && net.tx_taken != 0)
		survived("a refused frame that was taken");
}

static void refused_at(const char *what, const void *addr, uint32_t len)
{
	one_slice(addr, len);
	expect(what, GATE_BAD_RANGE);
	/* The same as the last of several slices. */
	one_slice(frame, 64);
	net.tx[0].slice_count = 3;
	net.slice_count = 3;
	net.slices[1] = net.slices[0];
	net.slices[2] = (struct gate_slice){ .addr = addr, .len = len };
	expect(what, GATE_BAD_RANGE);
}

static void try_kernel(const struct gate_info *info)
{
	uint8_t *kernel = kernel_address();

	(void)info;
	refused_at("a slice in the kernel's image", kernel, 64);
	refused_at("a slice before it", kernel - 4096, 64);
	refused_at("the same address without its upper bits",
	    (void *)((uint64_t)kernel & 0x7fffffffffff), 64);
}

static void try_outside(const struct gate_info *info)
{
	refused_at("null", NULL, 64);
	refused_at("physical 1 MiB", (void *)0x100000, 64);
	refused_at("the end of the address space", (void *)~0x1fULL, 64);
	refused_at("one byte past the ROM",
	    info->rom + info->rom_len - 63, 64);
	refused_at("before the ROM", info->rom - 1, 64);
	refused_at("one byte past the pool",
	    info->pool + info->pool_len - 63, 64);
	refused_at("one byte past the receive buffers",
	    info->rx_base + info->rx_count * info->rx_size - 63, 64);
	refused_at("the kernel's information page", info, 64);
	one_slice(info->rom, 64);
	expect("a slice in the ROM", GATE_OK);
	one_slice(info->rom + info->rom_len - 64, 64);
	expect("the ROM's last bytes", GATE_OK);
	one_slice(frame, 64);
	expect("a slice in our own memory", GATE_OK);
}

static void try_shape(void)
{
	one_slice(frame, 0);
	expect("an empty slice", GATE_BAD_VALUE);
	one_slice(frame, GATE_FRAME_MIN - 1);
	expect("a frame without a header", GATE_BAD_VALUE);
	one_slice(frame, 1515);
	expect("a plain frame of 1515 bytes", GATE_BAD_VALUE);
	one_slice(frame, 64);
	net.slices[0].zero = 1;
	expect("a slice with a mark in its zero", GATE_BAD_VALUE);
	one_slice(frame, 64);
	net.tx[0].slice_count = 0;
	expect("a frame of no slices", GATE_BAD_VALUE);
	one_slice(frame, 64);
	net.tx[0].slice_count = 2;
	expect("a frame of more slices than passed", GATE_BAD_VALUE);
	one_slice(frame, 64);
	net.tx[0].first_slice = 1;
	expect("a frame that starts beyond them", GATE_BAD_VALUE);
	one_slice(frame, 64);
	net.tx[0].first_slice = 0xffff;
	net.tx[0].slice_count = 0xffff;
	expect("a frame with wrapping slice numbers", GATE_BAD_VALUE);
	one_slice(frame, 0xffffffff);
	expect("a slice of 4 GiB", GATE_BAD_VALUE);
	one_slice(frame, 2);
	net.slice_count = GATE_FRAME_SLICES + 1;
	for (unsigned i = 1; i <= GATE_FRAME_SLICES; i++)
		net.slices[i] = net.slices[0];
	net.tx[0].slice_count = GATE_FRAME_SLICES + 1;
	expect("a frame of too many slices", GATE_BAD_VALUE);
}

static void try_offload(const struct gate_info *info)
{
	one_slice(frame, 64);
	net.tx[0].offload = 9;
	expect("an offload nobody knows", GATE_BAD_VALUE);
	one_slice(frame, 64);
	net.tx[0].offload = GATE_TX_CSUM;
	net.tx[0].csum_start = 60;
	net.tx[0].csum_offset = 16;
	expect("a checksum beyond the frame", GATE_BAD_VALUE);
	net.tx[0].csum_start = 0xffff;
	net.tx[0].csum_offset = 0xffff;
	expect("a checksum that wraps", GATE_BAD_VALUE);
	one_slice(frame, 1000);
	net.tx[0].offload = GATE_TX_TSO4;
	net.tx[0].csum_start = 34;
	net.tx[0].csum_offset = 16;
	net.tx[0].header_len = 54;
	net.tx[0].gso_size = 1;
	expect("a TSO frame of one-byte segments", GATE_BAD_VALUE);
	net.tx[0].gso_size = 536;
	net.tx[0].header_len = 1001;
	expect("a TSO header longer than its slice", GATE_BAD_VALUE);
	net.tx[0].header_len = 54;
	expect("TSO as the NIC offers it",
	    info->nic_features & GATE_NIC_TSO4 ? GATE_OK : GATE_BAD_VALUE);
}

/* One bad frame among good ones: nothing of the batch is sent. */
static void try_batch(void)
{
	one_slice(frame, 64);
	net.tx_count = GATE_TX_BATCH;
	for (unsigned i = 1; i < GATE_TX_BATCH; i++)
		net.tx[i] = net.tx[0];
	net.slice_count = 2;
	net.slices[1].addr = NULL;
	net.slices[1].len = 64;
	net.tx[GATE_TX_BATCH - 1].first_slice = 1;
	expect("a batch with a bad last frame", GATE_BAD_RANGE);
	memset(&net, 0, sizeof net);
	expect("an empty call", GATE_OK);
	if (net.done_count != 0)
		survived("completions of frames that were refused");
}

void server_main(const struct gate_info *info)
{
	if (case_is(info, "kernel"))
		try_kernel(info);
	if (case_is(info, "outside"))
		try_outside(info);
	if (case_is(info, "shape"))
		try_shape();
	if (case_is(info, "offload"))
		try_offload(info);
	if (case_is(info, "batch"))
		try_batch();
	say("frames refused as they should\n");
	end();
}
