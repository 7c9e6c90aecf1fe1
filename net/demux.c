/*
 * The table of connections; see demux.h.
 *
 * Peers choose the addresses and ports, so the hash is keyed: multilinear
 * hashing, for which any two different inputs collide with a chance of 2^-32
 * over random keys (Lemire and Kaser, "Strongly universal string hashing is
 * fast", section 2).  A peer cannot see the table, and so cannot learn the key.
 */
#include "net/demux.h"

#include "kernel/gate.h"
#include "config/limits.h"

#include "lwip/priv/tcp_priv.h"

#define BUCKETS LIMIT_CONNECTIONS

_Static_assert((BUCKETS & (BUCKETS - 1)) == 0, "a bucket is a few bits of the hash");

static struct tcp_pcb *buckets[BUCKETS];
static uint64_t key[6];

void demux_start(void)
{
	if (gate_random(key, sizeof key) != GATE_OK)
		panic("no key for the table of connections");
}

static struct tcp_pcb **bucket_of(u16_t local_port, const ip_addr_t *remote,
    u16_t remote_port)
{
	const uint32_t ports = (uint32_t)local_port << 16 | remote_port;
	uint64_t hash = key[0] + key[1] * ports;

	if (IP_IS_V6(remote)) {
		const u32_t *words = ip_2_ip6(remote)->addr;

		hash += key[2] * words[0] + key[3] * words[1] +
		    key[4] * words[2] + key[5] * words[3];
	} else {
		hash += key[2] * ip4_addr_get_u32(ip_2_ip4(remote));
	}
	return &buckets[(hash >> 32) % BUCKETS];
}

static struct tcp_pcb **bucket_of_pcb(const struct tcp_pcb *pcb)
{
	return bucket_of(pcb->local_port, &pcb->remote_ip, pcb->remote_port);
}

void demux_add(struct tcp_pcb *pcb)
{
	struct tcp_pcb **bucket = bucket_of_pcb(pcb);

	pcb->same_bucket = *bucket;
	*bucket = pcb;
}

void demux_remove(struct tcp_pcb *pcb)
{
	struct tcp_pcb **at = bucket_of_pcb(pcb);

	while (*at != pcb) {
		ASSERT(*at != NULL);
		at = &(*at)->same_bucket;
	}
	*at = pcb->same_bucket;
}

struct tcp_pcb *demux_find(const ip_addr_t *local, u16_t local_port,
    const ip_addr_t *remote, u16_t remote_port)
{
	struct tcp_pcb *pcb = *bucket_of(local_port, remote, remote_port);

	for (; pcb != NULL; pcb = pcb->same_bucket) {
		if (pcb->remote_port == remote_port &&
		    pcb->local_port == local_port &&
		    ip_addr_eq(&pcb->remote_ip, remote) &&
		    ip_addr_eq(&pcb->local_ip, local))
			break;
	}
	return pcb;
}
