/*
 * Reading and comparing authorities: http/authority.h.
 */
#include "http/authority.h"

#include "http/cursor.h"

static struct http_text take_ip_literal(struct rd *r)
{
	const uint8_t *const start = r->at;
	uint8_t c;

	if (!rd_take(r, '['))
		return (struct http_text){ 0 };
	while (rd_take(r, ':') || rd_take(r, '.') ||
	    rd_take_class(r, HTTP_HEX, &c))
		;
	if (!rd_take(r, ']') || r->at - start < 4)
		return (struct http_text){ 0 };
	return (struct http_text){ start, (size_t)(r->at - start) };
}

static struct http_text take_reg_name(struct rd *r)
{
	const uint8_t *const start = r->at;
	uint8_t c;

	for (;;) {
		rd_while(r, HTTP_HOST);
		if (!rd_take(r, '%'))
			break;
		if (!rd_take_class(r, HTTP_HEX, &c) ||
		    !rd_take_class(r, HTTP_HEX, &c))
			return (struct http_text){ 0 };
	}
	return (struct http_text){ start, (size_t)(r->at - start) };
}

bool http_parse_authority(struct http_text text, struct http_authority *out)
{
	struct rd r = rd_text(text);
	uint32_t port = 0;
	uint8_t c;

	const struct http_text host = rd_sees(&r, '[') ?
	    take_ip_literal(&r) : take_reg_name(&r);
	if (host.at == NULL)
		return false;
	if (rd_take(&r, ':')) {
		while (rd_take_class(&r, HTTP_DIGIT, &c)) {
			port = port * 10 + (c - '0');
			if (port > 65535)
				return false;
		}
	}
	if (!rd_at_end(&r))
		return false;
	*out = (struct http_authority){ .host = host, .port = port };
	return true;
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

bool http_authority_equal(const struct http_authority *a,
    const struct http_authority *b, uint32_t default_port)
{
	const uint32_t a_port = a->port != 0 ? a->port : default_port;
	const uint32_t b_port = b->port != 0 ? b->port : default_port;

	if (a->host.len != b->host.len || a_port != b_port)
		return false;
	for (size_t i = 0; i < a->host.len; i++) {
		if (lower(a->host.at[i]) != lower(b->host.at[i]))
			return false;
	}
	return true;
}
