/*
 * The one place that says which code computes on which curve.
 *
 * Whatever replaces an implementation has to be constant-time in the scalar,
 * take and give points as RFC 8422, section 5.4.1 encodes them (uncompressed),
 * and check that a client's point is on the curve.
 */
#include "tls/engine_int.h"

static const br_ec_impl *curve_impl(int curve)
{
	switch (curve) {
	case CURVE_P256:
		return &br_ec_p256_m31;
	case CURVE_P384:
		return &br_ec_prime_i31;
	default:
		return &br_ec_c25519_m31;
	}
}

static bool saw_bad_point;

bool tls_curves_saw_bad_point(void)
{
	const bool answer = saw_bad_point;

	saw_bad_point = false;
	return answer;
}

static const unsigned char *generator(int curve, size_t *len)
{
	return curve_impl(curve)->generator(curve, len);
}

static const unsigned char *order(int curve, size_t *len)
{
	return curve_impl(curve)->order(curve, len);
}

static size_t xoff(int curve, size_t *len)
{
	return curve_impl(curve)->xoff(curve, len);
}

static uint32_t mul(unsigned char *point, size_t point_len,
    const unsigned char *scalar, size_t scalar_len, int curve)
{
	uint32_t good = curve_impl(curve)->mul(point, point_len,
	    scalar, scalar_len, curve);

	/*
	 * The check for zero is a MUST of RFC 8422, section 5.11, and BearSSL
	 * has none.
	 */
	if (curve == CURVE_X25519 && good == 1) {
		unsigned sum = 0;

		for (size_t i = 0; i < point_len; i++)
			sum |= point[i];
		good = sum != 0;
	}
	/* Not a secret: the client knows its point. */
	if (good != 1)
		saw_bad_point = true;
	return good;
}

static size_t mulgen(unsigned char *out, const unsigned char *scalar,
    size_t scalar_len, int curve)
{
	return curve_impl(curve)->mulgen(out, scalar, scalar_len, curve);
}

/* For verifying ECDSA signatures, and nobody here does. */
static uint32_t muladd(unsigned char *a, const unsigned char *b, size_t len,
    const unsigned char *x, size_t x_len,
    const unsigned char *y, size_t y_len, int curve)
{
	(void)a;
	(void)b;
	(void)len;
	(void)x;
	(void)x_len;
	(void)y;
	(void)y_len;
	(void)curve;
	panic("no signature is verified in ring 3");
}

const br_ec_impl tls_curves = {
	.supported_curves = UINT32_C(1) << CURVE_P256 |
	    UINT32_C(1) << CURVE_P384 | UINT32_C(1) << CURVE_X25519,
	.generator = generator,
	.order = order,
	.xoff = xoff,
	.mul = mul,
	.mulgen = mulgen,
	.muladd = muladd,
};

_Static_assert(CURVE_P256 == BR_EC_secp256r1 && CURVE_P384 == BR_EC_secp384r1 &&
    CURVE_X25519 == BR_EC_curve25519, "BearSSL numbers curves as TLS does");
