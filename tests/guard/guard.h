/*
 * What the guard programs share.  Each is a whole server of its own that tries one
 * kind of forbidden thing; the word case=NAME on the command line picks which.
 * Surviving prints FAILURE.  A line at the top of each file for every case
 *
 *     case NAME [cpu=MODEL] [on-crash=WORD] [button=1] [instance=BUNDLE]: REGULAR EXPRESSION
 *
 * says what the console has to show; tests/guard/run.py reads them.  With button=1
 * somebody keeps pressing the power button; the bundles are those of bundle.py;
 * on-crash=none leaves the word out.
 */
#pragma once

#include <string.h>

#include "config/base.h"
#include "kernel/gate.h"

static inline void say(const char *text)
{
	ASSERT(gate_log(text, strlen(text)) == GATE_OK);
}

NORETURN static inline void end(void)
{
	const enum gate_status status = gate_stop(GATE_STOP_POWER_OFF, NULL, 0);

	panic(status == GATE_OK ? "stopped and went on" : "stop was refused");
}

/* The forbidden thing worked. */
NORETURN static inline void survived(const char *what)
{
	say("FAILURE: survived: ");
	say(what);
	say("\n");
	end();
}

static inline bool case_is(const struct gate_info *info, const char *name)
{
	const char *at = info->cmdline;
	const size_t len = strlen(name);

	for (; *at != '\0'; at++)
		if (memcmp(at, "case=", 5) == 0)
			return memcmp(at + 5, name, len) == 0 &&
			    (at[5 + len] == ' ' || at[5 + len] == '\0');
	return false;
}

/* Where the IDT is: on a CPU without UMIP ring 3 may ask, and learns a kernel address. */
static inline uint8_t *kernel_address(void)
{
	struct { uint16_t limit; uint64_t base; } __attribute__((packed)) idt;

	__asm__ volatile("sidt %0" : "=m"(idt));
	return (uint8_t *)idt.base;
}

static inline void touch_read(const void *at)
{
	(void)*(const volatile uint8_t *)at;
}

static inline void touch_write(void *at)
{
	*(volatile uint8_t *)at = 0x90;
}

/* Call `at` as a function. */
static inline void touch_execute(const void *at)
{
	__asm__ volatile("call *%0" : : "r"(at)
	    : "memory", "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11");
}

#define RET_OPCODE 0xc3
