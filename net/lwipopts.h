/*
 * How lwIP is built here: a server of TCP over IPv4 and IPv6 on one Ethernet,
 * with everything else left out.  The order is lwIP's opt.h.  Element counts of
 * pools are not set here: net/pools.c replaces lwIP's allocators and sizes
 * itself at start.
 */
#pragma once

#include "config/limits.h"

/* ---- One thread, raw API only -------------------------------------------- */

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0
#define LWIP_RAW 0
#define LWIP_DNS 0
#define LWIP_IGMP 0
#define LWIP_AUTOIP 0

/*
 * net/timers.c calls the protocols' tick functions; lwIP's scheduler is not
 * built.
 */
#define LWIP_TIMERS 1
#define LWIP_TIMERS_CUSTOM 1

/* ---- Memory: net/pools.c ------------------------------------------------- */

/*
 * mem.c and memp.c are not built; net/pools.c defines mem_malloc() and
 * memp_malloc().  This choice makes lwIP drop its tables of static pools.
 */
#define MEMP_MEM_MALLOC 1
#define MEM_ALIGNMENT 8
#define MEM_SIZE 65536
#define PBUF_POOL_SIZE 0

/* Receive buffers are the gate's, wrapped in pbufs of our own. */
#define LWIP_SUPPORT_CUSTOM_PBUF 1

/*
 * Which payload length each segment of a frame longer than the MTU has; 0: not
 * cut.
 */
#define LWIP_PBUF_CUSTOM_DATA u16_t gso_size;
#define LWIP_PBUF_CUSTOM_DATA_INIT(p) ((p)->gso_size = 0)

/* ---- Interface ----------------------------------------------------------- */

#define LWIP_SINGLE_NETIF 1
#define LWIP_NETIF_STATUS_CALLBACK 1
#define LWIP_NETIF_HWADDRHINT 1
#define LWIP_CHECKSUM_CTRL_PER_NETIF 1

/* ---- IPv4 ---------------------------------------------------------------- */

/*
 * Fragments are dropped, in both directions and both families.  Our segments
 * fit the MTU and so do a browser's; reassembly is memory that strangers fill.
 * Not offered: RFC 791, section 3.2 (reassembly); RFC 8200, section 4.5.
 */
#define IP_FRAG 0
#define IP_REASSEMBLY 0
#define IP_FORWARD 0
/*
 * Source routes and the like have no use here; a packet with options is
 * dropped.
 */
#define IP_OPTIONS_ALLOWED 0
#define IP_DEFAULT_TTL 64

#define ARP_TABLE_SIZE LIMIT_NEIGHBOURS
#define ARP_QUEUEING 0
#define LWIP_ICMP 1

#define LWIP_UDP 1
#define LWIP_DHCP 1
/*
 * Probing an address for conflicts would delay every boot by seconds (RFC
 * 5227).
 */
#define LWIP_DHCP_DOES_ACD_CHECK 0
#define LWIP_ACD 0
#define LWIP_DHCP_MAX_DNS_SERVERS 0

/* ---- IPv6 ---------------------------------------------------------------- */

#define LWIP_IPV6 1
#define LWIP_IPV6_FRAG 0
#define LWIP_IPV6_REASS 0
#define LWIP_IPV6_FORWARD 0
#define LWIP_IPV6_NUM_ADDRESSES 4
#define LWIP_IPV6_AUTOCONFIG 1
#define LWIP_IPV6_MLD 1
#define LWIP_IPV6_DHCP6 0
#define LWIP_ND6_QUEUEING 1
#define LWIP_ND6_NUM_NEIGHBORS LIMIT_NEIGHBOURS
#define LWIP_ND6_NUM_DESTINATIONS LIMIT_NEIGHBOURS
/*
 * The list of multicast groups: one solicited-node group per address, and
 * all-nodes.
 */
#define MEMP_NUM_MLD6_GROUP 8
#define MEMP_NUM_ND6_QUEUE LIMIT_NEIGHBOURS

/* ---- TCP ----------------------------------------------------------------- */

#define LWIP_TCP 1
#define LWIP_ALTCP 0
#define LWIP_CALLBACK_API 1
/* lwIP counts handshakes in 8 bits; net/wait.c does it itself. */
#define TCP_LISTEN_BACKLOG 0
#define TCP_TTL 64

/*
 * The largest segment of Ethernet; an interface with a smaller MTU lowers it.
 */
#define TCP_MSS 1460
#define TCP_CALCULATE_EFF_SEND_MSS 1

/*
 * Patched in by config/lwip-peer.patch: a peer cannot ask for shorter segments.
 */
#define LWIP_TCP_MSS_MIN LIMIT_MSS_MIN

/* What we let a peer send unread: what a hold buffer keeps. */
#define TCP_WND LIMIT_HOLD_LEN
#define TCP_WND_UPDATE_THRESHOLD (LIMIT_HOLD_LEN / 4)

/* Scaling is for sending: our own window is announced unshifted. */
#define LWIP_WND_SCALE 1
#define TCP_RCV_SCALE 0

#define TCP_SND_BUF LIMIT_SEND_LEN
#define TCP_SND_QUEUELEN LIMIT_SEND_PBUFS

/*
 * Segments that arrive out of order are not kept: requests are short, the peer
 * sends again what we did not acknowledge, and what we kept for strangers would
 * be memory of their choosing.
 */
#define TCP_QUEUE_OOSEQ 0

/* Sent bytes are in the ROM, or copied once to their exact length. */
#define TCP_OVERSIZE 0

/* RFC 6298, section 2.1: one second before a round trip was measured. */
#define LWIP_TCP_RTO_TIME 1000

/* TIME-WAIT is twice this: a minute, as elsewhere (RFC 9293 suggests four). */
#define TCP_MSL 30000UL

/*
 * lwIP's arithmetic for static pools; ours are sized at start, net/pools.c
 * asserts.
 */
#define LWIP_DISABLE_TCP_SANITY_CHECKS 1

#define LWIP_HOOK_FILENAME "net/hooks.h"

/* ---- Counters ------------------------------------------------------------ */

/* Those of SNMP alone: net/counters.c shows the ones about TCP. */
#define LWIP_STATS 1
#define MIB2_STATS 1
#define LINK_STATS 0
#define ETHARP_STATS 0
#define IP_STATS 0
#define IP6_STATS 0
#define ICMP_STATS 0
#define ICMP6_STATS 0
#define UDP_STATS 0
#define TCP_STATS 0
#define MLD6_STATS 0
#define ND6_STATS 0
#define MEM_STATS 0

