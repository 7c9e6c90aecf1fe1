/*
 * The gate, kernel side.  Each call copies what the server passed, checks the copy
 * completely (gate_check.c), and only then acts: after the checks nothing refuses.
 *
 * What a frame or a log line means is never looked at here.
 */
#include "kernel/gate_kernel.h"

#include <string.h>

#include "config/limits.h"
#include "config/wipe.h"
#include "kernel/clock.h"
#include "kernel/console.h"
#include "kernel/gate_check.h"
#include "kernel/irq.h"
#include "kernel/power.h"
#include "kernel/random.h"
#include "kernel/server.h"
#include "kernel/vault.h"
#include "kernel/vnet.h"

#define TICK_NS 1000000000ULL
#define POLL_NS 1000000ULL        /* between looks at a NIC without interrupts */
#define STOP_GRACE_NS ((LIMIT_STOP_MS + 2000) * 1000000ULL)

/* Copies of one gate_net() block; valid during the call. */
static struct gate_net block;
static struct vnet_slice slices[GATE_SLICE_BATCH];
static uint64_t slice_pa[GATE_SLICE_BATCH];
static struct gate_sign to_sign;  /* copy of a gate_sign() block; during the call */

static uint64_t calls;            /* gate calls so far, for the watchdog */
static uint64_t calls_at_tick;
static uint32_t silent_ticks;
static uint64_t stop_by_ns;       /* 0: nobody asked for a stop */
static bool stop_told;
static uint64_t next_look_ns;

static void copy_in(void *to, uint64_t from, size_t len)
{
	user_access_begin();
	memcpy(to, (const void *)from, len);
	user_access_end();
}

static void copy_out(uint64_t to, const void *from, size_t len)
{
	user_access_begin();
	memcpy((void *)to, from, len);
	user_access_end();
}

static bool server_has(uint64_t addr, uint64_t len, uint32_t rights)
{
	return gate_find_range(server_ranges(), addr, len, rights) != NULL;
}

/* ---- Network ------------------------------------------------------------------ */

/*
 * Element by element: the counts are small, and each copy becomes a few moves
 * instead of a call.
 */
static enum gate_status net_copy_in(uint64_t from)
{
	const struct gate_net *theirs = (const struct gate_net *)from;

	if (!server_has(from, sizeof block, GATE_RANGE_READ | GATE_RANGE_WRITE))
		return GATE_BAD_RANGE;
	user_access_begin();
	__builtin_memcpy(&block, theirs, offsetof(struct gate_net, tx));
	user_access_end();
	const enum gate_status status = gate_check_counts(&block);

	if (status != GATE_OK)
		return status;
	user_access_begin();
	for (uint32_t i = 0; i < block.tx_count; i++)
		block.tx[i] = theirs->tx[i];
	for (uint32_t i = 0; i < block.slice_count; i++)
		block.slices[i] = theirs->slices[i];
	for (uint32_t i = 0; i < block.give_count; i++)
		block.give[i] = theirs->give[i];
	user_access_end();
	return GATE_OK;
}

static void net_copy_out(uint64_t to)
{
	struct gate_net *theirs = (struct gate_net *)to;

	user_access_begin();
	__builtin_memcpy(theirs, &block, offsetof(struct gate_net, tx));
	for (uint32_t i = 0; i < block.rx_count; i++)
		theirs->rx[i] = block.rx[i];
	for (uint32_t i = 0; i < block.done_count; i++)
		theirs->done[i] = block.done[i];
	user_access_end();
}

static enum gate_status net_check(void)
{
	for (uint32_t i = 0; i < block.tx_count; i++) {
		const enum gate_status status = gate_check_frame(&block.tx[i],
		    block.slices, block.slice_count, server_ranges(),
		    server_info()->nic_features, slice_pa);

		if (status != GATE_OK)
			return status;
	}
	return vnet_can_give(block.give, block.give_count) ?
	    GATE_OK : GATE_BAD_VALUE;
}

