/*
 * What the operator gave us, for the engine; tls.c has it.
 */
#pragma once

#include "tls/bundle.h"

/* The bundle; without chains if there is none. */
const struct tls_bundle *tls_bundle(void);

/* As tls_start() was told. */
bool tls_refuses_unknown(void);
