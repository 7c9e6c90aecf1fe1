/*
 * The link's other inhabitants: one host with our addresses, which is everybody
 * else as well (it answers ARP and neighbour solicitations for any address but
 * the server's), a DHCP server and a router.
 */
#pragma once

#include "config/base.h"

/*
 * On the cable the server is 10.77.0.2 and fd77::2, or fd77:: with its EUI-64.
 */
extern uint8_t server_mac[6], our_mac[6];
extern uint8_t server_ipv4[4], our_ipv4[4];
extern uint8_t server_ipv6[16], our_ipv6[16];

/* What they do; all true at first. */
extern struct neighbours {
	bool dhcp;             /* DHCP requests are answered: 10.77.0.2/16 */
	bool router;           /* router solicitations are: fd77::/64 */
	uint32_t lease_s;
	uint32_t dhcp_seen;    /* messages of the DHCP client so far */
	uint8_t dhcp_xid[4];   /* of the last of them */
} neighbours;

/*
 * If a frame of the server is for one of them: write the answer, at most
 * WIRE_FRAME_CAP bytes.  Returns its length; 0 for none.
 */
size_t neighbours_answer(const uint8_t *frame, size_t len, uint8_t *answer);

/* An Ethernet header towards the server; returns 14. */
size_t frame_start(uint8_t *frame, uint32_t type);

/* Big-endian fields. */
void put16(uint8_t *at, uint32_t value);
void put32(uint8_t *at, uint32_t value);
uint32_t get16(const uint8_t *at);
uint32_t get32(const uint8_t *at);

/*
 * Put right what a frame with an IP header must have to be looked at: lengths,
 * addresses of the server, and checksums of IP, TCP, UDP, ICMP and ICMPv6.
 */
void frame_repair(uint8_t *frame, size_t len);
