/* links: tests/tls/fake.c tests/tls/rig.c tests/host_panic.c
 *        tls/engine_bearssl.c tls/keys_bearssl.c tls/gcm_bearssl.c tls/policy_bearssl.c
 *        tls/curves_bearssl.c tls/choose.c tls/sessions.c @bearssl_tls -lssl -lcrypto
 *        -DBR_AES_X86NI=0 */
/*
 * A CPU without AES and PCLMULQDQ instructions (BearSSL finds none if it is
 * compiled without them): the portable code is chosen, and OpenSSL understands
 * it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tls/fake.h"
#include "tests/tls/rig.h"
#include "tls/engine_int.h"

static void exchange(struct rig *rig, size_t len)
{
	static uint8_t room[TLS_HEAD_ROOM + TLS_PLAIN_MAX + TLS_TAIL_ROOM];
	static uint8_t got[TLS_OPEN_HEAD_ROOM + TLS_PLAIN_MAX + 24 +
	    TLS_OPEN_TAIL_ROOM];
	uint8_t *const payload = got + TLS_OPEN_HEAD_ROOM;
	uint8_t *const plain = room + TLS_HEAD_ROOM;
	size_t n = len;

	memset(plain, (int)len, len);
	const uint8_t *const record = tls_seal(rig->keys, TLS_DATA, plain, &n);

	assert_int_equal(BIO_write(SSL_get_rbio(rig->ssl), record, (int)n), n);
	assert_int_equal(SSL_read(rig->ssl, got, (int)len), len);
	memset(plain, (int)len, len);
	assert_memory_equal(got, plain, len);

	assert_int_equal(SSL_write(rig->ssl, plain, (int)len), len);
	n = (size_t)BIO_read(SSL_get_wbio(rig->ssl), payload - TLS_HEADER_LEN,
	    TLS_HEADER_LEN + TLS_PLAIN_MAX + 24);
	n -= TLS_HEADER_LEN;
	const uint8_t *const opened = tls_open(rig->keys, TLS_DATA, payload, &n);

	assert_non_null(opened);
	assert_int_equal(n, len);
	assert_memory_equal(opened, plain, len);
}

static void the_portable_code_is_understood(void **state)
{
	static const char *const suites[] = {
		"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
		struct rig rig;

		fake_start();
		FAKE_ADD(FAKE_P256, "a.example");
		rig_connect(&rig, &(struct client){ .suites = suites[i] });
		assert_ptr_equal(rig.keys->out.gcm.bc.vtable,
		    &br_aes_ct64_ctr_vtable);
		assert_true(rig.keys->in.gcm.gh == br_ghash_ctmul64);
		for (size_t len = 1; len <= TLS_PLAIN_MAX; len = len * 3 + 1)
			exchange(&rig, len);
		exchange(&rig, TLS_PLAIN_MAX);
		rig_end(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_portable_code_is_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
