/*
 * ISO C11, section 5.2.4.2.1, as far as the two libraries ask for it.  The
 * compiler's own <limits.h> would go on to include a C library's.
 */
#pragma once

#define CHAR_BIT  __CHAR_BIT__
#define INT_MAX   __INT_MAX__
#define INT_MIN   (-__INT_MAX__ - 1)
#define UINT_MAX  (2u * __INT_MAX__ + 1u)
#define LONG_MAX  __LONG_MAX__
#define ULONG_MAX (2ul * __LONG_MAX__ + 1ul)