/* Queue frames in order until the NIC is full; returns how many. */
static uint16_t net_send(void)
{
	uint16_t taken = 0;

	if (block.tx_count == 0)
		return 0;
	for (uint32_t i = 0; i < block.slice_count; i++)
		slices[i] = (struct vnet_slice){
			.pa = slice_pa[i],
			.len = block.slices[i].len,
		};
	while (taken < block.tx_count) {
		const struct gate_tx *tx = &block.tx[taken];

		if (!vnet_tx(&slices[tx->first_slice], tx->slice_count, tx))
			break;
		taken++;
	}
	vnet_tx_commit();
	return taken;
}

static enum gate_status call_net(uint64_t at)
{
	enum gate_status status = net_copy_in(at);

	if (status == GATE_OK)
		status = net_check();
	if (status != GATE_OK)
		return status;

	bool more;

	for (uint32_t i = 0; i < block.give_count; i++)
		vnet_give(block.give[i]);
	block.done_count = vnet_tx_done(block.done, GATE_DONE_BATCH);
	block.tx_taken = net_send();
	block.rx_count = vnet_rx(block.rx, GATE_RX_BATCH, &more);
	block.more = more;

	net_copy_out(at);
	return GATE_OK;
}

/* ---- Time ---------------------------------------------------------------------- */

/*
 * Once a second: the NIC's health and the power button.  After the grace period
 * of a stop nobody is asked any more.
 */
static void look_around(void)
{
	const uint64_t now = clock_now_ns();
	const char *why;

	if (now < next_look_ns)
		return;
	next_look_ns = now + TICK_NS;
	why = vnet_check();
	if (why != NULL) {
		console_printf("stele: %s; rebooting\n", why);
		power_reboot();
	}

	if (stop_by_ns == 0 && power_button_pressed()) {
		console_printf("stele: power button: stopping\n");
		stop_by_ns = now + STOP_GRACE_NS;
	}
	if (stop_by_ns != 0 && now >= stop_by_ns) {
		console_printf("stele: the server did not stop in time\n");
		power_off();
	}
}

static uint32_t wake_reasons(uint64_t deadline_ns)
{
	uint32_t woke = 0;

	if (vnet_pending())
		woke |= GATE_WOKE_NET;
	if (clock_now_ns() >= deadline_ns)
		woke |= GATE_WOKE_TIME;
	if (stop_by_ns != 0 && !stop_told) {
		stop_told = true;
		woke |= GATE_WOKE_STOP;
	}
	return woke;
}

/*
 * Sleep once, at most until the next tick, or until a busy console port may take
 * bytes again; interrupts only wake, they do no work.
 */
static void sleep_once(uint64_t deadline_ns, bool console_busy)
{
	uint64_t nap_ns = vnet_polling_reason() == NULL ? TICK_NS : POLL_NS;

	if (console_busy && nap_ns > CONSOLE_BUSY_NS)
		nap_ns = CONSOLE_BUSY_NS;
	const uint64_t wake_ns = clock_now_ns() + nap_ns;

	irq_timer_arm(deadline_ns < wake_ns ? deadline_ns : wake_ns);
	if (vnet_wake_on(true)) {
		vnet_wake_on(false);
		return;
	}
	trap_sleep();
	vnet_wake_on(false);
	if (irq_take_timer()) {
		look_around();
		irq_timer_arm(clock_now_ns() + TICK_NS);
	}
}

static enum gate_status call_wait(uint64_t deadline_ns, uint64_t woke_at)
{
	uint32_t woke;

	if (!server_has(woke_at, sizeof woke, GATE_RANGE_WRITE))
		return GATE_BAD_RANGE;
	enum console_left left = console_drain();

	while ((woke = wake_reasons(deadline_ns)) == 0) {
		if (left != CONSOLE_MORE)
			sleep_once(deadline_ns, left == CONSOLE_BUSY);
		left = console_drain();
	}
	if (stop_by_ns != 0)
		woke |= GATE_WOKE_STOP;
	server_refresh_clock();
	user_access_begin();
	*(uint32_t *)woke_at = woke;
	user_access_end();
	return GATE_OK;
}

