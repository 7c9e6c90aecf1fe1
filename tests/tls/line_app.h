/*
 * A tiny app above streams, with the manners of HTTP: each line is a request, looked
 * at when the answer before it is wholly sent.
 *
 *   "123\n"    answered by "<123>" and as many bytes of line_body()
 *   "c123\n"   the same, then the stream is closed
 *   other      answered by "bad", then closed; so is a line as long as a request head
 *              may not be
 *
 * It checks what it is offered: all that it did not take, the same bytes, in order.
 */
#pragma once

#include "tls/stream.h"

#define LINE_BODY_CAP (1u << 20)

struct line_counts {
	uint32_t opened, writable, peer_closed, closed;
	uint32_t expired[NET_WAIT_STATES];
	uint32_t answers;
	bool refuse;          /* opened() says no */
	bool abort;           /* a request resets the stream */
	bool is_deaf;         /* it takes nothing */
	bool stays;           /* it does not close when the client has */
	bool always_resumes;  /* it asks for what it was just offered */
	bool is_bystander;    /* the test sends: writable() is not for the app */
	size_t longest_offer;
};

extern struct line_counts line;
extern const struct stream_app line_app;

/* Constant bytes, LINE_BODY_CAP of them. */
const uint8_t *line_body(void);

/* What a client gets for `requests`; returns the length.  For tests. */
size_t line_answer(const char *requests, uint8_t *out);
