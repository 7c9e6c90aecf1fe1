/* Contract: coding_pool.h. */
#define _GNU_SOURCE 1  /* sched_getaffinity() */
#include "romfs/mkromfs/coding_pool.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "romfs/mkromfs/memory.h"

#define WATCH_NS 100000000

struct pool {
	const struct pool_work *work;
	atomic_size_t next;          /* the first piece that nobody has taken */
	pthread_mutex_t mutex;
	pthread_cond_t done;
	size_t running;              /* threads; under the mutex */
};

static void *work_along(void *argument)
{
	struct pool *pool = argument;
	size_t i;

	while ((i = pool->next++) < pool->work->count)
		pool->work->piece(pool->work->context, i);
	pthread_mutex_lock(&pool->mutex);
	pool->running--;
	pthread_cond_signal(&pool->done);
	pthread_mutex_unlock(&pool->mutex);
	return NULL;
}

static size_t thread_count(size_t pieces)
{
	const uint64_t memory = (uint64_t)sysconf(_SC_PHYS_PAGES) *
	    (uint64_t)sysconf(_SC_PAGESIZE);
	size_t count = POOL_THREADS;
	cpu_set_t ours;

	if (sched_getaffinity(0, sizeof ours, &ours) == 0 &&
	    (size_t)CPU_COUNT(&ours) < count)
		count = (size_t)CPU_COUNT(&ours);
	if (memory / POOL_THREAD_LEN < count)
		count = (size_t)(memory / POOL_THREAD_LEN);
	if (pieces < count)
		count = pieces;
	return count > 0 ? count : 1;
}

/* Until no thread works any more. */
static void wait_and_watch(struct pool *pool)
{
	struct timespec next;

	pthread_mutex_lock(&pool->mutex);
	while (pool->running > 0) {
		clock_gettime(CLOCK_REALTIME, &next);
		next.tv_nsec += WATCH_NS;
		if (next.tv_nsec >= 1000000000) {
			next.tv_sec++;
			next.tv_nsec -= 1000000000;
		}
		if (pthread_cond_timedwait(&pool->done, &pool->mutex, &next) == ETIMEDOUT &&
		    pool->work->watch != NULL)
			pool->work->watch(pool->work->context);
	}
	pthread_mutex_unlock(&pool->mutex);
}

void pool_run(const struct pool_work *work)
{
	struct pool pool = {
		.work = work,
		.mutex = PTHREAD_MUTEX_INITIALIZER,
		.done = PTHREAD_COND_INITIALIZER,
	};
	const size_t wanted = thread_count(work->count);
	pthread_t threads[POOL_THREADS];
	size_t count = 0;

	pool.running = wanted;
	while (count < wanted &&
	    pthread_create(&threads[count], NULL, work_along, &pool) == 0)
		count++;
	if (count == 0) {            /* then this one does it all */
		pool.running = 1;
		work_along(&pool);
	}
	pthread_mutex_lock(&pool.mutex);
	pool.running -= count > 0 ? wanted - count : 0;
	pthread_mutex_unlock(&pool.mutex);
	wait_and_watch(&pool);
	for (size_t i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}
