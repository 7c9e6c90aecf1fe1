/*
 * Entropy: see entropy.h.  The hardware is in entropy_source.c.
 *
 *   fresh_word  a source that passed its test and can give more, else NULL
 */
#include <bearssl_hash.h>

#include "config/wipe.h"
#include "kernel/console.h"
#include "kernel/entropy.h"
#include "kernel/entropy_source.h"
#include "kernel/map.h"
#include "kernel/random.h"

#define WORD_LEN 8
#define SAMPLE_WORDS (ENTROPY_SAMPLE_LEN / WORD_LEN)
#define NAMES_CAP 64

/*
 * Of the 512 bits of a sample, this many at least, and at most 512 less this,
 * are 1: 8.5 standard deviations around 256, which a good source misses once in
 * 10^16 starts.
 */
#define ONES_MIN 160

static SEALED char names[NAMES_CAP];
static SEALED size_t names_len;
static SEALED bool (*fresh_word)(uint64_t *out);

/* ---- Health: NIST SP 800-90B, section 4.4 -------------------------------- */

/*
 * The repetition count test with words of 64 bits: for 32 bits of entropy in
 * each, its cutoff at 2^-30 is 2.  Stricter: no two words of the sample are
 * equal, which also finds a short cycle.
 */
static bool has_repetition(const uint8_t *sample)
{
	for (size_t i = 0; i < SAMPLE_WORDS; i++) {
		for (size_t j = 0; j < i; j++) {
			if (load_le64(sample + i * WORD_LEN) ==
			    load_le64(sample + j * WORD_LEN))
				return true;
		}
	}
	return false;
}

/* The proportion test of the section, over the single bits. */
static bool is_balanced(const uint8_t *sample)
{
	size_t ones = 0;

	for (size_t i = 0; i < ENTROPY_SAMPLE_LEN * 8; i++)
		ones += sample[i / 8] >> (i % 8) & 1;
	return ones >= ONES_MIN && ones <= ENTROPY_SAMPLE_LEN * 8 - ONES_MIN;
}

static bool sample_passes(const uint8_t *sample)
{
	return !has_repetition(sample) && is_balanced(sample);
}

/* ---- Start --------------------------------------------------------------- */

static void add_name(const char *name)
{
	if (names_len > 0 && names_len < NAMES_CAP - 1)
		names[names_len++] = ' ';
	for (; *name != '\0' && names_len < NAMES_CAP - 1; name++)
		names[names_len++] = *name;
	names[names_len] = '\0';
}

/*
 * Mix one source's sample in, whether it counts or not.
 * Returns whether it counts.
 */
static bool take_source(const struct entropy_source *source,
    br_sha256_context *hash)
{
	uint8_t sample[ENTROPY_SAMPLE_LEN];
	bool passes;

	if (!source->read(sample))
		return false;
	passes = sample_passes(sample);
	br_sha256_update(hash, source->name, strlen(source->name) + 1);
	br_sha256_update(hash, sample, sizeof sample);
	wipe(sample, sizeof sample);
	if (!source->counts)
		return false;
	if (!passes)
		console_printf("entropy: %s repeats itself, not counted\n",
		    source->name);
	return passes;
}

const char *entropy_init(const uint8_t *seed, size_t len)
{
	static const char label[] = "stele seed";
	uint8_t key[RANDOM_KEY_LEN];
	br_sha256_context hash;
	bool any = false;

	names_len = 0;
	names[0] = '\0';
	fresh_word = NULL;
	br_sha256_init(&hash);
	br_sha256_update(&hash, label, sizeof label);
	br_sha256_update(&hash, seed, len);
	for (size_t i = 0; i < entropy_source_count; i++) {
		const struct entropy_source *source = &entropy_source_list[i];

		if (!take_source(source, &hash))
			continue;
		add_name(source->name);
		any = true;
		if (source->word != NULL)
			fresh_word = source->word;
	}
	br_sha256_out(&hash, key);
	if (any)
		random_seed(key);
	wipe(key, sizeof key);
	wipe(&hash, sizeof hash);
	return any ? NULL : "no entropy: the CPU needs RDRAND or RDSEED, or "
	    "the machine a virtio-rng device";
}

const char *entropy_sources(void)
{
	return names;
}

/* ---- Later --------------------------------------------------------------- */

bool entropy_refresh(uint8_t out[ENTROPY_FRESH_LEN])
{
	uint64_t words[ENTROPY_FRESH_LEN / WORD_LEN];

	if (fresh_word == NULL)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!fresh_word(&words[i]))
			return false;
	}
	memcpy(out, words, sizeof words);
	wipe(words, sizeof words);
	return true;
}

void entropy_nonce(uint8_t out[ENTROPY_NONCE_LEN])
{
	uint64_t word = 0;

	if (fresh_word != NULL && !fresh_word(&word))
		word = 0;
	store_le64(out, word);
	store_le32(out + 8, (uint32_t)entropy_ticks());
}

_Static_assert(ENTROPY_FRESH_LEN == RANDOM_KEY_LEN,
    "a refresh brings as much as the key holds");
