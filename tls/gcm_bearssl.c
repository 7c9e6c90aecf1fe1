/*
 * AES-GCM records (RFC 5288), on BearSSL's AES and GHASH.
 *
 * BearSSL's own records call GHASH three times and AES twice each: header, text and
 * lengths apart, and a keystream block of its own for the tag.  For a short record
 * that is a third of its cost.  Here everything that is hashed is laid out in one piece
 * around the text, and the tag's keystream block is the one before the text's, so
 * that each is called once.  NIST SP 800-38D, section 7, with counter blocks
 * nonce || 1 for the tag and nonce || 2 ... for the text.
 *
 * Constant-time as far as BearSSL's AES and GHASH are.
 */
#include "tls/engine_int.h"

#include "tls/secret.h"

#define BLOCK 16u
#define NONCE_LEN 8u             /* the explicit part: RFC 5288, section 3 */

_Static_assert(TLS_HEAD_ROOM >= BLOCK && TLS_TAIL_ROOM >= 2 * BLOCK - 1 &&
    TLS_OPEN_HEAD_ROOM + NONCE_LEN >= BLOCK &&
    TLS_OPEN_TAIL_ROOM >= BLOCK - 1,
    "there is room around the text for what is hashed with it");

/* RFC 5246, section 6.2.3.3: additional data, a block with the padding. */
static void put_additional(uint8_t block[BLOCK], uint64_t seq, uint8_t type,
    size_t len)
{
	memset(block, 0, BLOCK);
	store_be64(block, seq);
	block[8] = type;
	store_be16(block + 9, BR_TLS12);
	store_be16(block + 11, (uint16_t)len);
}

/*
 * The hash over the block before the ciphertext, the ciphertext padded to whole blocks,
 * and the lengths, which are written behind it.
 */
static void hash(const br_sslrec_gcm_context *cc, uint8_t *text, size_t len,
    uint8_t y[BLOCK])
{
	const size_t padded = (len + BLOCK - 1) & ~(size_t)(BLOCK - 1);

	memset(text + len, 0, padded - len);
	store_be64(text + padded, 13 * 8);
	store_be64(text + padded + 8, (uint64_t)len * 8);
	memset(y, 0, BLOCK);
	cc->gh(y, cc->h, text - BLOCK, BLOCK + padded + BLOCK);
}

/* Cipher the text, and leave the tag's keystream block before it. */
static void cipher(const br_sslrec_gcm_context *cc, const uint8_t nonce[NONCE_LEN],
    uint8_t *text, size_t len)
{
	uint8_t iv[12];

	memcpy(iv, cc->iv, 4);
	memcpy(iv + 4, nonce, NONCE_LEN);
	memset(text - BLOCK, 0, BLOCK);
	cc->bc.vtable->run(&cc->bc.vtable, iv, 1, text - BLOCK, BLOCK + len);
}

uint8_t *gcm_seal(br_sslrec_gcm_context *cc, uint8_t type, uint8_t *plain,
    size_t *len)
{
	const uint64_t seq = cc->seq++;
	const size_t text_len = *len;
	uint8_t nonce[NONCE_LEN], mask[BLOCK], y[BLOCK];
	uint8_t *const record = plain - NONCE_LEN - TLS_HEADER_LEN;

	store_be64(nonce, seq);
	cipher(cc, nonce, plain, text_len);
	memcpy(mask, plain - BLOCK, BLOCK);
	put_additional(plain - BLOCK, seq, type, text_len);
	hash(cc, plain, text_len, y);
	for (size_t i = 0; i < BLOCK; i++)
		plain[text_len + i] = y[i] ^ mask[i];

	*len = NONCE_LEN + text_len + BLOCK;
	record[0] = type;
	store_be16(record + 1, BR_TLS12);
	store_be16(record + 3, (uint16_t)*len);
	memcpy(record + TLS_HEADER_LEN, nonce, NONCE_LEN);
	*len += TLS_HEADER_LEN;
	return record;
}

uint8_t *gcm_open(br_sslrec_gcm_context *cc, uint8_t type, uint8_t *payload,
    size_t *len)
{
	const uint64_t seq = cc->seq++;
	uint8_t nonce[NONCE_LEN], tag[BLOCK], y[BLOCK];
	uint8_t *const text = payload + NONCE_LEN;
	const uint8_t *const mask = text - BLOCK;
	uint8_t wrong = 0;
	size_t text_len;

	if (*len < NONCE_LEN + BLOCK ||
	    *len > NONCE_LEN + TLS_PLAIN_MAX + BLOCK)
		return NULL;
	text_len = *len - NONCE_LEN - BLOCK;
	memcpy(nonce, payload, NONCE_LEN);
	memcpy(tag, text + text_len, BLOCK);
	put_additional(text - BLOCK, seq, type, text_len);
	hash(cc, text, text_len, y);
	cipher(cc, nonce, text, text_len);
	for (size_t i = 0; i < BLOCK; i++)
		wrong |= (uint8_t)(y[i] ^ tag[i] ^ mask[i]);
	*len = text_len;
	return wrong == 0 ? text : NULL;
}
