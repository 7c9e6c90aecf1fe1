/* Contract: names.h. */
#include "tls/mkinstance/names.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "tls/mkinstance/report.h"

#define NAME_LEN_MAX 253     /* RFC 1035, section 2.3.4, without the root's dot */
#define LABEL_LEN_MAX 63

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Letters and digits of ASCII, whatever the locale. */
static bool is_alnum(char c)
{
	return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9');
}

static bool same_name(const char *a, const char *b)
{
	for (; *a != '\0' && lower(*a) == lower(*b); a++)
		b++;
	return *a == '\0' && *b == '\0';
}

void names_add(struct names *n, const char *name)
{
	const size_t len = strlen(name) + 1;

	for (const char *old = NULL; (old = names_next(n, old)) != NULL;)
		if (same_name(old, name))
			return;
	n->text = realloc(n->text, n->len + len);
	if (n->text == NULL)
		die("out of memory");
	for (size_t i = 0; i < len; i++)
		n->text[n->len + i] = lower(name[i]);
	n->len += len;
}

void names_free(struct names *n)
{
	free(n->text);
	*n = (struct names){ 0 };
}

const char *names_next(const struct names *n, const char *at)
{
	const char *next = at == NULL ? n->text : at + strlen(at) + 1;

	return n->len == 0 || next == n->text + n->len ? NULL : next;
}

static bool covers(const char *name, const char *host)
{
	if (name[0] == '*' && name[1] == '.') {
		const char *dot = strchr(host, '.');

		return dot != NULL && dot != host && same_name(name + 1, dot);
	}
	return same_name(name, host);
}

bool names_cover(const struct names *n, const char *host)
{
	for (const char *name = NULL; (name = names_next(n, name)) != NULL;)
		if (covers(name, host))
			return true;
	return false;
}

static const char *label_problem(const char *label, size_t len)
{
	if (len == 0)
		return "has two dots in a row, or one at its start";
	if (len > LABEL_LEN_MAX)
		return "has a part between dots of more than 63 characters";
	if (label[0] == '-' || label[len - 1] == '-')
		return "has a part that begins or ends with '-'";
	return NULL;
}

static const char *character_problem(const char *host)
{
	if (strchr(host, '/') != NULL)
		return "is not a host name: leave out https:// and the path";
	for (; *host != '\0'; host++) {
		if ((uint8_t)*host >= 0x80)
			return "is not ASCII; write it as DNS has it, "
			    "xn--... (the command idn2 tells)";
		if (*host == ':')
			return "is not a host name: leave out the port";
		if (*host == '*')
			return "is a pattern; write the names that are served";
		if (!is_alnum(*host) && *host != '-' && *host != '.')
			return "is not a host name: it takes letters, digits, "
			    "'-' and '.'";
	}
	return NULL;
}

const char *host_problem(const char *host)
{
	const char *problem = character_problem(host);
	const size_t len = strlen(host);

	if (problem != NULL)
		return problem;
	if (len == 0)
		return "is empty";
	if (len > NAME_LEN_MAX)
		return "is longer than 253 characters";
	if (host[len - 1] == '.')
		return "ends in a dot; leave it out";
	if (strspn(host, "0123456789.") == len)
		return "is an address; a name is needed";
	for (const char *at = host; at != NULL;) {
		const char *dot = strchr(at, '.');

		problem = label_problem(at,
		    dot == NULL ? strlen(at) : (size_t)(dot - at));
		if (problem != NULL)
			return problem;
		at = dot == NULL ? NULL : dot + 1;
	}
	return NULL;
}

/*
 * A name that clients can match: a host name, or one behind "*.".  Underscores are no
 * host name's, but certificates have them, and browsers look them up.
 */
static bool is_usable(const char *name)
{
	char *copy;
	bool good;

	if (name[0] == '*' && name[1] == '.')
		name += 2;
	copy = xstrdup(name);
	for (char *c = copy; *c != '\0'; c++)
		if (*c == '_')
			*c = 'x';
	good = host_problem(copy) == NULL;
	free(copy);
	return good;
}

/* One dNSName; NULL if it is no text. */
static char *name_text(const GENERAL_NAME *name)
{
	const uint8_t *bytes = ASN1_STRING_get0_data(name->d.dNSName);
	const size_t len = (size_t)ASN1_STRING_length(name->d.dNSName);
	char *text;

	if (len == 0 || memchr(bytes, '\0', len) != NULL)
		return NULL;
	text = xmalloc(len + 1);
	memcpy(text, bytes, len);
	text[len] = '\0';
	return text;
}

static void take_name(const char *path, const GENERAL_NAME *name,
    struct names *out)
{
	char *const text = name_text(name);

	if (text != NULL && is_usable(text))
		names_add(out, text);
	else if (path != NULL && text != NULL && strchr(text, '*') != NULL &&
	    strspn(text, "*.-_0123456789abcdefghijklmnopqrstuvwxyz"
	        "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(text))
		report_warning(path, "no client matches its name %s: a wildcard "
		    "stands for the whole first label", text);
	else if (path != NULL)
		report_warning(path, "one of its names is no host name; "
		    "no client matches it");
	free(text);
}

struct names cert_names(const char *path, X509 *cert, bool *has_others)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	struct names out = { 0 };

	*has_others = false;
	for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);

		if (name->type == GEN_DNS)
			take_name(path, name, &out);
		else if (name->type == GEN_IPADD)
			*has_others = true;
	}
	GENERAL_NAMES_free(all);
	return out;
}

struct names cert_names_quietly(X509 *cert)
{
	bool ignored;

	return cert_names(NULL, cert, &ignored);
}
