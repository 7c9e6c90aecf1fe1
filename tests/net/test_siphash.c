/* links: net/siphash.c */
/*
 * SipHash-2-4 against the vectors of its authors: the key is 00 01 ... 0f, the
 * input of vector i the bytes 00 01 ... of length i.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/siphash.h"

/* vectors.h of the reference implementation, first 16, and the last. */
static const uint64_t vectors[] = {
	0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a,
	0x85676696d7fb7e2d, 0xcf2794e0277187b7, 0x18765564cd99a68d,
	0xcbc9466e58fee3ce, 0xab0200f58b01d137, 0x93f5f5799a932462,
	0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
	0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee,
	0xa129ca6149be45e5,
};
#define VECTOR_63 0x958a324ceb064572

static void the_authors_vectors_match(void **state)
{
	uint8_t key[16], input[64];

	(void)state;
	for (size_t i = 0; i < sizeof key; i++)
		key[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof input; i++)
		input[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++)
		assert_true(siphash24(key, input, i) == vectors[i]);
	assert_true(siphash24(key, input, 63) == VECTOR_63);
}

static void the_key_matters(void **state)
{
	uint8_t key[16] = { 0 };
	const uint64_t before = siphash24(key, "abc", 3);

	(void)state;
	for (size_t i = 0; i < sizeof key; i++) {
		key[i] = 1;
		assert_true(siphash24(key, "abc", 3) != before);
		key[i] = 0;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_authors_vectors_match),
		cmocka_unit_test(the_key_matters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
