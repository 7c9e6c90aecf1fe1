/*
 * Random generator: see random.h.
 *
 *   key         the only secret; replaced before a byte made from it is given
 *   given       bytes given out since fresh bytes were last asked for
 *   fresh_ns    when that was
 */
#include <bearssl_block.h>
#include <bearssl_hash.h>

#include "config/limits.h"
#include "config/wipe.h"
#include "kernel/clock.h"
#include "kernel/entropy.h"
#include "kernel/random.h"

#define BLOCK_LEN 64                     /* ChaCha20: RFC 8439, section 2.3 */
#define FILL_MAX (1u << 20)
#define NS_PER_S 1000000000ull

static uint8_t key[RANDOM_KEY_LEN];
static bool seeded;
static uint64_t given;
static uint64_t fresh_ns;

void random_seed(const uint8_t new_key[RANDOM_KEY_LEN])
{
	memcpy(key, new_key, sizeof key);
	seeded = true;
	given = 0;
	fresh_ns = clock_now_ns();
}

bool random_ready(void)
{
	return seeded;
}

/* Hash fresh bytes into the key, now and then; it cannot get worse by that. */
static void refresh(void)
{
	static const char label[] = "stele refresh";
	const uint64_t now_ns = clock_now_ns();
	uint8_t fresh[RANDOM_KEY_LEN];
	br_sha256_context hash;

	if (given < LIMIT_RESEED_LEN &&
	    now_ns - fresh_ns < LIMIT_RESEED_S * NS_PER_S)
		return;
	given = 0;
	fresh_ns = now_ns;
	if (!entropy_refresh(fresh))
		return;
	br_sha256_init(&hash);
	br_sha256_update(&hash, label, sizeof label);
	br_sha256_update(&hash, key, sizeof key);
	br_sha256_update(&hash, fresh, sizeof fresh);
	br_sha256_out(&hash, key);
	wipe(fresh, sizeof fresh);
	wipe(&hash, sizeof hash);
}

/*
 * One key stream: block 0 is the next key and the first 32 bytes of the answer,
 * the blocks after it are the rest.
 */
void random_fill(void *buf, size_t len)
{
	const size_t first = BLOCK_LEN - RANDOM_KEY_LEN;
	uint8_t block[BLOCK_LEN] = { 0 };
	uint8_t old[RANDOM_KEY_LEN];
	uint8_t nonce[ENTROPY_NONCE_LEN];
	uint8_t *out = buf;

	ASSERT(seeded);
	ASSERT(len <= FILL_MAX);
	refresh();
	entropy_nonce(nonce);
	memcpy(old, key, sizeof old);
	br_chacha20_ct_run(old, nonce, 0, block, sizeof block);
	memcpy(key, block, sizeof key);
	memcpy(out, block + RANDOM_KEY_LEN, len < first ? len : first);
	if (len > first) {
		memset(out + first, 0, len - first);
		br_chacha20_ct_run(old, nonce, 1, out + first, len - first);
	}
	given += len;
	wipe(old, sizeof old);
	wipe(block, sizeof block);
}
