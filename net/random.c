/*
 * Random numbers for the stack; see random.h and hooks.h.
 *
 * The kernel's generator is asked for GATE_RANDOM_MAX bytes at a time.  Bytes
 * are wiped as they are used: what was drawn for one connection cannot be read
 * later.
 */
#include "net/random.h"

#include "kernel/gate.h"
#include "net/loop.h"
#include "net/siphash.h"

#include "lwip/opt.h"
#include "net/hooks.h"

static uint8_t sequence_key[16];
static uint32_t buffer[GATE_RANDOM_MAX / sizeof(uint32_t)];
static size_t buffer_left;

void random_start(void)
{
	if (gate_random(sequence_key, sizeof sequence_key) != GATE_OK)
		panic("no key for sequence numbers");
}

uint32_t net_random_u32(void)
{
	uint32_t value;

	if (buffer_left == 0) {
		if (gate_random(buffer, sizeof buffer) != GATE_OK)
			panic("no random bytes");
		buffer_left = ARRAY_LEN(buffer);
	}
	buffer_left--;
	value = buffer[buffer_left];
	buffer[buffer_left] = 0;
	return value;
}

u32_t net_initial_sequence(const ip_addr_t *local, u16_t local_port,
    const ip_addr_t *remote, u16_t remote_port)
{
	uint32_t input[9] = { [8] = (uint32_t)local_port << 16 | remote_port };

	if (IP_IS_V6(remote)) {
		for (size_t i = 0; i < 4; i++) {
			input[i] = ip_2_ip6(local)->addr[i];
			input[4 + i] = ip_2_ip6(remote)->addr[i];
		}
	} else {
		input[0] = ip4_addr_get_u32(ip_2_ip4(local));
		input[4] = ip4_addr_get_u32(ip_2_ip4(remote));
	}
	return (u32_t)siphash24(sequence_key, input, sizeof input) +
	    (u32_t)(loop_now_ns() / 4000);
}
