/*
 * Datagrams; see datagram.h.
 *
 * Each lies in an element of POOL_DATAGRAM from net_datagram_send() until lwIP and the
 * NIC have let go of it.  A frame that was handed to the NIC has an Ethernet header in
 * front; one that is given back without was dropped on the way.
 */
#include "net/datagram.h"

#include "net/counters.h"
#include "net/pools.h"

#include "lwip/netif.h"
#include "lwip/prot/ethernet.h"
#include "lwip/prot/ip4.h"
#include "lwip/prot/ip6.h"
#include "lwip/prot/udp.h"
#include "lwip/udp.h"

static struct {
	struct udp_pcb *pcb;
	ip_addr_t to;
	uint16_t port;
	uint16_t headers_len;      /* of IP and UDP */
} out;

static bool has_link_header(const struct pbuf *p, size_t len)
{
	return p->tot_len == SIZEOF_ETH_HDR + out.headers_len + len;
}

static void give_back(struct pbuf *p)
{
	struct datagram *const d = (struct datagram *)(void *)p;

	if (!has_link_header(p, d->len))
		net_counters.datagrams_dropped++;
	pool_give(POOL_DATAGRAM, d);
}

bool net_datagram_start(const struct net_peer *to)
{
	out.pcb = udp_new_ip_type(IPADDR_TYPE_ANY);
	if (out.pcb == NULL)
		return false;
	out.port = to->port;
	if (to->is_ipv6) {
		IP_ADDR6(&out.to, 0, 0, 0, 0);
		__builtin_memcpy(ip_2_ip6(&out.to)->addr, to->addr, 16);
		/* Of link-local addresses there is one link. */
		ip6_addr_assign_zone(ip_2_ip6(&out.to), IP6_UNICAST,
		    netif_default);
		out.headers_len = IP6_HLEN + UDP_HLEN;
	} else {
		IP_ADDR4(&out.to, to->addr[0], to->addr[1], to->addr[2],
		    to->addr[3]);
		out.headers_len = IP_HLEN + UDP_HLEN;
	}
	return true;
}

size_t net_datagram_max(void)
{
	const size_t max = (size_t)netif_default->mtu - out.headers_len;

	return max < LIMIT_SYSLOG_LEN ? max : LIMIT_SYSLOG_LEN;
}

void net_datagram_send(const void *data, size_t len)
{
	struct datagram *const d = pool_take(POOL_DATAGRAM);
	struct pbuf *p;
	err_t status;

	if (d == NULL) {
		net_counters.datagrams_dropped++;
		return;
	}
	d->pbuf.custom_free_function = give_back;
	d->len = len;
	p = pbuf_alloced_custom(PBUF_TRANSPORT, (u16_t)len, PBUF_RAM, &d->pbuf,
	    d->bytes, sizeof d->bytes);
	ASSERT(p != NULL);
	__builtin_memcpy(p->payload, data, len);
	status = udp_sendto(out.pcb, p, &out.to, out.port);
	/* The NIC had no room: nobody sees that in the frame. */
	if (status != ERR_OK && has_link_header(p, len))
		net_counters.datagrams_dropped++;
	if (status == ERR_OK)
		net_counters.datagrams++;
	pbuf_free(p);
}
