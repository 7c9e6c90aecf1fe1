/* links: kernel/vrng.c kernel/virtio.c kernel/vq.c tests/kernel/fake_nic.c
 * tests/host_panic.c */
/*
 * The entropy device: Virtio 1.2, section 5.4.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/vrng.h"
#include "tests/kernel/fake_nic.h"

static uint32_t answer_len;   /* what the device says it wrote */

/* Fill what is asked for with 1, 2, 3 ... */
static void answer(unsigned q)
{
	const struct fake_queue *fq = &fake_nic.queue[q];
	uint16_t head;

	assert_int_equal(q, 0);
	assert_true(fake_nic.dma);
	assert_true(fake_nic_next(q, &head));
	assert_int_equal(fq->desc[head].flags, 2);
	for (uint32_t i = 0; i < fq->desc[head].len; i++)
		fake_nic_ring_at(fq->desc[head].addr)[i] = (uint8_t)(i + 1);
	fake_nic_complete(q, head, answer_len);
}

static int plug(void **state)
{
	(void)state;
	fake_nic_clear();
	fake_nic.on_notify = answer;
	fake_nic.queue_max[0] = 8;
	answer_len = 16;
	return 0;
}

static size_t ask(uint8_t *buf, size_t len)
{
	vrng_start("");
	return vrng_read(buf, len);
}

/* Afterwards the device is in reset, and our copy of the bytes is gone. */
static void nothing_stays(void)
{
	assert_int_equal(fake_nic.status, 0);
	assert_false(fake_nic.dma);
	for (unsigned i = 0; i + 3 < FAKE_RING_LEN; i++)
		assert_false(fake_nic.ring[i] == 1 && fake_nic.ring[i + 1] == 2 &&
		    fake_nic.ring[i + 2] == 3 && fake_nic.ring[i + 3] == 4);
}

static void without_a_device_there_are_no_bytes(void **state)
{
	uint8_t buf[4];

	(void)state;
	fake_nic.find_says = VIRTIO_NONE;
	assert_int_equal(ask(buf, 4), 0);
	fake_nic.find_says = NULL;
	fake_nic.queue_max[0] = 2;
	assert_int_equal(ask(buf, 4), 0);
	fake_nic.queue_max[0] = 8;
	vrng_start("bad");
	assert_int_equal(vrng_read(buf, 4), 0);
}

static void bytes_come_and_nothing_stays_behind(void **state)
{
	uint8_t buf[VRNG_READ_MAX + 1] = { 0 };

	(void)state;
	assert_int_equal(ask(buf, 16), 16);
	for (uint8_t i = 0; i < 16; i++)
		assert_int_equal(buf[i], i + 1);
	assert_int_equal(buf[16], 0);
	nothing_stays();
	/* Again, on the same device. */
	answer_len = VRNG_READ_MAX;
	assert_int_equal(vrng_read(buf, VRNG_READ_MAX), VRNG_READ_MAX);
	assert_int_equal(buf[VRNG_READ_MAX], 0);
	nothing_stays();
}

static void fewer_bytes_than_asked_are_told(void **state)
{
	uint8_t buf[16] = { 0 };

	(void)state;
	answer_len = 5;
	assert_int_equal(ask(buf, 16), 5);
	assert_int_equal(buf[4], 5);
	assert_int_equal(buf[5], 0);
	answer_len = 0;
	assert_int_equal(vrng_read(buf, 16), 0);
	nothing_stays();
}

static void more_bytes_than_asked_are_a_lie(void **state)
{
	uint8_t buf[16] = { 0 };

	(void)state;
	answer_len = 17;
	assert_int_equal(ask(buf, 16), 0);
	assert_int_equal(buf[0], 0);
	nothing_stays();
}

static void a_silent_device_is_not_waited_for_without_end(void **state)
{
	uint8_t buf[16];

	(void)state;
	fake_nic.on_notify = NULL;
	assert_int_equal(ask(buf, 16), 0);
	nothing_stays();
}

static void answer_and_stick(unsigned q)
{
	answer(q);
	fake_nic.reset_sticks = true;
}

static void a_device_that_does_not_stop_is_not_believed(void **state)
{
	uint8_t buf[16] = { 0 };

	(void)state;
	fake_nic.on_notify = answer_and_stick;
	assert_int_equal(ask(buf, 16), 0);
	assert_int_equal(buf[0], 0);
	assert_false(fake_nic.dma);
}

#define CASE(name) cmocka_unit_test_setup(name, plug)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(without_a_device_there_are_no_bytes),
		CASE(bytes_come_and_nothing_stays_behind),
		CASE(fewer_bytes_than_asked_are_told),
		CASE(more_bytes_than_asked_are_a_lie),
		CASE(a_silent_device_is_not_waited_for_without_end),
		CASE(a_device_that_does_not_stop_is_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
