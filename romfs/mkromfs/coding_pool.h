/* Work done by as many threads as there are processors. */
#pragma once

#include "config/base.h"

/* Most threads; and the memory that each may take, of which the machine must have as much. */
#define POOL_THREADS 64
#define POOL_THREAD_LEN (UINT64_C(512) << 20)

struct pool;

struct pool_work {
	/* Do piece i; called once for each, from any thread, about in their order. */
	void (*piece)(void *context, size_t i);
	size_t count;
	void *context;
	/* Called by pool_run()'s thread ten times a second while the others work; may be NULL. */
	void (*watch)(void *context);
};

/* Returns when all pieces are done. */
void pool_run(const struct pool_work *work);
