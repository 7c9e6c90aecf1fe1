/*
 * The key vault: the only code that uses a private key.  The keys are the
 * records of the instance bundle, where the loader put them, mapped for ring 0
 * alone and read-only; nothing copies one.  Behind gate_sign(), in the kernel
 * and in the Linux process.
 */
#pragma once

#include "config/base.h"
#include "config/bundle.h"
#include "kernel/gate.h"

/*
 * Use these records from now on.
 *
 * keys   key_count of them, part of a bundle that passed bundle_check(); stay where
 *        they are and as they are
 */
void vault_open(const struct bundle_key *keys, uint32_t key_count);

/* Fill in what gate_info says about the keys: key_count, key_kind, key_bits. */
void vault_describe(struct gate_info *info);

/*
 * Make a signature.
 *
 * sign    in the caller's own memory, not the server's; gate_check_sign() said GATE_OK.
 *         On GATE_OK signature and signature_len are written, on GATE_FAILED all of
 *         signature is zeros
 * Errors  GATE_FAILED when an RSA signature did not verify
 * Cost    in the order of milliseconds; README.md has figures.  Less than
 *         VAULT_STACK_LEN bytes of stack, which are zero afterwards
 * Source  RFC 6979 with FIPS 186-5, section 6.4; RFC 8017, sections 8.1.1 and 8.2.1
 */
MUST_USE enum gate_status vault_sign(struct gate_sign *sign);

/* P-384 takes the most, 4.3 KiB; the test says when it becomes too much. */
#define VAULT_STACK_LEN 8192

/*
 * Is a signature being made right now?  Registers then hold parts of a key,
 * which no crash report may print.
 */
bool vault_busy(void);
