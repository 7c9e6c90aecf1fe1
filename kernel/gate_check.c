/*
 * The gate's checks; see gate_check.h.
 */
#include "kernel/gate_check.h"

#include "config/bundle.h"

#define ETHERNET_LEN 14
#define TCP_HEADERS_MIN 54     /* Ethernet, IPv4 and TCP without options */
#define GSO_SIZE_MIN 256       /* smaller segments would let one frame flood the wire */

const struct gate_range *gate_find_range(const struct gate_ranges *ranges,
    uint64_t addr, uint64_t len, uint32_t rights)
{
	for (uint32_t i = 0; i < ranges->count; i++) {
		const struct gate_range *r = &ranges->range[i];

		/* Both differences are taken only where they cannot wrap. */
		if (addr >= r->start && addr - r->start < r->len &&
		    len <= r->len - (addr - r->start) && len > 0)
			return (r->rights & rights) == rights ? r : NULL;
	}
	return NULL;
}

enum gate_status gate_check_counts(const struct gate_net *counts)
{
	if (counts->tx_count > GATE_TX_BATCH ||
	    counts->slice_count > GATE_SLICE_BATCH ||
	    counts->give_count > GATE_GIVE_BATCH || counts->zero != 0)
		return GATE_BAD_VALUE;
	return GATE_OK;
}

/* Offload fields against the frame's length and what the NIC offers. */
static enum gate_status check_offload(const struct gate_tx *tx,
    uint32_t first_len, uint32_t frame_len, uint32_t nic_features)
{
	const uint32_t sum_end = (uint32_t)tx->csum_start + tx->csum_offset + 2;

	if (tx->offload == GATE_TX_PLAIN)
		return frame_len <= ETHERNET_LEN + 1500 ? GATE_OK : GATE_BAD_VALUE;
	if (!(nic_features & GATE_NIC_CSUM_TX) || tx->csum_start < ETHERNET_LEN ||
	    sum_end > frame_len)
		return GATE_BAD_VALUE;
	if (tx->offload == GATE_TX_CSUM)
		return frame_len <= ETHERNET_LEN + 1500 ? GATE_OK : GATE_BAD_VALUE;
	if (tx->offload > GATE_TX_TSO6)
		return GATE_BAD_VALUE;
	const uint32_t need = tx->offload == GATE_TX_TSO4 ?
	    GATE_NIC_TSO4 : GATE_NIC_TSO6;

	if (!(nic_features & need) || tx->gso_size < GSO_SIZE_MIN ||
	    tx->header_len < TCP_HEADERS_MIN || tx->header_len > first_len ||
	    sum_end > tx->header_len)
		return GATE_BAD_VALUE;
	return GATE_OK;
}

enum gate_status gate_check_frame(const struct gate_tx *tx,
    const struct gate_slice *slices, uint32_t slice_count,
    const struct gate_ranges *ranges, uint32_t nic_features, uint64_t *pa)
{
	const uint32_t first = tx->first_slice;
	uint32_t frame_len = 0;

	if (tx->slice_count == 0 || tx->slice_count > GATE_FRAME_SLICES ||
	    first > slice_count || tx->slice_count > slice_count - first)
		return GATE_BAD_VALUE;
	for (uint32_t i = first; i < first + tx->slice_count; i++) {
		const uint64_t addr = (uint64_t)slices[i].addr;
		const uint32_t len = slices[i].len;

		if (len == 0 || len > GATE_FRAME_MAX || slices[i].zero != 0)
			return GATE_BAD_VALUE;
		const struct gate_range *r =
		    gate_find_range(ranges, addr, len, GATE_RANGE_SEND);

		if (r == NULL)
			return GATE_BAD_RANGE;
		pa[i] = r->pa + (addr - r->start);
		frame_len += len;
	}
	if (frame_len < GATE_FRAME_MIN || frame_len > GATE_FRAME_MAX)
		return GATE_BAD_VALUE;
	return check_offload(tx, slices[first].len, frame_len, nic_features);
}

/* What each algorithm takes, by enum gate_sign_algorithm. */
static const struct sign_rule {
	uint16_t digest_len;
	bool rsa;
} sign_rules[] = {
	[GATE_SIGN_ECDSA_SHA256] = { 32, false },
	[GATE_SIGN_ECDSA_SHA384] = { 48, false },
	[GATE_SIGN_ECDSA_SHA512] = { 64, false },
	[GATE_SIGN_RSA_PKCS1_SHA256] = { 32, true },
	[GATE_SIGN_RSA_PKCS1_SHA384] = { 48, true },
	[GATE_SIGN_RSA_PKCS1_SHA512] = { 64, true },
	[GATE_SIGN_RSA_PSS_SHA256] = { 32, true },
	[GATE_SIGN_RSA_PSS_SHA384] = { 48, true },
	[GATE_SIGN_RSA_PSS_SHA512] = { 64, true },
};

enum gate_status gate_check_sign(const struct gate_sign *sign,
    const struct gate_info *info)
{
	if (sign->key >= info->key_count || sign->algorithm == 0 ||
	    sign->algorithm >= ARRAY_LEN(sign_rules))
		return GATE_BAD_VALUE;
	const struct sign_rule *rule = &sign_rules[sign->algorithm];

	if (sign->digest_len != rule->digest_len ||
	    (info->key_kind[sign->key] == BUNDLE_KEY_RSA) != rule->rsa)
		return GATE_BAD_VALUE;
	return GATE_OK;
}
