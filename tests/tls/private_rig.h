/*
 * One private stream between the line app and a client, over the engine without
 * cryptography.  Include after cmocka.h.
 */
#pragma once

#include <string.h>

#include "tests/tls/fake_engine.h"
#include "tests/tls/line_app.h"
#include "tls/private.h"

extern struct fake_client client;

/* For each test; teardown fails when something was not given back. */
int setup(void **state);
int teardown(void **state);

#define sentence(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* The client sends a record of data; bytes as they are. */
void say(const char *text);
void raw(const void *data, size_t len);

/* The server answered `requests` to the last byte, and nothing else. */
void expect_answers(const char *requests);

/* It ended the connection, with this as its last word. */
void expect_end(uint8_t level, uint8_t alert);

/*
 * All that an honest client sends, for one segment: the handshake, a record for each
 * two characters of requests, close_notify.  Returns the length.
 */
size_t format_all(uint8_t *out, const char *requests);
