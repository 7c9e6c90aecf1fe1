/*
 * SipHash-2-4: a keyed hash of short inputs whose values nobody without the key
 * can predict.  Not constant-time in the length, which is not secret here.
 * Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012.
 */
#pragma once

#include "config/base.h"

/* Hash len bytes under a key of 16 bytes. */
uint64_t siphash24(const uint8_t key[16], const void *data, size_t len);
