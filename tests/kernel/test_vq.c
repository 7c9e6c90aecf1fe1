/* links: kernel/vq.c tests/host_panic.c */
/*
 * Split virtqueues, with a device of our own that obeys or does not:
 * Virtio 1.2, section 2.7.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/vq.h"

#define SIZE 8

#define F_NEXT  1
#define F_WRITE 2

static _Alignas(16) uint8_t mem[VQ_MEM_LEN(SIZE)];
static struct vq vq;

static int make_queue(void **state)
{
	(void)state;
	vq_init(&vq, SIZE, mem);
	return 0;
}

static int queue_is_sound(void **state)
{
	(void)state;
	return vq_valid(&vq) ? 0 : -1;
}

/* ---- The device's side --------------------------------------------------- */

static void device_completes(uint32_t id, uint32_t len)
{
	volatile struct vq_used_elem *e =
	    &vq.used->ring[vq.used->idx & (SIZE - 1)];

	e->id = id;
	e->len = len;
	vq.used->idx++;
}

/* ---- The driver's side --------------------------------------------------- */

/* A chain of `count` parts of 100 bytes; returns its head. */
static uint16_t add(uint16_t count, uint16_t token, bool writes)
{
	uint16_t head = 0xFFFF;

	assert_true(vq_begin(&vq, count, token, &head));
	for (uint16_t i = 0; i < count; i++)
		vq_push(&vq, 0x1000u * (i + 1), 100, writes);
	return head;
}

static uint16_t add_and_publish(uint16_t count, uint16_t token, bool writes)
{
	const uint16_t head = add(count, token, writes);

	assert_true(vq_publish(&vq));
	return head;
}

static void take_is(enum vq_status status)
{
	struct vq_done done = { .token = 0x5555, .len = 0x5555 };

	assert_int_equal(vq_take(&vq, &done), status);
	if (status != VQ_OK) {
		assert_int_equal(done.token, 0x5555);
		assert_int_equal(done.len, 0x5555);
	}
}

static void take_gives(uint16_t token, uint32_t len)
{
	struct vq_done done;

	assert_int_equal(vq_take(&vq, &done), VQ_OK);
	assert_int_equal(done.token, token);
	assert_int_equal(done.len, len);
}

/* ---- Giving -------------------------------------------------------------- */

static void a_new_queue_is_empty_and_quiet(void **state)
{
	(void)state;
	assert_true(vq_has_room(&vq, SIZE));
	assert_false(vq_has_room(&vq, SIZE + 1));
	assert_false(vq_pending(&vq));
	assert_false(vq_publish(&vq));
	assert_int_equal(vq.avail->flags, 1);
	take_is(VQ_EMPTY);
}

static void a_chain_is_laid_out_as_the_device_reads_it(void **state)
{
	uint16_t head, d;

	(void)state;
	assert_true(vq_begin(&vq, 3, 7, &head));
	vq_push(&vq, 0x123456789000, 12, false);
	vq_push(&vq, 0x2000, 34, false);
	vq_push(&vq, 0x3000, 56, true);
	assert_int_equal(vq.avail->idx, 0);
	assert_true(vq_publish(&vq));
	assert_int_equal(vq.avail->idx, 1);
	assert_int_equal(vq.avail->ring[0], head);

	d = head;
	assert_int_equal(vq.desc[d].addr, 0x123456789000);
	assert_int_equal(vq.desc[d].len, 12);
	assert_int_equal(vq.desc[d].flags, F_NEXT);
	d = vq.desc[d].next;
	assert_int_equal(vq.desc[d].addr, 0x2000);
	assert_int_equal(vq.desc[d].flags, F_NEXT);
	d = vq.desc[d].next;
	assert_int_equal(vq.desc[d].addr, 0x3000);
	assert_int_equal(vq.desc[d].len, 56);
	assert_int_equal(vq.desc[d].flags, F_WRITE);
}

static void the_parts_lie_where_the_standard_says(void **state)
{
	(void)state;
	assert_int_equal(VQ_AVAIL_OFF(256), 4096);
	assert_int_equal(VQ_USED_OFF(256), 4096 + 520);
	assert_int_equal(VQ_USED_OFF(1) % 4, 0);
	assert_ptr_equal((const void *)vq.desc, mem);
	assert_ptr_equal((const void *)vq.avail, mem + 16 * SIZE);
	assert_int_equal((uintptr_t)vq.used % 4, 0);
	assert_true((uint8_t *)vq.used >= mem + 16 * SIZE + 6 + 2 * SIZE);
}