void gate_start(void)
{
	silent_ticks = 0;
	calls_at_tick = calls;
	stop_told = false;
	irq_timer_arm(clock_now_ns() + TICK_NS);
}

void gate_tick(const struct trap_frame *frame)
{
	silent_ticks = calls == calls_at_tick ? silent_ticks + 1 : 0;
	calls_at_tick = calls;
	if (silent_ticks >= LIMIT_HANG_TICKS)
		server_crashed_hang(frame);
	look_around();
	irq_timer_arm(clock_now_ns() + TICK_NS);
}

/* ---- Signatures ----------------------------------------------------------------- */

static enum gate_status call_sign(uint64_t at)
{
	struct gate_sign *const theirs = (struct gate_sign *)at;
	enum gate_status status;

	if (!server_has(at, sizeof to_sign, GATE_RANGE_READ | GATE_RANGE_WRITE))
		return GATE_BAD_RANGE;
	copy_in(&to_sign, at, offsetof(struct gate_sign, signature));
	status = gate_check_sign(&to_sign, server_info());
	if (status == GATE_OK)
		status = vault_sign(&to_sign);
	if (status != GATE_OK)
		return status;
	copy_out((uint64_t)&theirs->signature_len, &to_sign.signature_len,
	    sizeof to_sign.signature_len);
	copy_out((uint64_t)theirs->signature, to_sign.signature,
	    to_sign.signature_len);
	return GATE_OK;
}

/* ---- Randomness, console, end ---------------------------------------------------- */

static enum gate_status call_random(uint64_t at, uint64_t len)
{
	uint8_t bytes[GATE_RANDOM_MAX];

	if (len == 0 || len > GATE_RANDOM_MAX)
		return GATE_BAD_VALUE;
	if (!server_has(at, len, GATE_RANGE_WRITE))
		return GATE_BAD_RANGE;
	random_fill(bytes, len);
	copy_out(at, bytes, len);
	wipe(bytes, sizeof bytes);
	return GATE_OK;
}

static enum gate_status call_log(uint64_t at, uint64_t len)
{
	char text[GATE_LOG_MAX];

	if (len == 0 || len > GATE_LOG_MAX)
		return GATE_BAD_VALUE;
	if (!server_has(at, len, GATE_RANGE_READ))
		return GATE_BAD_RANGE;
	copy_in(text, at, len);
	console_append(text, len);
	return GATE_OK;
}

static enum gate_status call_stop(uint64_t how, uint64_t at, uint64_t len)
{
	char text[GATE_LOG_MAX];

	if (how > GATE_STOP_REFUSED || len > GATE_LOG_MAX)
		return GATE_BAD_VALUE;
	if (len > 0 && !server_has(at, len, GATE_RANGE_READ))
		return GATE_BAD_RANGE;
	copy_in(text, at, len);
	console_flush();
	if (how == GATE_STOP_FAULT)
		server_crashed_text(text, len);
	if (how == GATE_STOP_REFUSED)
		console_printf("stele: cannot start: ");
	console_write(text, len);
	if (len > 0)
		console_write("\n", 1);
	if (how == GATE_STOP_REBOOT)
		power_reboot();
	power_off();
}

enum gate_status gate_dispatch(uint64_t a1, uint64_t a2, uint64_t a3,
    uint64_t call)
{
	calls++;
	switch (call) {
	case GATE_CALL_NET:
		return call_net(a1);
	case GATE_CALL_WAIT:
		return call_wait(a1, a2);
	case GATE_CALL_SIGN:
		return call_sign(a1);
	case GATE_CALL_RANDOM:
		return call_random(a1, a2);
	case GATE_CALL_LOG:
		return call_log(a1, a2);
	case GATE_CALL_STOP:
		return call_stop(a1, a2, a3);
	default:
		return GATE_BAD_CALL;
	}
}
