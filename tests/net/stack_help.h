/*
 * What the cases of the whole stack share: clients that ask tiny_app for bytes,
 * and the verdict that nothing is left of a case.
 */
#pragma once

#include "net/pools.h"
#include "tests/net/client.h"

#define STACK_ROM_LEN (3u << 20)

extern uint8_t stack_rom[STACK_ROM_LEN];

/* Every case begins with tiny_records and tiny_holds set. */
extern bool stack_uses_records;

/* For run_until(); the argument is a struct client. */
bool received_all(void *client);
bool is_open(void *client);
bool is_reset(void *client);
bool got_fin(void *client);

/* Length of the answer to a request for n bytes. */
size_t answer_len(size_t n);

/* Ask for n bytes, and perhaps for the end of the connection behind them. */
void ask(struct client *c, size_t n, bool close);

/* The client has, from its byte `at` on, the answer to a request for n. */
void check_answer(const struct client *c, size_t at, size_t n);

/* A client with a finished handshake, for `cap` bytes of answers. */
struct client *connect_client(size_t index, bool ipv6, size_t cap);
void close_client(struct client *c);

/* Connect, ask for n bytes, get them within ms, close. */
void transfer(bool ipv6, size_t n, uint32_t ms);

/* Keep all elements of a pool but `leave` from the server; give them back. */
void hog(enum pool_id id, size_t leave);
void hog_no_more(void);

/*
 * cmocka's functions around each case.  The second waits until TIME-WAIT is
 * over and fails the case if any pool element, frame or receive buffer is still
 * in use.
 */
int stack_begin(void **state);
int stack_check_idle(void **state);

/* The cases, by file: NULL-terminated names and functions. */
struct stack_case {
	const char *name;
	void (*run)(void **state);
};
extern const struct stack_case stack_send_cases[];
extern const struct stack_case stack_life_cases[];
extern const struct stack_case stack_record_cases[];
extern const struct stack_case stack_hold_cases[];