static void a_full_queue_refuses_and_stays_sound(void **state)
{
	uint16_t head;

	(void)state;
	add(5, 1, false);
	assert_false(vq_begin(&vq, 4, 2, &head));
	assert_true(vq_has_room(&vq, 3));
	add(3, 3, false);
	assert_false(vq_has_room(&vq, 1));
	assert_false(vq_begin(&vq, 1, 4, &head));
	assert_true(vq_publish(&vq));
	assert_int_equal(vq.avail->idx, 2);
}

static void a_batch_is_told_once_and_only_if_wanted(void **state)
{
	(void)state;
	add(1, 1, false);
	add(1, 2, false);
	assert_true(vq_publish(&vq));
	assert_int_equal(vq.avail->idx, 2);
	assert_false(vq_publish(&vq));
	/* Virtio 1.2, section 2.7.10: the device asks not to be notified. */
	vq.used->flags = 1;
	add(1, 3, false);
	assert_false(vq_publish(&vq));
	assert_int_equal(vq.avail->idx, 3);
}

static void interrupts_are_asked_for_by_flag(void **state)
{
	(void)state;
	vq_set_interrupts(&vq, true);
	assert_int_equal(vq.avail->flags, 0);
	vq_set_interrupts(&vq, false);
	assert_int_equal(vq.avail->flags, 1);
}

/* ---- Taking -------------------------------------------------------------- */

static void completions_come_in_the_devices_order(void **state)
{
	uint16_t a, b, c;

	(void)state;
	a = add(2, 10, false);
	b = add(1, 11, true);
	c = add(3, 12, true);
	assert_true(vq_publish(&vq));
	take_is(VQ_EMPTY);
	device_completes(c, 300);
	device_completes(a, 0);
	assert_true(vq_pending(&vq));
	take_gives(12, 300);
	assert_true(vq_pending(&vq));
	take_gives(10, 0);
	assert_false(vq_pending(&vq));
	take_is(VQ_EMPTY);
	assert_true(vq_valid(&vq));
	device_completes(b, 1);
	take_gives(11, 1);
	assert_true(vq_has_room(&vq, SIZE));
}

static void indices_wrap(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 70000; i++) {
		const uint16_t a = add(1 + i % 3, (uint16_t)i, i % 2);
		const uint16_t b = add_and_publish(2, (uint16_t)~i, true);

		device_completes(b, i % 200);
		device_completes(a, 0);
		take_gives((uint16_t)~i, i % 200);
		take_gives((uint16_t)i, 0);
	}
	take_is(VQ_EMPTY);
}

static void length_of_what_the_device_only_reads_means_nothing(void **state)
{
	const uint16_t head = add_and_publish(2, 9, false);

	(void)state;
	/* Virtio 1.2, section 2.7.8.2: devices of old put anything there. */
	device_completes(head, 0xFFFFFFFF);
	take_gives(9, 0);
}

static void a_length_up_to_the_writable_part_is_accepted(void **state)
{
	uint16_t head;

	(void)state;
	assert_true(vq_begin(&vq, 3, 1, &head));
	vq_push(&vq, 0x1000, 100, false);
	vq_push(&vq, 0x2000, 20, true);
	vq_push(&vq, 0x3000, 30, true);
	assert_true(vq_publish(&vq));
	device_completes(head, 50);
	take_gives(1, 50);
}

static void tokens_in_flight_are_listed(void **state)
{
	uint16_t tokens[SIZE] = { 0 };
	uint16_t head;

	(void)state;
	add(2, 10, false);
	head = add(1, 11, true);
	add(2, 12, false);
	assert_true(vq_publish(&vq));
	device_completes(head, 0);
	take_gives(11, 0);
	assert_int_equal(vq_list_in_flight(&vq, tokens), 2);
	assert_int_equal(tokens[0] + tokens[1], 22);
	assert_true(tokens[0] == 10 || tokens[0] == 12);
}

/* ---- A device that breaks the rules -------------------------------------- */

/* The queue is broken with this cause, and stays so whatever comes. */
static void stays_broken(enum vq_status cause, uint16_t good_head)
{
	uint16_t head;

	take_is(cause);
	assert_false(vq_has_room(&vq, 1));
	assert_false(vq_begin(&vq, 1, 1, &head));
	assert_false(vq_pending(&vq));
	assert_false(vq_publish(&vq));
	/* The device repairs its ring: too late. */
	vq.used->idx = vq.used_idx;
	device_completes(good_head, 0);
	take_is(cause);
	vq.used->idx = vq.used_idx;
	device_completes(SIZE, 0);
	take_is(cause);
	assert_true(strlen(vq_status_text(cause)) > 20);
	vq_init(&vq, SIZE, mem);
	take_is(VQ_EMPTY);
	assert_true(vq_has_room(&vq, SIZE));
}

