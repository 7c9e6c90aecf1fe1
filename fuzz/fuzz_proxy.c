/* links: net/proxy.c net/range.c net/text.c */
/*
 * PROXY headers: any bytes, in pieces.  What a beginning says for good, the whole says,
 * too; and the client of a header is the one that the same header written by us names.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/limits.h"
#include "net/proxy.h"
#include "net/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(bool good)
{
	if (!good)
		abort();
}

/* From an allocation that ends where the bytes end. */
static enum proxy_parse parse(const uint8_t *data, size_t len,
    struct proxy_header *out)
{
	uint8_t *const copy = malloc(len + (len == 0));

	check(copy != NULL);
	memcpy(copy, data, len);
	const enum proxy_parse result = proxy_parse(copy, len, out);
	free(copy);
	return result;
}

static bool is_same(const struct net_peer *a, const struct net_peer *b)
{
	return a->is_ipv6 == b->is_ipv6 && a->port == b->port &&
	    memcmp(a->addr, b->addr, a->is_ipv6 ? 16 : 4) == 0;
}

static void write_and_read(const struct net_peer *peer)
{
	char line[128], port[32];
	struct text t = text_start(line, sizeof line);
	struct proxy_header again;

	text_add(&t, peer->is_ipv6 ? "PROXY TCP6 " : "PROXY TCP4 ");
	if (peer->is_ipv6)
		text_add_ipv6(&t, peer->addr);
	else
		text_add_ipv4(&t, peer->addr);
	text_add(&t, peer->is_ipv6 ? " ::1" : " 127.0.0.1");
	snprintf(port, sizeof port, " %u 80\r\n", peer->port);
	text_add(&t, port);
	check(parse((const uint8_t *)t.at, t.len, &again) == PROXY_OK);
	check(again.len == t.len && again.has_peer &&
	    is_same(&again.peer, peer));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct proxy_header whole, part;
	const enum proxy_parse result = parse(data, len, &whole);

	check(result != PROXY_NEED_MORE || len < LIMIT_PROXY_LEN);
	check(result != PROXY_OK || (whole.len <= len &&
	    whole.len <= LIMIT_PROXY_LEN && whole.len >= 15));
	for (size_t i = 0; i < len && i < 256; i++) {
		const enum proxy_parse early = parse(data, i, &part);

		if (early != PROXY_NEED_MORE)
			check(early == result);
		if (early == PROXY_OK)
			check(whole.len == part.len && part.len <= i);
		/* No header is good before its last byte is there. */
		if (result == PROXY_OK && i < whole.len)
			check(early == PROXY_NEED_MORE);
	}
	if (result == PROXY_OK && whole.has_peer)
		write_and_read(&whole.peer);
	return 0;
}
