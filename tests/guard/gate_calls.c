/*
 * Every gate call refuses pointers, lengths and values that reach outside, and
 * says so with the right status; a refused call changes nothing.
 *
 * case numbers: gate calls refused as they should
 * case random: gate calls refused as they should
 * case log: gate calls refused as they should
 * case wait: gate calls refused as they should
 * case stop: gate calls refused as they should
 * case net_block: gate calls refused as they should
 * case places: gate calls refused as they should
 * case log_control: log \?{160} end
 * case stop_control: stop \?{160} end
 */
#include "config/limits.h"
#include "tests/guard/guard.h"

static struct gate_net net;
static uint8_t bytes[2048];

static void expect(const char *what, enum gate_status got, enum gate_status want)
{
	if (got != want)
		survived(what);
}

/* A call by any number, past the typed wrappers. */
static uint64_t raw_call(uint64_t number)
{
	uint64_t status = number, a1 = (uint64_t)bytes, a2 = 8, a3 = 0;

	__asm__ volatile("syscall"
	    : "+a"(status), "+D"(a1), "+S"(a2), "+d"(a3)
	    : : "rcx", "r8", "r9", "r10", "r11", "memory");
	return status;
}

static void try_numbers(void)
{
	static const uint64_t none[] = {
		0, 7, 8, 63, 1ULL << 31, 1ULL << 32 | 5, 1ULL << 63, ~0ULL,
	};

	for (unsigned i = 0; i < ARRAY_LEN(none); i++)
		if (raw_call(none[i]) != GATE_BAD_CALL)
			survived("a call that no number names");
}

/* Addresses with lengths that each leave the server's memory in another way. */
static void try_random(const struct gate_info *info)
{
	uint8_t *end = info->pool + info->pool_len;

	expect("random: length 0", gate_random(bytes, 0), GATE_BAD_VALUE);
	expect("random: too long", gate_random(bytes, GATE_RANDOM_MAX + 1),
	    GATE_BAD_VALUE);
	expect("random: huge", gate_random(bytes, ~0ULL), GATE_BAD_VALUE);
	expect("random: null", gate_random(NULL, 8), GATE_BAD_RANGE);
	expect("random: one byte over", gate_random(end - 15, 16), GATE_BAD_RANGE);
	expect("random: before", gate_random(info->pool - 1, 16), GATE_BAD_RANGE);
	expect("random: wraps", gate_random((void *)~0ULL, 16), GATE_BAD_RANGE);
	expect("random: hole", gate_random((void *)(1ULL << 47), 16), GATE_BAD_RANGE);
	expect("random: exact", gate_random(end - 16, 16), GATE_OK);
	expect("random: longest", gate_random(bytes, GATE_RANDOM_MAX), GATE_OK);
}

static void try_log(const struct gate_info *info)
{
	expect("log: length 0", gate_log(bytes, 0), GATE_BAD_VALUE);
	expect("log: too long", gate_log(bytes, GATE_LOG_MAX + 1), GATE_BAD_VALUE);
	expect("log: huge", gate_log(bytes, 1ULL << 40), GATE_BAD_VALUE);
	expect("log: null", gate_log(NULL, 8), GATE_BAD_RANGE);
	expect("log: over", gate_log(info->pool + info->pool_len - 4, 8),
	    GATE_BAD_RANGE);
	expect("log: the ROM", gate_log(info->rom, 8), GATE_BAD_RANGE);
}

static void try_wait(const struct gate_info *info)
{
	uint32_t woke = 7;

	expect("wait: null", gate_wait(0, NULL), GATE_BAD_RANGE);
	expect("wait: over", gate_wait(0, (uint32_t *)(info->pool + info->pool_len - 3)),
	    GATE_BAD_RANGE);
	expect("wait: rodata", gate_wait(0, (uint32_t *)server_main), GATE_BAD_RANGE);
	if (woke != 7)
		survived("a refused wait that wrote");
	expect("wait: now", gate_wait(0, &woke), GATE_OK);
	if (!(woke & GATE_WOKE_TIME))
		survived("a wait for now that did not say so");
	const uint64_t deadline_ns = gate_now_ns(info) + 20000000;

	do
		expect("wait: 20 ms", gate_wait(deadline_ns, &woke), GATE_OK);
	while (!(woke & GATE_WOKE_TIME));
	if (gate_now_ns(info) < deadline_ns)
		survived("a wait that ended before its time");
}

static void try_stop(const struct gate_info *info)
{
	expect("stop: kind", gate_stop((enum gate_stop)4, NULL, 0), GATE_BAD_VALUE);
	expect("stop: kind -1", gate_stop((enum gate_stop)-1, NULL, 0), GATE_BAD_VALUE);
	expect("stop: too long", gate_stop(GATE_STOP_POWER_OFF, (char *)bytes,
	    GATE_LOG_MAX + 1), GATE_BAD_VALUE);
	expect("stop: null", gate_stop(GATE_STOP_POWER_OFF, NULL, 1), GATE_BAD_RANGE);
	expect("stop: the ROM", gate_stop(GATE_STOP_POWER_OFF,
	    (const char *)info->rom, 8), GATE_BAD_RANGE);
}

