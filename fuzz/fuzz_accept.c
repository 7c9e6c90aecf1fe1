/* links: tests/host_panic.c tests/http/slow_accept.c tests/http/slow_list.c http/accept.c
 * http/chars.c -lm */
/*
 * Content negotiation: any lines of Accept-Encoding and Want-Repr-Digest, against the
 * slow twin.  The first byte says what is offered, the lines behind it end in LF: up
 * to four for one field, the rest for the other.
 */
#include <stdlib.h>
#include <string.h>

#include "http/accept.h"
#include "romfs/romfs.h"
#include "tests/http/slow_accept.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(bool good)
{
	if (!good)
		abort();
}

/* The next line as a copy that ends where its allocation ends; its end is stepped over. */
static struct http_text take_line(const uint8_t **data, size_t *len)
{
	const uint8_t *const end = memchr(*data, '\n', *len);
	const size_t line = end == NULL ? *len : (size_t)(end - *data);
	const size_t step = line + (end != NULL);
	uint8_t *const copy = malloc(line + (line == 0));

	check(copy != NULL);
	memcpy(copy, *data, line);
	*data += step;
	*len -= step;
	return (struct http_text){ copy, line };
}

static void take_lines(struct http_lines *field, const uint8_t **data,
    size_t *len)
{
	while (*len > 0 && field->count < LIMIT_FIELD_LINES)
		field->line[field->count++] = take_line(data, len);
}

static void free_lines(struct http_lines *field)
{
	for (uint32_t i = 0; i < field->count; i++)
		free((void *)field->line[i].at);
}

static void check_choice(const struct http_request *req, uint8_t set)
{
	uint8_t offered[4] = { ROMFS_IDENTITY };
	uint32_t count = 1;
	uint32_t chosen = 77;
	uint32_t slow = 77;

	/* Any of the others, in either order. */
	for (uint8_t i = 1; i <= 3; i++) {
		if (set & 1u << i)
			offered[count++] = set & 1 ? i : (uint8_t)(4 - i);
	}
	const bool got = http_choose_coding(req, offered, count, &chosen);
	check(got == slow_choose_coding(req, offered, count, &slow));
	if (got)
		check(chosen < count && chosen == slow);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct http_request req;

	if (len == 0 || len > 8192)
		return 0;
	memset(&req, 0, sizeof req);
	const uint8_t set = *data++;
	len--;
	take_lines(&req.accept_encoding, &data, &len);
	take_lines(&req.want_repr_digest, &data, &len);
	check_choice(&req, set);
	check(http_wants_digest(&req) == slow_wants_digest(&req));

	/* The same lines for the other field. */
	const struct http_lines first = req.accept_encoding;
	req.accept_encoding = req.want_repr_digest;
	req.want_repr_digest = first;
	check_choice(&req, set);
	check(http_wants_digest(&req) == slow_wants_digest(&req));
	free_lines(&req.accept_encoding);
	free_lines(&req.want_repr_digest);
	return 0;
}
