/*
 * The PROXY protocol; see proxy.h.
 */
#include "net/proxy.h"

#include "config/limits.h"
#include "net/range.h"

/* ---- Version 1: a line ------------------------------------------------------ */

/* "PROXY UNKNOWN", two IPv6 addresses, two ports, CRLF: section 2.1. */
#define LINE_MAX 107

static const uint8_t line_start[6] = { 'P', 'R', 'O', 'X', 'Y', ' ' };

/* Text not yet read; no CR and no LF are in it. */
struct line {
	const char *at;
	size_t len;
};

static bool take_word(struct line *l, const char *word)
{
	const size_t len = __builtin_strlen(word);

	if (l->len < len || __builtin_memcmp(l->at, word, len) != 0)
		return false;
	l->at += len;
	l->len -= len;
	return true;
}

/* What is before the next blank, which has to be there unless it is the last. */
static bool take_part(struct line *l, bool is_last, struct line *out)
{
	size_t end = 0;

	while (end < l->len && l->at[end] != ' ')
		end++;
	if (is_last != (end == l->len))
		return false;
	*out = (struct line){ l->at, end };
	if (!is_last)
		end++;
	l->at += end;
	l->len -= end;
	return true;
}

static bool take_address(struct line *l, bool is_ipv6, uint8_t out[16])
{
	struct line part;

	if (!take_part(l, false, &part))
		return false;
	return is_ipv6 ? net_read_ipv6(part.at, part.len, out) :
	    net_read_ipv4(part.at, part.len, out);
}

/* 0..65535 without zeros in front. */
static bool take_port(struct line *l, bool is_last, uint16_t *out)
{
	struct line part;
	uint32_t value = 0;

	if (!take_part(l, is_last, &part) || part.len == 0 || part.len > 5 ||
	    (part.len > 1 && part.at[0] == '0'))
		return false;
	for (size_t i = 0; i < part.len; i++) {
		if (part.at[i] < '0' || part.at[i] > '9')
			return false;
		value = 10 * value + (uint32_t)(part.at[i] - '0');
	}
	*out = (uint16_t)value;
	return value <= UINT16_MAX;
}

/* The line behind "PROXY ", without its end. */
static bool read_line(struct line l, struct proxy_header *out)
{
	uint8_t from[16], to[16];
	uint16_t from_port, to_port;
	bool is_ipv6;

	out->has_peer = false;
	/* What follows UNKNOWN is ignored. */
	if (take_word(&l, "UNKNOWN"))
		return l.len == 0 || l.at[0] == ' ';

	is_ipv6 = take_word(&l, "TCP6 ");
	if (!is_ipv6 && !take_word(&l, "TCP4 "))
		return false;
	if (!take_address(&l, is_ipv6, from) || !take_address(&l, is_ipv6, to) ||
	    !take_port(&l, false, &from_port) || !take_port(&l, true, &to_port))
		return false;
	out->has_peer = true;
	out->peer = net_peer_of(from, is_ipv6, from_port);
	return true;
}

static enum proxy_parse parse_line(const uint8_t *data, size_t len,
    struct proxy_header *out)
{
	const size_t seen = len < LINE_MAX ? len : LINE_MAX;
	size_t end = sizeof line_start;

	while (end < seen && data[end] != '\r' && data[end] != '\n')
		end++;
	if (end == LINE_MAX || (end == LINE_MAX - 1 && end < seen))
		return PROXY_BAD;
	if (end == len || (data[end] == '\r' && end + 1 == len))
		return PROXY_NEED_MORE;
	/* A CR or an LF alone MUST NOT end the line. */
	if (data[end] != '\r' || data[end + 1] != '\n')
		return PROXY_BAD;
	out->len = end + 2;
	return read_line((struct line){
	    (const char *)data + sizeof line_start, end - sizeof line_start },
	    out) ? PROXY_OK : PROXY_BAD;
}

/* ---- Version 2: binary ------------------------------------------------------ */

#define HEAD_LEN 16

static const uint8_t signature[12] = {
	0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a
};

enum command { LOCAL = 0, PROXY = 1 };

/* Address family and transport, the 14th byte. */
#define FAMILY_MAX 3
#define TRANSPORT_MAX 2
#define TCP4 0x11
#define TCP6 0x21

/* Both addresses, then both ports. */
static size_t addresses_len(bool is_ipv6)
{
	return is_ipv6 ? 2 * 16 + 2 * 2 : 2 * 4 + 2 * 2;
}

static enum proxy_parse parse_binary(const uint8_t *data, size_t len,
    struct proxy_header *out)
{
	if (len < HEAD_LEN)
		return PROXY_NEED_MORE;

	const unsigned command = data[12] & 15, kind = data[13];
	const size_t rest_len = load_be16(data + 14);
	const bool is_ipv6 = kind == TCP6;

	if (data[12] >> 4 != 2 || command > PROXY)
		return PROXY_BAD;
	/* The rest of a LOCAL header is skipped, whatever it says. */
	if (command == PROXY && (kind >> 4 > FAMILY_MAX ||
	    (kind & 15) > TRANSPORT_MAX))
		return PROXY_BAD;
	out->has_peer = command == PROXY && (kind == TCP4 || kind == TCP6);
	if ((out->has_peer && rest_len < addresses_len(is_ipv6)) ||
	    HEAD_LEN + rest_len > LIMIT_PROXY_LEN)
		return PROXY_BAD;
	if (len < HEAD_LEN + rest_len)
		return PROXY_NEED_MORE;
	out->len = HEAD_LEN + rest_len;
	if (out->has_peer)
		out->peer = net_peer_of(data + HEAD_LEN, is_ipv6,
		    load_be16(data + HEAD_LEN + addresses_len(is_ipv6) - 4));
	return PROXY_OK;
}

/* ---- Both ------------------------------------------------------------------- */

/* As many bytes as there are of both are the same. */
static bool begins(const uint8_t *data, size_t len, const uint8_t *with,
    size_t with_len)
{
	return __builtin_memcmp(data, with, len < with_len ? len : with_len) == 0;
}

enum proxy_parse proxy_parse(const uint8_t *data, size_t len,
    struct proxy_header *out)
{
	struct proxy_header header;
	enum proxy_parse result;

	if (begins(data, len, signature, sizeof signature))
		result = parse_binary(data, len, &header);
	else if (begins(data, len, line_start, sizeof line_start))
		result = len < sizeof line_start ? PROXY_NEED_MORE :
		    parse_line(data, len, &header);
	else
		return PROXY_BAD;
	if (result == PROXY_OK)
		*out = header;
	return result;
}