static void net_with(uint16_t tx, uint16_t slices, uint16_t give, uint16_t zero)
{
	memset(&net, 0, sizeof net);
	net.tx_count = tx;
	net.slice_count = slices;
	net.give_count = give;
	net.zero = zero;
}

static void try_net_block(const struct gate_info *info)
{
	expect("net: null", gate_net(NULL), GATE_BAD_RANGE);
	expect("net: wraps", gate_net((void *)~0xffULL), GATE_BAD_RANGE);
	expect("net: one byte over", gate_net((struct gate_net *)
	    (info->pool + info->pool_len - sizeof net + 1)), GATE_BAD_RANGE);
	net_with(GATE_TX_BATCH + 1, 1, 0, 0);
	expect("net: tx count", gate_net(&net), GATE_BAD_VALUE);
	net_with(0, GATE_SLICE_BATCH + 1, 0, 0);
	expect("net: slice count", gate_net(&net), GATE_BAD_VALUE);
	net_with(0, 0, GATE_GIVE_BATCH + 1, 0);
	expect("net: give count", gate_net(&net), GATE_BAD_VALUE);
	net_with(0xffff, 0xffff, 0xffff, 0);
	expect("net: all counts", gate_net(&net), GATE_BAD_VALUE);
	net_with(0, 0, 0, 1);
	expect("net: zero field", gate_net(&net), GATE_BAD_VALUE);
	net_with(0, 0, 1, 0);
	net.give[0] = 0;
	expect("net: give what the device has", gate_net(&net), GATE_BAD_VALUE);
	net.give[0] = info->rx_count;
	expect("net: give one beyond", gate_net(&net), GATE_BAD_VALUE);
	net.give[0] = 0xffff;
	expect("net: give -1", gate_net(&net), GATE_BAD_VALUE);
	net_with(0, 0, 0, 0);
	expect("net: empty", gate_net(&net), GATE_OK);
}

/* Blocks that are legal, if odd: any alignment, in memory the NIC writes to. */
static void try_places(const struct gate_info *info)
{
	uint8_t *const at[] = {
		info->pool + 1, info->pool + info->pool_len - sizeof net,
		info->rx_base, info->rx_base + info->rx_size - 7, info->keep,
	};

	for (unsigned i = 0; i < ARRAY_LEN(at) - 1; i++) {
		struct gate_net *odd = (struct gate_net *)at[i];

		memset(at[i], 0, sizeof net);
		expect("net: an odd place", gate_net(odd), GATE_OK);
		/* A frame that is the block itself, which the call overwrites. */
		at[i][0] = at[i][2] = 1;
		odd->tx[0].slice_count = 1;
		odd->slices[0] = (struct gate_slice){ .addr = odd, .len = 64 };
		expect("net: a frame that is the block", gate_net(odd), GATE_OK);
		if (odd->tx_taken != 1)
			survived("a frame that was not taken");
	}
	expect("net: a block longer than the keep page",
	    gate_net((struct gate_net *)at[4]), GATE_BAD_RANGE);
	expect("wait: odd", gate_wait(0, (uint32_t *)(info->pool + 4093)), GATE_OK);
}

/* All bytes that are neither text nor a line's end; returns how many. */
static size_t control_bytes(char *to)
{
	size_t n = 0;

	for (unsigned c = 0; c < 256; c++)
		if (c != '\n' && (c < 0x20 || c >= 0x7f))
			to[n++] = (char)c;
	return n;
}

/* A terminal never gets a byte from the server that it could take as a command. */
static void try_control(bool stop)
{
	char text[200];
	size_t len = 0;

	memcpy(text, stop ? "stop " : "log  ", 5);
	len = 5 - !stop;
	len += control_bytes(text + len);
	memcpy(text + len, " end", 4);
	if (stop)
		expect("stop", gate_stop(GATE_STOP_REFUSED, text, len + 4), GATE_OK);
	expect("log: control bytes", gate_log(text, len + 4), GATE_OK);
	end();
}

void server_main(const struct gate_info *info)
{
	if (case_is(info, "numbers"))
		try_numbers();
	if (case_is(info, "random"))
		try_random(info);
	if (case_is(info, "log"))
		try_log(info);
	if (case_is(info, "wait"))
		try_wait(info);
	if (case_is(info, "stop"))
		try_stop(info);
	if (case_is(info, "net_block"))
		try_net_block(info);
	if (case_is(info, "places"))
		try_places(info);
	if (case_is(info, "log_control") || case_is(info, "stop_control"))
		try_control(case_is(info, "stop_control"));
	say("gate calls refused as they should\n");
	end();
}
