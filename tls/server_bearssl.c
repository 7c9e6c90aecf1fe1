/*
 * BearSSL's TLS server handshake, with one constant of ours.
 *
 * For every ClientHello it looks at each place that its list of common suites
 * could have filled, of which it allows 48, and takes 25,000 instructions for
 * one that is empty.  We speak six suites; two places more are for clients that
 * say one twice.  The list itself, in br_ssl_server_context, keeps its size:
 * here, a smaller part of it is used.
 */
#include "inner.h"

_Static_assert(BR_MAX_CIPHER_SUITES >= 8, "the list has as many places");

#undef BR_MAX_CIPHER_SUITES
#define BR_MAX_CIPHER_SUITES 8

#include "ssl/ssl_hs_server.c"
