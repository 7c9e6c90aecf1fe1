/*
 * What an operator may say to this folder: words of the instance bundle and of the
 * VM's command line.  Pure.
 *
 *   log=off                no access log (log=on is the default)
 *   stats=SECONDS          print counters and pool levels about every so often (1..86400)
 *   redirect=https[:PORT]  plain HTTP answers with the same target at https (default
 *                          with a real certificate and HOST); PORT as clients see it
 *   redirect=off           plain HTTP answers with the site
 *   hsts=SECONDS[,includeSubDomains][,preload]
 *                          Strict-Transport-Security in answers over HTTPS (default
 *                          with a real certificate: 31536000)
 *   hsts=off               none
 *   acme_thumbprint=TEXT   answer ACME challenges with this thumbprint of an account key
 *   sni=refuse             end handshakes for names that no certificate has (sni=default:
 *                          show them the default certificate)
 *   status=PATH,RANGE[,RANGE...]
 *                          status pages at PATH, PATH.json and PATH/metrics, for peers in
 *                          these ranges (ADDRESS[/BITS], up to LIMIT_RANGES); for others
 *                          the site answers (status=off, the default: for everybody)
 *   healthz=on             GET /healthz is answered by 200 and "ok", whoever asks;
 *                          healthz=PATH: another path (healthz=off is the default)
 *   syslog=ADDRESS[:PORT]  access log lines go there, too, over UDP (port 514 unless said;
 *                          "[2001:db8::1]:1514"), also with log=off
 *   proxy=RANGE[,RANGE...] connections from there begin with a PROXY header, version 1
 *                          or 2, and are those of the clients it names
 *
 * Words are separated by blanks; the last of several wins; words of others are theirs.
 */
#pragma once

#include "config/base.h"
#include "config/limits.h"
#include "http/redirect.h"
#include "net/range.h"

/* What defaults depend on, and what makes no sense without it. */
struct http_bundle {
	bool has_certificate;
	bool is_real;       /* it is not a development certificate */
	bool has_hosts;     /* HOST= */
};

/* Two more than there are words. */
#define HTTP_COMPLAINTS_CAP 12

struct http_settings {
	bool log;
	uint32_t stats_s;   /* 0: never */
	uint32_t redirect_port;         /* 0: no redirect */
	bool sni_refuse;
	struct http_hsts hsts;
	struct http_text thumbprint;    /* points into the words; no bytes: none */
	struct http_text status_path;   /* so does this; no bytes: no pages */
	struct net_ranges status_peers;
	struct http_text healthz_path;  /* into the words or rodata; no bytes: none */
	struct net_ranges proxies;
	struct net_peer syslog;         /* port 0: nobody gets the log */
	/* Sentences for the operator about words that were ignored; the first so many. */
	uint32_t complaint_count;
	const char *complaints[HTTP_COMPLAINTS_CAP];
};

/*
 * Read our words from a NUL-terminated line.
 *
 * out      always written; a word with a value we do not know is ignored.
 *          There is no redirect without a certificate, and no HSTS without a real
 *          one, whatever the words say: a browser that has once seen it would not
 *          come back to this name without a real one for a year.
 */
void http_read_settings(const char *words, const struct http_bundle *bundle,
    struct http_settings *out);