static void an_identity_past_the_table_breaks_the_queue(void **state)
{
	const uint16_t head = add_and_publish(1, 1, true);

	(void)state;
	device_completes(SIZE, 0);
	stays_broken(VQ_BAD_ID, head);
}

static void a_large_identity_is_not_cut_to_16_bits(void **state)
{
	const uint16_t head = add_and_publish(1, 1, true);

	(void)state;
	device_completes(0x10000u + head, 0);
	stays_broken(VQ_BAD_ID, head);
}

static void a_free_descriptor_cannot_complete(void **state)
{
	const uint16_t head = add_and_publish(1, 1, true);

	(void)state;
	device_completes((head + 1) % SIZE, 0);
	stays_broken(VQ_BAD_ID, head);
}

static void the_middle_of_a_chain_cannot_complete(void **state)
{
	const uint16_t head = add_and_publish(3, 1, true);

	(void)state;
	device_completes(vq.desc[head].next, 0);
	stays_broken(VQ_BAD_ID, head);
}

static void a_chain_cannot_complete_twice(void **state)
{
	const uint16_t a = add(1, 1, true);
	const uint16_t b = add_and_publish(1, 2, true);

	(void)state;
	device_completes(a, 10);
	device_completes(a, 10);
	take_gives(1, 10);
	stays_broken(VQ_BAD_ID, b);
}

static void one_byte_more_than_writable_breaks_the_queue(void **state)
{
	uint16_t head;

	(void)state;
	assert_true(vq_begin(&vq, 2, 1, &head));
	vq_push(&vq, 0x1000, 100, false);
	vq_push(&vq, 0x2000, 20, true);
	assert_true(vq_publish(&vq));
	device_completes(head, 21);
	stays_broken(VQ_BAD_LEN, head);
}

static void an_index_ahead_of_what_was_published_breaks_the_queue(void **state)
{
	const uint16_t head = add_and_publish(1, 1, true);

	(void)state;
	add(1, 2, true);              /* not published */
	vq.used->ring[0].id = head;
	vq.used->idx = 2;
	stays_broken(VQ_BAD_INDEX, head);
}

static void an_index_that_goes_back_breaks_the_queue(void **state)
{
	const uint16_t head = add_and_publish(1, 1, true);

	(void)state;
	device_completes(head, 0);
	take_gives(1, 0);
	vq.used->idx = 0;
	stays_broken(VQ_BAD_INDEX, 0);
}

static void what_the_device_writes_over_the_descriptors_is_not_read(void **state)
{
	uint16_t a, b;

	(void)state;
	a = add(3, 1, true);
	b = add_and_publish(2, 2, true);
	memset(mem, 0xFF, VQ_USED_OFF(SIZE));
	device_completes(b, 200);
	device_completes(a, 300);
	take_gives(2, 200);
	take_gives(1, 300);
	assert_true(vq_valid(&vq));
	assert_true(vq_has_room(&vq, SIZE));
	/* And the next publication says what we know, not what stood there. */
	add(1, 3, true);
	assert_true(vq_publish(&vq));
	assert_int_equal(vq.avail->idx, 3);
}

static void validity_notices_a_torn_free_list(void **state)
{
	(void)state;
	add(2, 1, true);
	assert_true(vq_valid(&vq));
	vq.slot[vq.free_head].next = vq.free_head;
	assert_false(vq_valid(&vq));
	vq_init(&vq, SIZE, mem);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, make_queue, queue_is_sound)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_new_queue_is_empty_and_quiet),
		CASE(a_chain_is_laid_out_as_the_device_reads_it),
		CASE(the_parts_lie_where_the_standard_says),
		CASE(a_full_queue_refuses_and_stays_sound),
		CASE(a_batch_is_told_once_and_only_if_wanted),
		CASE(interrupts_are_asked_for_by_flag),
		CASE(completions_come_in_the_devices_order),
		CASE(indices_wrap),
		CASE(length_of_what_the_device_only_reads_means_nothing),
		CASE(a_length_up_to_the_writable_part_is_accepted),
		CASE(tokens_in_flight_are_listed),
		CASE(an_identity_past_the_table_breaks_the_queue),
		CASE(a_large_identity_is_not_cut_to_16_bits),
		CASE(a_free_descriptor_cannot_complete),
		CASE(the_middle_of_a_chain_cannot_complete),
		CASE(a_chain_cannot_complete_twice),
		CASE(one_byte_more_than_writable_breaks_the_queue),
		CASE(an_index_ahead_of_what_was_published_breaks_the_queue),
		CASE(an_index_that_goes_back_breaks_the_queue),
		CASE(what_the_device_writes_over_the_descriptors_is_not_read),
		CASE(validity_notices_a_torn_free_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
