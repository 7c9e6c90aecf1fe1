/*
 * The server finds itself wrong: the kernel reports it and starts the server
 * anew.
 */
#include "kernel/gate.h"
#include "net/text.h"

void panic_at(const char *file, int line, const char *what)
{
	char buf[256];
	struct text t = text_start(buf, sizeof buf);

	text_add(&t, file);
	text_add(&t, ":");
	text_add_u64(&t, (uint64_t)line);
	text_add(&t, ": ");
	text_add(&t, what);
	for (;;) {
		if (gate_stop(GATE_STOP_FAULT, t.at, t.len) != GATE_OK)
			__builtin_trap();
	}
}

/*
 * Called by the compiler's code when a function's stack canary was overwritten.
 */
NORETURN void __stack_chk_fail(void);

void __stack_chk_fail(void)
{
	panic("a buffer on the stack overflowed");
}
