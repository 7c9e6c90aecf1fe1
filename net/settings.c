/*
 * Address settings; see settings.h.
 */
#include "net/settings.h"

#include "net/range.h"

/* Characters not yet read: [at, end). */
struct span {
	const char *at;
	const char *end;
};

static bool span_empty(struct span s)
{
	return s.at == s.end;
}

static bool span_is(struct span s, const char *word)
{
	for (; s.at < s.end; s.at++, word++) {
		if (*s.at != *word)
			return false;
	}
	return *word == '\0';
}

/*
 * Cut s at the first `stop`: what is before it is returned, what is after it
 * stays.
 */
static struct span cut(struct span *s, char stop)
{
	struct span before = { s->at, s->at };

	while (before.end < s->end && *before.end != stop)
		before.end++;
	s->at = before.end < s->end ? before.end + 1 : s->end;
	return before;
}

/* A decimal number up to max, of at most three digits, nothing else. */
static bool read_number(struct span s, unsigned max, unsigned *out)
{
	unsigned value = 0;

	if (span_empty(s) || s.end - s.at > 3)
		return false;
	for (; s.at < s.end; s.at++) {
		if (*s.at < '0' || *s.at > '9')
			return false;
		value = 10 * value + (unsigned)(*s.at - '0');
	}
	*out = value;
	return value <= max;
}

static bool read_ipv4(struct span s, uint8_t out[4])
{
	return net_read_ipv4(s.at, (size_t)(s.end - s.at), out);
}

static bool read_ipv6(struct span s, uint8_t out[16])
{
	return net_read_ipv6(s.at, (size_t)(s.end - s.at), out);
}

static void mask_of_bits(unsigned bits, uint8_t out[4])
{
	const uint32_t mask = bits == 0 ? 0 : ~(uint32_t)0 << (32 - bits);

	for (size_t i = 0; i < 4; i++)
		out[i] = (uint8_t)(mask >> (24 - 8 * i));
}

/* Ones, then zeros; at least one of each kind may be missing. */
static bool mask_is_valid(const uint8_t mask[4])
{
	const uint32_t inverse = ~((uint32_t)load_be16(mask) << 16 |
	    load_be16(mask + 2));

	return (inverse & (inverse + 1)) == 0;
}

/* Loopback, multicast, broadcast and "this network" are nobody's address. */
static bool is_host4(const uint8_t addr[4])
{
	return addr[0] != 0 && addr[0] != 127 && addr[0] < 224;
}

/*
 * Multicast, and the first 2^64 with loopback and "none", are nobody's address.
 */
static bool is_host6(const uint8_t addr[16])
{
	return addr[0] != 0xff && load_le64(addr) != 0;
}

static bool is_dhcp_word(struct span s)
{
	return span_is(s, "dhcp") || span_is(s, "on") || span_is(s, "any") ||
	    span_is(s, "both");
}

static bool is_off_word(struct span s)
{
	return span_is(s, "off") || span_is(s, "none");
}

/*
 * CLIENT, with or without /BITS; sets the netmask to BITS or to the old
 * classes'.
 */
static const char *read_client(struct span client, struct settings *out)
{
	const struct span addr = cut(&client, '/');
	const bool has_bits = addr.end != client.end || !span_empty(client);
	unsigned bits;

	if (!read_ipv4(addr, out->addr4) || !is_host4(out->addr4))
		return "ip=: the first field is not an IPv4 address of a host.";
	if (has_bits) {
		if (!read_number(client, 32, &bits) || bits == 0)
			return "ip=: the number after the slash is not 1 to 32.";
	} else if (out->addr4[0] < 128) {
		bits = 8;
	} else {
		bits = out->addr4[0] < 192 ? 16 : 24;
	}
	mask_of_bits(bits, out->netmask4);
	return NULL;
}

/* The fields after NETMASK: only AUTOCONF can change anything. */
static const char *read_tail(struct span rest, bool has_client,
    struct settings *out)
{
	struct span autoconf;
	uint8_t ignored[4];

	(void)cut(&rest, ':');
	(void)cut(&rest, ':');
	autoconf = cut(&rest, ':');
	if (is_dhcp_word(autoconf) || (span_empty(autoconf) && !has_client))
		out->ipv4 = SETTINGS_AUTO;
	else if (!span_empty(autoconf) && !is_off_word(autoconf))
		return "ip=: autoconf (the seventh field) is one of dhcp, on, any, "
		    "both, off, none; others are not offered.";
	else if (!has_client)
		return "ip=: an address is missing, and autoconf is off.";

	for (int i = 0; i < 3; i++) {
		const struct span server = cut(&rest, ':');

		if (!span_empty(server) && !read_ipv4(server, ignored))
			return "ip=: a name or time server is not an IPv4 address.";
	}
	return span_empty(rest) ? NULL : "ip=: there are more than ten fields.";
}

static const char *read_ip(struct span value, struct settings *out)
{
	struct span client, field;
	const char *wrong;

	if (is_dhcp_word(value) || span_empty(value)) {
		out->ipv4 = SETTINGS_AUTO;
		return NULL;
	}
	if (is_off_word(value)) {
		out->ipv4 = SETTINGS_OFF;
		return NULL;
	}

	out->ipv4 = SETTINGS_STATIC;
	client = cut(&value, ':');
	if (!span_empty(client)) {
		wrong = read_client(client, out);
		if (wrong != NULL)
			return wrong;
	}
	(void)cut(&value, ':');
	field = cut(&value, ':');
	if (!span_empty(field) && (!read_ipv4(field, out->gateway4) ||
	        !is_host4(out->gateway4)))
		return "ip=: the gateway (the third field) is not an IPv4 address.";
	field = cut(&value, ':');
	if (!span_empty(field) && (!read_ipv4(field, out->netmask4) ||
	        !mask_is_valid(out->netmask4)))
		return "ip=: the netmask (the fourth field) is not a netmask.";
	return read_tail(value, !span_empty(client), out);
}

static const char *read_ip6(struct span value, struct settings *out)
{
	struct span addr;

	if (span_is(value, "auto") || span_empty(value)) {
		out->ipv6 = SETTINGS_AUTO;
		return NULL;
	}
	if (is_off_word(value)) {
		out->ipv6 = SETTINGS_OFF;
		return NULL;
	}
	out->ipv6 = SETTINGS_STATIC;
	addr = cut(&value, '/');
	if (!read_ipv6(addr, out->addr6) || !is_host6(out->addr6))
		return "ip6=: that is not an IPv6 address of a host.";
	if (!span_is(cut(&value, ','), "64"))
		return "ip6=: the address needs /64 behind it; other prefix lengths "
		    "are not offered.";
	if (!span_empty(value) && (!read_ipv6(value, out->gateway6) ||
	        !is_host6(out->gateway6)))
		return "ip6=: the gateway is not an IPv6 address.";
	return NULL;
}

const char *settings_parse(const char *text, size_t len, struct settings *out)
{
	struct span rest = { text, text + len };

	__builtin_memset(out, 0, sizeof *out);
	while (!span_empty(rest)) {
		struct span word = cut(&rest, ' ');
		const struct span name = cut(&word, '=');
		const char *wrong = NULL;

		if (word.at == name.end)    /* no "=" in it */
			continue;
		if (span_is(name, "ip"))
			wrong = read_ip(word, out);
		else if (span_is(name, "ip6"))
			wrong = read_ip6(word, out);
		if (wrong != NULL)
			return wrong;
	}
	return NULL;
}
