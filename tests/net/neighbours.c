/*
 * The link's other inhabitants; see neighbours.h.
 */
#include "tests/net/neighbours.h"

#include <string.h>

#include "tests/net/wire.h"

uint8_t server_mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };
uint8_t our_mac[6] = { 2, 0, 0, 0, 0, 1 };
uint8_t server_ipv4[4] = { 10, 77, 0, 2 };
uint8_t our_ipv4[4] = { 10, 77, 0, 1 };
uint8_t server_ipv6[16] = { 0xfd, 0x77, [15] = 2 };
uint8_t our_ipv6[16] = { 0xfd, 0x77, [15] = 1 };

struct neighbours neighbours = { .dhcp = true, .router = true, .lease_s = 3600 };

void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

uint32_t get16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

uint32_t get32(const uint8_t *at)
{
	return get16(at) << 16 | get16(at + 2);
}

size_t frame_start(uint8_t *frame, uint32_t type)
{
	memcpy(frame, server_mac, 6);
	memcpy(frame + 6, our_mac, 6);
	put16(frame + 12, type);
	return 14;
}

/* ---- Repair -------------------------------------------------------------- */

/* Where a transport's checksum is; 0: it has none. */
static size_t sum_offset(uint8_t protocol)
{
	switch (protocol) {
	case 1:
	case 58:
		return 2;
	case 6:
		return 16;
	case 17:
		return 6;
	default:
		return 0;
	}
}

static void repair_transport(uint8_t *at, size_t len, uint8_t protocol,
    uint32_t pseudo)
{
	const size_t off = sum_offset(protocol);

	if (off == 0 || len < off + 2)
		return;
	if (protocol == 17 && len >= 8)
		put16(at + 4, (uint32_t)len);
	put16(at + off, 0);
	put16(at + off, (uint16_t)~wire_sum(at, len,
	    protocol == 1 ? 0 : pseudo + (uint32_t)len + protocol));
}

void frame_repair(uint8_t *frame, size_t len)
{
	uint8_t *ip = frame + 14;

	if (len >= 34 && get16(frame + 12) == 0x0800) {
		ip[0] = 0x45;
		put16(ip + 2, (uint32_t)(len - 14));
		memcpy(ip + 16, server_ipv4, 4);
		put16(ip + 10, 0);
		put16(ip + 10, (uint16_t)~wire_sum(ip, 20, 0));
		repair_transport(ip + 20, len - 34, ip[9],
		    wire_sum(ip + 12, 8, 0));
	} else if (len >= 54 && get16(frame + 12) == 0x86dd) {
		ip[0] = 0x60;
		put16(ip + 4, (uint32_t)(len - 54));
		if (ip[24] != 0xff)
			memcpy(ip + 24, server_ipv6, 16);
		repair_transport(ip + 40, len - 54, ip[6],
		    wire_sum(ip + 8, 32, 0));
	}
}

/* ---- Answers ------------------------------------------------------------- */

static size_t answer_arp(const uint8_t *frame, uint8_t *f)
{
	const uint8_t *arp = frame + 14;

	if (get16(arp + 6) != 1 || memcmp(arp + 24, server_ipv4, 4) == 0)
		return 0;
	memset(f, 0, 60);
	frame_start(f, 0x0806);
	memcpy(f + 14, arp, 8);
	put16(f + 14 + 6, 2);
	memcpy(f + 14 + 8, our_mac, 6);
	memcpy(f + 14 + 14, arp + 24, 4);
	memcpy(f + 14 + 18, arp + 8, 10);
	return 60;
}

/* An ICMPv6 message of `len` bytes behind the headers, from `from`. */
static size_t finish_icmp6(uint8_t *f, const uint8_t *from, const uint8_t *to,
    size_t len)
{
	frame_start(f, 0x86dd);
	f[14] = 0x60;
	put16(f + 18, (uint32_t)len);
	f[20] = 58;
	f[21] = 255;
	memcpy(f + 22, from, 16);
	memcpy(f + 38, to, 16);
	put16(f + 56, (uint16_t)~wire_sum(f + 54, len,
	    wire_sum(f + 22, 32, (uint32_t)len + 58)));
	return 54 + len;
}

