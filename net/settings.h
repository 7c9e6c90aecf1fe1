/*
 * Address settings on the kernel command line.  Pure: text in, a value out.
 *
 *   ip=dhcp                     DHCPv4 (also: on, any, both); without ip=: the same
 *   ip=off                      no IPv4 (also: none)
 *   ip=CLIENT:SERVER:GATEWAY:NETMASK:HOST:DEVICE:AUTOCONF:DNS0:DNS1:NTP0
 *                               as Linux's nfsroot.txt has it; trailing fields may be
 *                               left out.  CLIENT may be ADDRESS/BITS, which replaces
 *                               NETMASK.  An empty CLIENT means DHCP.  SERVER, HOST,
 *                               DEVICE, DNS and NTP are accepted and not used: there
 *                               is one NIC, and this server looks up no names.
 *   ip6=auto                    SLAAC; without ip6=: the same
 *   ip6=off                     no IPv6 at all
 *   ip6=ADDRESS/64[,GATEWAY]    static instead of SLAAC
 *
 * Of several settings of the same name the last counts, as in Linux.
 */
#pragma once

#include "config/base.h"

enum settings_mode {
	SETTINGS_AUTO = 0,     /* DHCP, SLAAC */
	SETTINGS_OFF,
	SETTINGS_STATIC,
};

/* Addresses are in network order; those not given are zero. */
struct settings {
	enum settings_mode ipv4;
	uint8_t addr4[4];
	uint8_t netmask4[4];
	uint8_t gateway4[4];
	enum settings_mode ipv6;
	uint8_t addr6[16];
	uint8_t gateway6[16];
};

/*
 * Read ip= and ip6= from a command line; other words are not looked at.
 *
 * text, len  no NUL needed
 * out        always written
 * Returns NULL, or a sentence for the operator that says what is wrong; a
 * constant string.
 */
MUST_USE const char *settings_parse(const char *text, size_t len,
    struct settings *out);
