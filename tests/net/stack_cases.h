/*
 * The cases of test_stack.c, which are the same for each kind of NIC.
 */
#pragma once

#include "config/base.h"

/*
 * Start the server on a NIC with these features, run all cases; main()'s value.
 *
 * records   answers go through record buffers, requests through hold buffers, as
 *           with TLS (tiny_app.h), and their own cases are run, too
 */
int run_stack_cases(uint32_t nic_features, bool records);
