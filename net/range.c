/*
 * Addresses and ranges as text; see range.h.
 */
#include "net/range.h"

static const uint8_t mapped_prefix[12] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
};

/* Where `c` is first; len if nowhere. */
static size_t find(const char *text, size_t len, char c)
{
	size_t at = 0;

	while (at < len && text[at] != c)
		at++;
	return at;
}

/* A decimal number up to max without zeros in front, nothing else. */
static bool read_number(const char *text, size_t len, uint32_t max,
    uint32_t *out)
{
	uint32_t value = 0;

	if (len == 0 || len > 5 || (len > 1 && text[0] == '0'))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = 10 * value + (uint32_t)(text[i] - '0');
	}
	*out = value;
	return value <= max;
}

bool net_read_ipv4(const char *text, size_t len, uint8_t *out)
{
	uint8_t addr[4];

	for (size_t i = 0; i < 4; i++) {
		const size_t part = i < 3 ? find(text, len, '.') : len;
		uint32_t value;

		if ((i < 3 && part == len) ||
		    !read_number(text, part, 255, &value))
			return false;
		addr[i] = (uint8_t)value;
		if (i < 3) {
			text += part + 1;
			len -= part + 1;
		}
	}
	__builtin_memcpy(out, addr, 4);
	return true;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* One to four hexadecimal digits at the start; returns how many, 0 for none. */
static size_t read_group(const char *text, size_t len, uint8_t *out)
{
	unsigned value = 0;
	size_t digits = 0;

	while (digits < len && digits < 4 && hex_value(text[digits]) >= 0)
		value = 16 * value + (unsigned)hex_value(text[digits++]);
	out[0] = (uint8_t)(value >> 8);
	out[1] = (uint8_t)value;
	return digits;
}

/* Groups before and behind the gap, in one row; `gap` is where it was. */
struct groups {
	uint8_t at[16];
	size_t len;
	size_t gap;
	bool has_gap;
};

static bool read_groups(const char *text, size_t len, struct groups *g)
{
	*g = (struct groups){ .has_gap = false };
	if (len >= 2 && text[0] == ':' && text[1] == ':') {
		g->has_gap = true;
		text += 2;
		len -= 2;
	}
	while (len > 0) {
		if (g->len <= 12 && net_read_ipv4(text, len, g->at + g->len)) {
			g->len += 4;
			return true;
		}
		const size_t digits = g->len == 16 ? 0 :
		    read_group(text, len, g->at + g->len);
		if (digits == 0)
			return false;
		g->len += 2;
		text += digits;
		len -= digits;
		if (len == 0)
			return true;
		if (len == 1 || text[0] != ':')
			return false;
		text++;
		len--;
		if (text[0] != ':')
			continue;
		if (g->has_gap)
			return false;
		g->has_gap = true;
		g->gap = g->len;
		text++;
		len--;
	}
	return true;
}

bool net_read_ipv6(const char *text, size_t len, uint8_t *out)
{
	struct groups g;

	/* A gap stands for one group at least. */
	if (!read_groups(text, len, &g) || g.has_gap == (g.len == 16))
		return false;
	if (!g.has_gap)
		g.gap = g.len;
	__builtin_memset(out, 0, 16);
	__builtin_memcpy(out, g.at, g.gap);
	__builtin_memcpy(out + 16 - (g.len - g.gap), g.at + g.gap,
	    g.len - g.gap);
	return true;
}

struct net_peer net_peer_of(const uint8_t *addr, bool is_ipv6, uint16_t port)
{
	struct net_peer peer = { .port = port, .is_ipv6 = is_ipv6 };

	if (is_ipv6 && __builtin_memcmp(addr, mapped_prefix,
	    sizeof mapped_prefix) == 0) {
		peer.is_ipv6 = false;
		addr += sizeof mapped_prefix;
	}
	__builtin_memcpy(peer.addr, addr, peer.is_ipv6 ? 16 : 4);
	return peer;
}

/* An address of either family; the bytes into out[16]. */
static bool read_address(const char *text, size_t len, bool *is_ipv6,
    uint8_t *out)
{
	*is_ipv6 = find(text, len, ':') < len;
	return *is_ipv6 ? net_read_ipv6(text, len, out) :
	    net_read_ipv4(text, len, out);
}

bool net_read_endpoint(const char *text, size_t len,
    uint16_t default_port, struct net_peer *out)
{
	const bool bracket = len > 0 && text[0] == '[';
	uint32_t port = default_port;
	size_t addr_len = len, at;
	uint8_t addr[16];
	bool is_ipv6;

	if (bracket) {
		text++;
		len--;
		addr_len = find(text, len, ']');
		if (addr_len == len)
			return false;
		at = addr_len + 1;
	} else {
		at = find(text, len, ':');
		/* More than one colon: IPv6, and no port. */
		if (find(text + at, len - at, ':') < len - at &&
		    find(text + at + 1, len - at - 1, ':') < len - at - 1)
			at = len;
		addr_len = at;
	}
	if (at < len && (text[at] != ':' ||
	    !read_number(text + at + 1, len - at - 1, UINT16_MAX, &port)))
		return false;
	if (port == 0 || !read_address(text, addr_len, &is_ipv6, addr) ||
	    (bracket && !is_ipv6))
		return false;
	*out = net_peer_of(addr, is_ipv6, (uint16_t)port);
	return true;
}

static bool read_range(const char *text, size_t len, struct net_range *out)
{
	const size_t slash = find(text, len, '/');
	const size_t mapped_bits = 8 * sizeof mapped_prefix;
	uint32_t bits;

	if (!read_address(text, slash, &out->is_ipv6, out->addr))
		return false;
	bits = out->is_ipv6 ? 128 : 32;
	if (slash < len &&
	    !read_number(text + slash + 1, len - slash - 1, bits, &bits))
		return false;
	/* As net_peer_of() has those who are in it. */
	if (out->is_ipv6 && bits >= mapped_bits && __builtin_memcmp(out->addr,
	    mapped_prefix, sizeof mapped_prefix) == 0) {
		__builtin_memmove(out->addr, out->addr + sizeof mapped_prefix, 4);
		out->is_ipv6 = false;
		bits -= (uint32_t)mapped_bits;
	}
	out->bits = (uint8_t)bits;
	return true;
}

bool net_read_ranges(const char *text, size_t len, struct net_ranges *out)
{
	*out = (struct net_ranges){ 0 };
	for (;;) {
		const size_t comma = find(text, len, ',');

		if (out->count == LIMIT_RANGES ||
		    !read_range(text, comma, &out->at[out->count]))
			return false;
		out->count++;
		if (comma == len)
			return true;
		text += comma + 1;
		len -= comma + 1;
	}
}

static bool holds(const struct net_range *range, const struct net_peer *peer)
{
	const size_t whole = range->bits / 8;
	const unsigned rest = range->bits % 8;

	if (range->is_ipv6 != peer->is_ipv6 ||
	    __builtin_memcmp(range->addr, peer->addr, whole) != 0)
		return false;
	return rest == 0 ||
	    (range->addr[whole] ^ peer->addr[whole]) >> (8 - rest) == 0;
}

bool net_ranges_hold(const struct net_ranges *ranges,
    const struct net_peer *peer)
{
	for (uint32_t i = 0; i < ranges->count; i++) {
		if (holds(&ranges->at[i], peer))
			return true;
	}
	return false;
}
