/*
 * lwIP's ticks; see timers.h.
 *
 * ARP and neighbour discovery count seconds of age and lifetime and are always
 * on; both tick together.  The others run while they wait for something:
 *
 *   TCP    250 ms   while any connection exists, TIME-WAIT included
 *   DHCP   500 ms   while a request is unanswered; 60 s for the lease
 *   MLD    100 ms   while a report is to be sent
 */
#include "net/timers.h"

#include "net/net.h"

#include "lwip/dhcp.h"
#include "lwip/etharp.h"
#include "lwip/mld6.h"
#include "lwip/nd6.h"
#include "lwip/netif.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/sys.h"
#include "lwip/timeouts.h"

struct timer {
	uint64_t due_ms;        /* 0: not running */
	uint32_t interval_ms;
	bool (*needed)(void);
	void (*tick)(void);
};

static struct netif *nif;

static bool always(void)
{
	return true;
}

static bool tcp_needed(void)
{
	return tcp_active_pcbs != NULL || tcp_tw_pcbs != NULL;
}

static bool dhcp_waits(void)
{
	const struct dhcp *dhcp = netif_dhcp_data(nif);

	return dhcp != NULL && dhcp->request_timeout > 0;
}

static bool dhcp_runs(void)
{
	return netif_dhcp_data(nif) != NULL;
}

static bool mld_waits(void)
{
	for (const struct mld_group *group = netif_mld6_data(nif); group != NULL;
	    group = group->next) {
		if (group->timer > 0)
			return true;
	}
	return false;
}

static void tick_second(void)
{
	etharp_tmr();
	nd6_tmr();
}

static struct timer timers[] = {
	{ 0, TCP_TMR_INTERVAL, tcp_needed, tcp_tmr },
	{ 0, 1000, always, tick_second },
	{ 0, DHCP_FINE_TIMER_MSECS, dhcp_waits, dhcp_fine_tmr },
	{ 0, DHCP_COARSE_TIMER_MSECS, dhcp_runs, dhcp_coarse_tmr },
	{ 0, MLD6_TMR_INTERVAL, mld_waits, mld6_tmr },
};

_Static_assert(ARP_TMR_INTERVAL == 1000 && ND6_TMR_INTERVAL == 1000,
    "ARP and neighbour discovery tick together");

/* lwIP's own scheduler would be started here; see LWIP_TIMERS_CUSTOM. */
void sys_timeouts_init(void)
{
}

/* A connection came into being; timers_run() notices by itself. */
void tcp_timer_needed(void)
{
}

u32_t sys_now(void)
{
	return (u32_t)net_now_ms();
}

void timers_start(struct netif *netif)
{
	nif = netif;
	/*
	 * The first tick at once: it sends the first neighbour solicitations.
	 */
	tick_second();
	timers_run();
}

void timers_run(void)
{
	const uint64_t now = net_now_ms();

	for (size_t i = 0; i < ARRAY_LEN(timers); i++) {
		struct timer *t = &timers[i];

		if (t->due_ms != 0 && t->due_ms <= now) {
			t->tick();
			/* Late by more than a tick: the lost ones stay lost. */
			t->due_ms += t->interval_ms;
			if (t->due_ms <= now)
				t->due_ms = now + t->interval_ms;
		}
		if (!t->needed())
			t->due_ms = 0;
		else if (t->due_ms == 0)
			t->due_ms = now + t->interval_ms;
	}
}

uint64_t timers_next_ms(void)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < ARRAY_LEN(timers); i++) {
		if (timers[i].due_ms != 0 && timers[i].due_ms < next)
			next = timers[i].due_ms;
	}
	return next;
}
