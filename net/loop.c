/*
 * Start, loop, clock and console; see net.h.
 *
 * One turn: exchange frames until there is nothing to exchange, let timers and
 * deadlines run, send what came of it, and sleep until the next of them or the
 * next frame.
 */
#include "net/loop.h"

#include "net/address.h"
#include "net/conn.h"
#include "net/demux.h"
#include "net/net.h"
#include "net/nic.h"
#include "net/pools.h"
#include "net/random.h"
#include "net/timers.h"

#include "lwip/init.h"

#define NS_PER_MS 1000000u
#define NS_PER_S 1000000000u

/* Exchanges in one turn before timers get their chance. */
#define EXCHANGES_MAX 64

static const struct gate_info *gate;
static uint64_t now_ns;
static bool stopping;
static uint64_t stop_ms;        /* when stopping: no later than this */

static bool over;               /* net_poll() has returned false */

static char log_text[GATE_LOG_MAX];
static size_t log_len;

/* ---- Clock --------------------------------------------------------------- */

uint64_t loop_now_ns(void)
{
	return now_ns;
}

uint64_t net_now_ms(void)
{
	return now_ns / NS_PER_MS;
}

uint64_t net_unix_time(void)
{
	const volatile struct gate_clock *clock = &gate->clock;

	return clock->wall_ns == 0 ? 0 : (clock->wall_ns + now_ns) / NS_PER_S;
}

uint64_t net_unix_time_ms(void)
{
	const volatile struct gate_clock *clock = &gate->clock;

	return clock->wall_ns == 0 ? 0 : (clock->wall_ns + now_ns) / NS_PER_MS;
}

/* ---- Console ------------------------------------------------------------- */

static void flush_log(void)
{
	if (log_len > 0 && gate_log(log_text, log_len) != GATE_OK)
		panic("the gate refused console text");
	log_len = 0;
}

void net_log(const char *text, size_t len)
{
	while (len > 0) {
		size_t n = sizeof log_text - log_len;

		/* Whole lines reach the console together where they can. */
		if (n < len && log_len > 0) {
			flush_log();
			continue;
		}
		if (n > len)
			n = len;
		__builtin_memcpy(log_text + log_len, text, n);
		log_len += n;
		text += n;
		len -= n;
	}
	if (over)
		flush_log();
}

void net_print_pools(void)
{
	char line[640];

	net_log(line, pools_format(line, sizeof line));
}

/* ---- Start --------------------------------------------------------------- */

const char *net_start(const struct gate_info *info,
    const struct net_needs *needs)
{
	struct netif *netif;
	const char *wrong;

	gate = info;
	now_ns = gate_now_ns(info);
	if (info->version != GATE_VERSION)
		return "The kernel and the server are of different versions.";
	if (info->rx_count == 0 || info->rx_count > LIMIT_RX_BUFFERS)
		return "The kernel offers a number of receive buffers that this "
		    "server was not built for.";
	if (pools_start(info->pool, info->pool_len, needs) == 0)
		return "There is too little memory for a single connection.";
	random_start();
	demux_start();
	wait_start();
	lwip_init();
	netif = nic_start(info);
	wrong = address_start(info, netif);
	if (wrong != NULL)
		return wrong;
	timers_start(netif);
	return NULL;
}

/* ---- Loop ---------------------------------------------------------------- */

static void exchange(void)
{
	for (int i = 0; i < EXCHANGES_MAX; i++) {
		if (!nic_exchange())
			break;
	}
}

/*
 * Sleep, unless there is something to do; notice an operator who wants us to
 * stop.
 */
static void sleep_until_due(void)
{
	uint64_t next_ms = timers_next_ms();
	uint32_t woke = 0;

	if (wait_next_ms() < next_ms)
		next_ms = wait_next_ms();
	if (stopping && stop_ms < next_ms)
		next_ms = stop_ms;
	if (nic_pending() || send_retry_due())
		next_ms = 0;
	if (gate_wait(next_ms * NS_PER_MS, &woke) != GATE_OK)
		panic("the gate refused to wait");
	if ((woke & GATE_WOKE_STOP) != 0 && !stopping) {
		stopping = true;
		stop_ms = net_now_ms() + LIMIT_STOP_MS;
		conn_stop_listening();
	}
}

bool net_poll(void)
{
	now_ns = gate_now_ns(gate);
	exchange();
	timers_run();
	wait_expire();
	send_retry();
	if (nic_pending())
		exchange();
	flush_log();
	over = stopping && (!wait_any_work() || net_now_ms() >= stop_ms);
	if (!over)
		sleep_until_due();
	return !over;
}