static size_t answer_solicitation(const uint8_t *frame, uint8_t *f)
{
	const uint8_t *ip = frame + 14;

	/* From nobody: the server asks whether anyone else has its address. */
	if (memcmp(ip + 48, server_ipv6, 16) == 0 || load_le64(ip + 8) == 0)
		return 0;
	memset(f, 0, 86);
	f[54] = 136;
	f[58] = 0x60;            /* solicited, override */
	memcpy(f + 62, ip + 48, 16);
	f[78] = 2;
	f[79] = 1;
	memcpy(f + 80, our_mac, 6);
	return finish_icmp6(f, ip + 48, ip + 8, 32);
}

static size_t answer_router_solicitation(uint8_t *f)
{
	static const uint8_t router[16] = { 0xfe, 0x80, [15] = 1 };
	static const uint8_t all_nodes[16] = { 0xff, 2, [15] = 1 };

	if (!neighbours.router)
		return 0;
	memset(f, 0, 120);
	f[54] = 134;
	f[58] = 64;              /* hop limit */
	put16(f + 60, 1800);     /* router's lifetime */
	f[70] = 1;               /* its link-layer address */
	f[71] = 1;
	memcpy(f + 72, our_mac, 6);
	f[78] = 3;               /* a prefix: on the link, for autoconfiguration */
	f[79] = 4;
	f[80] = 64;
	f[81] = 0xc0;
	put32(f + 82, 86400);
	put32(f + 86, 14400);
	memcpy(f + 94, our_ipv6, 8);
	return finish_icmp6(f, router, all_nodes, 56);
}

/* OFFER to DISCOVER, ACK to REQUEST. */
static size_t answer_dhcp(const uint8_t *frame, size_t len, uint8_t *f)
{
	static const uint8_t cookie[4] = { 0x63, 0x82, 0x53, 0x63 };
	const uint8_t *bootp = frame + 42;
	uint8_t *reply = f + 42;
	uint8_t *option = reply + 240;

	if (len < 42 + 244)
		return 0;
	neighbours.dhcp_seen++;
	memcpy(neighbours.dhcp_xid, bootp + 4, 4);
	if (!neighbours.dhcp)
		return 0;
	memset(f, 0, 342);
	frame_start(f, 0x0800);
	f[14 + 8] = 64;
	f[14 + 9] = 17;
	memcpy(f + 26, our_ipv4, 4);
	put16(f + 34, 67);
	put16(f + 36, 68);
	memcpy(reply, bootp, 44);
	reply[0] = 2;
	memcpy(reply + 16, server_ipv4, 4);
	memcpy(reply + 236, cookie, 4);
	memcpy(option, (const uint8_t[]){ 53, 1, bootp[242] == 1 ? 2 : 5 }, 3);
	memcpy(option + 3, (const uint8_t[]){ 54, 4 }, 2);
	memcpy(option + 5, our_ipv4, 4);
	memcpy(option + 9, (const uint8_t[]){ 51, 4 }, 2);
	put32(option + 11, neighbours.lease_s);
	memcpy(option + 15, (const uint8_t[]){ 1, 4, 255, 255, 0, 0, 3, 4 }, 8);
	memcpy(option + 23, our_ipv4, 4);
	option[27] = 255;
	frame_repair(f, 342);
	return 342;
}

size_t neighbours_answer(const uint8_t *frame, size_t len, uint8_t *answer)
{
	const uint8_t *ip = frame + 14;

	switch (get16(frame + 12)) {
	case 0x0806:
		return answer_arp(frame, answer);
	case 0x0800:
		return ip[9] == 17 && get16(ip + 22) == 67 ?
		    answer_dhcp(frame, len, answer) : 0;
	case 0x86dd:
		if (ip[6] == 58 && ip[40] == 135)
			return answer_solicitation(frame, answer);
		return ip[6] == 58 && ip[40] == 133 ?
		    answer_router_solicitation(answer) : 0;
	default:
		return 0;
	}
}
