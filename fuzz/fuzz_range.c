/* links: tests/host_panic.c tests/http/slow_range.c tests/http/slow_list.c http/range.c
 * http/chars.c */
/*
 * Range: any value for a representation of any length, against the slow twin.  The first
 * byte chooses the length among those where something begins or ends.
 */
#include <stdlib.h>
#include <string.h>

#include "http/range.h"
#include "tests/http/slow_range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(bool good)
{
	if (!good)
		abort();
}

/* What is promised of any answer, whoever is right. */
static void check_parts(const struct http_range *part, uint32_t count,
    uint64_t len)
{
	uint64_t sum = 0;

	check(count >= 1 && count <= LIMIT_RANGE_PARTS);
	for (uint32_t i = 0; i < count; i++) {
		check(part[i].len >= 1 && part[i].len <= len);
		check(part[i].first <= len - part[i].len);
		sum += part[i].len;
		check(sum <= len);
		for (uint32_t k = 0; k < i; k++)
			check(part[i].first + part[i].len < part[k].first ||
			    part[k].first + part[k].len < part[i].first);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint64_t lens[] = {
		0, 1, 2, 3, 10, 100, 1000, UINT32_MAX, (uint64_t)1 << 32,
		INT64_MAX, UINT64_MAX - 1, UINT64_MAX,
	};
	struct http_range fast[LIMIT_RANGE_PARTS];
	struct http_range slow[LIMIT_RANGE_PARTS];
	uint32_t fast_count = 77;
	uint32_t slow_count = 77;

	if (len == 0 || len > 4096)
		return 0;
	const uint64_t of = lens[*data % ARRAY_LEN(lens)];
	uint8_t *const copy = malloc(len);
	check(copy != NULL);
	memcpy(copy, data + 1, len - 1);
	/* The value ends where its allocation ends. */
	uint8_t *const end = realloc(copy, len - 1 + (len == 1));
	check(end != NULL);
	const struct http_text value = { end, len - 1 };

	const enum http_ranges got =
	    http_parse_ranges(value, of, fast, &fast_count);
	check(got == slow_parse_ranges(value, of, slow, &slow_count));
	if (got == HTTP_RANGES_SOME) {
		check_parts(fast, fast_count, of);
		check(fast_count == slow_count);
		check(memcmp(fast, slow, fast_count * sizeof *fast) == 0);
	}
	free(end);
	return 0;
}
