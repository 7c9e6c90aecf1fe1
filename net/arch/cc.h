/*
 * What lwIP asks of its platform: types come from the compiler, an assertion
 * that fails is our panic, and there is no printf.
 */
#pragma once

#include "config/base.h"

#define LWIP_NO_INTTYPES_H 1
#define LWIP_NO_LIMITS_H 1
#define LWIP_NO_UNISTD_H 1
/* The same type as in Linux's headers, which meet lwIP's in the Linux body. */
typedef ptrdiff_t ssize_t;
#define SSIZE_MAX INTPTR_MAX
#define LWIP_NO_CTYPE_H 1

#define LWIP_PLATFORM_DIAG(x) do { } while (0)
#define LWIP_PLATFORM_ASSERT(what) panic(what)

/* lwIP's own checksum loop adds 16 bits at a time; ours 64. */
#define LWIP_CHKSUM(data, len) net_sum_bytes((data), (len))
uint16_t net_sum_bytes(const void *data, size_t len);

/* Ports, IP and DHCP transaction ids: from the kernel's generator. */
#define LWIP_RAND() net_random_u32()
uint32_t net_random_u32(void);
