/*
 * A server that makes no gate call is restarted; one that finds itself wrong or
 * smashes its stack says so and is restarted as well.
 *
 * case loop: SERVER CRASH in ring 3 .*hang: no gate call for seconds
 * case loop_after_wait: SERVER CRASH in ring 3 .*hang: no gate call for seconds
 * case loop_after_look: SERVER CRASH in ring 3 .*hang: no gate call for seconds
 * case panic: SERVER CRASH in ring 3: .*tests/guard/hang.c:[0-9]+: on purpose
 * case smash: SERVER CRASH in ring 3: .*a buffer on the stack overflowed
 * case restarts on-crash=restart: restart 1 kept 1[\s\S]*restart 2 kept 1[\s\S]*restart 3 kept 0
 * case crash_loop on-crash=restart: crash 7\)[\s\S]*stele: rebooting
 * case stop_and_crash on-crash=restart button=1: told again at once
 * case crash_reboot on-crash=reboot: SERVER CRASH[\s\S]*stele: rebooting
 * case crash_nonsense on-crash=nonsense: cannot start: on-crash= knows restart, poweroff and reboot
 */
#include "tests/guard/guard.h"

__attribute__((noinline))
static void smash(volatile uint64_t *at)
{
	volatile uint64_t room[4];

	room[0] = at[0];
	for (unsigned i = 0; i < 8; i++)
		*(volatile uint64_t *)((uint64_t)room + 8 * (4 + i)) = 0x4141414141414141;
}

/*
 * Each life tells whether the keep page was kept: twice, and no longer once crashes
 * follow each other, for it may be what causes them.
 */
static void try_restarts(const struct gate_info *info)
{
	static uint32_t must_be_zero;
	char text[] = "restart N kept K\n";

	if (must_be_zero++ != 0)
		survived("a restart that kept the old life's data");
	text[8] = (char)('0' + info->restarts);
	text[15] = info->keep[0] == 7 ? '1' : '0';
	say(text);
	if (info->restarts == 3)
		end();
	info->keep[0] = 7;
	panic("on purpose");
}

/* The timer that would catch us has just woken us from a sleep: it has to go on. */
static void try_loop(const struct gate_info *info, uint64_t sleep_ns)
{
	uint32_t woke;

	for (unsigned i = 0; i < 3; i++)
		ASSERT(gate_wait(gate_now_ns(info) + sleep_ns, &woke) == GATE_OK);
	for (;;)
		__asm__ volatile("pause");
}

/* Whoever is started while the machine is to stop hears of it without waiting. */
static void try_stop_and_crash(const struct gate_info *info)
{
	const uint64_t start_ns = gate_now_ns(info);
	uint32_t woke = 0;

	while (!(woke & GATE_WOKE_STOP))
		ASSERT(gate_wait(start_ns + 30000000000, &woke) == GATE_OK);
	if (info->restarts == 0)
		panic("on purpose");
	say(gate_now_ns(info) - start_ns < 500000000 ?
	    "told again at once\n" : "FAILURE: told late\n");
	end();
}

void server_main(const struct gate_info *info)
{
	volatile uint64_t zero[1] = { 0 };

	if (case_is(info, "loop"))
		for (;;)
			__asm__ volatile("pause");
	if (case_is(info, "loop_after_wait"))
		try_loop(info, 10000000);
	if (case_is(info, "loop_after_look"))
		try_loop(info, 0);
	if (case_is(info, "stop_and_crash"))
		try_stop_and_crash(info);
	if (case_is(info, "panic"))
		panic("on purpose");
	if (case_is(info, "smash"))
		smash(zero);
	if (case_is(info, "restarts"))
		try_restarts(info);
	if (case_is(info, "crash_loop") || case_is(info, "crash_reboot"))
		panic("again");
	survived("hanging");
}
