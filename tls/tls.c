/*
 * TLS for the rest of the server: the bundle, and what the operator hears of
 * it.
 */
#include "tls/tls.h"

#include "tls/certificates.h"
#include "tls/engine.h"
#include "tls/private.h"
#include "tls/tls_int.h"

#define DAY_MS (24 * 3600 * UINT64_C(1000))

static struct tls_bundle bundle;
static bool refuses_unknown;
static uint64_t next_check_ms;

const char *tls_read_bundle(const struct gate_info *info,
    struct net_needs *needs)
{
	const struct tls_key_list keys = {
		.kind = info->key_kind,
		.bits = info->key_bits,
		.count = info->key_count,
	};
	const char *error;

	*needs = (struct net_needs){ 0 };
	if (info->bundle == NULL)
		return NULL;
	error = tls_bundle_read(info->bundle, info->bundle_len, &keys, &bundle);
	if (error == NULL && tls_has_certificate())
		*needs = (struct net_needs){
			.session_len = private_session_len(),
			.handshake_len = tls_handshake_len(),
			.records = true,
		};
	return error;
}

const struct tls_bundle *tls_bundle(void)
{
	return &bundle;
}

bool tls_has_certificate(void)
{
	return bundle.chain_count > 0;
}

bool tls_is_real(void)
{
	return tls_has_certificate() && !bundle.is_development;
}

const char *tls_hosts(size_t *len)
{
	*len = bundle.hosts_len;
	return bundle.hosts_len > 0 ? bundle.hosts : "";
}

void tls_start(bool refuse_unknown)
{
	refuses_unknown = refuse_unknown;
	tls_engine_start();
}

bool tls_refuses_unknown(void)
{
	return refuses_unknown;
}

static void print_certificates(bool only_worrying)
{
	const int64_t now = (int64_t)net_unix_time();

	for (size_t i = 0; i < bundle.chain_count; i++) {
		const struct tls_chain *const chain = &bundle.chains[i];
		char line[CERTIFICATE_LINE_CAP];
		struct text t = text_start(line, sizeof line);

		if (only_worrying && !certificate_is_worrying(chain, now))
			continue;
		certificate_describe(chain, i, bundle.is_development, now, &t);
		net_log(t.at, t.len);
	}
	next_check_ms = net_now_ms() + DAY_MS;
}

void tls_print_certificates(void)
{
	print_certificates(false);
}

void tls_check_expiry(void)
{
	if (net_now_ms() >= next_check_ms)
		print_certificates(true);
}

const struct tls_counters *tls_counters(void)
{
	return &private_counters;
}

bool tls_read_chain(size_t index, const char **name, int64_t *not_after)
{
	if (index >= bundle.chain_count)
		return false;
	*name = bundle.chains[index].names_len > 0 ?
	    bundle.chains[index].names : "";
	*not_after = bundle.chains[index].not_after;
	return true;
}
