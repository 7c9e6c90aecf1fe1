/* links: tests/host_panic.c tests/http/slow_path.c http/path.c http/chars.c */
/*
 * The path normaliser: any bytes, against its slow twin.
 */
#include <stdlib.h>
#include <string.h>

#include "http/path.h"
#include "tests/http/slow_path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(bool good)
{
	if (!good)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *const room = malloc(len + (len == 0));
	uint8_t *const slow = malloc(len + 2);
	struct http_text fast;
	size_t slow_len = 0;

	check(room != NULL && slow != NULL);
	const enum http_path want = slow_normalise(data, len, slow, &slow_len);
	check(http_normalise_path((struct http_text){ data, len }, room, len,
	    &fast) == want);
	if (want != HTTP_PATH_BAD) {
		check(fast.len == slow_len);
		check(memcmp(fast.at, slow, slow_len) == 0);
		check(fast.len > 0 && fast.at[0] == '/');
		check(!slow_has_dots(fast.at, fast.len));
	}
	free(room);
	free(slow);
	return 0;
}
