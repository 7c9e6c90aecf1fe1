/*
 * The slow reference: tests/http/slow_accept.h.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "romfs/romfs.h"
#include "tests/http/slow_accept.h"
#include "tests/http/slow_list.h"

#define ELEMENTS 4096
#define TEXT 16384

/* RFC 9110, section 5.6.2 */
#define TOKEN "([!#$%&'*+.0-9A-Z^_`a-z|~-]+)"

struct element {
	char name[64];          /* longer ones are cut: none of ours is */
	long thousandths;
};

struct elements {
	size_t count;
	struct element e[ELEMENTS];
};

static char room[4][TEXT];
static char *groups[4] = { room[0], room[1], room[2], room[3] };

/* Section 12.4.2 */
static bool take_coding(char *part, void *to)
{
	struct elements *const out = to;
	struct element *const e = &out->e[out->count];

	if (strlen(part) >= TEXT || out->count == ELEMENTS || !slow_fits(
	    "^" TOKEN "([ \t]*;[ \t]*[qQ]=(0(\\.[0-9]{0,3})?|1(\\.0{0,3})?))?$",
	    part, groups))
		return false;
	snprintf(e->name, sizeof e->name, "%s", groups[0]);
	e->thousandths = groups[1][0] == 0 ? 1000 :
	    lrint(strtod(groups[2], NULL) * 1000);
	out->count++;
	return true;
}

/* What the last element with the name says; -1 if there is none. */
static long weight_of(const struct elements *all, const char *name)
{
	for (size_t i = all->count; i > 0; i--) {
		if (strcasecmp(all->e[i - 1].name, name) == 0)
			return all->e[i - 1].thousandths;
		if (strcmp(name, "gzip") == 0 &&
		    strcasecmp(all->e[i - 1].name, "x-gzip") == 0)
			return all->e[i - 1].thousandths;
	}
	return -1;
}

bool slow_choose_coding(const struct http_request *req,
    const uint8_t *offered, uint32_t count, uint32_t *chosen)
{
	static const char *const names[] = {
		[ROMFS_IDENTITY] = "identity", [ROMFS_GZIP] = "gzip",
		[ROMFS_BROTLI] = "br", [ROMFS_ZSTD] = "zstd",
	};
	static struct elements elements;
	struct elements *const all = &elements;
	char *const list = slow_join(&req->accept_encoding);
	double weight[4];
	bool found = false;

	all->count = 0;
	if (req->accept_encoding.count > 0)
		slow_split(list, take_coding, all);
	for (uint32_t i = 0; i < count; i++) {
		long w = weight_of(all, names[offered[i]]);

		if (w < 0)
			w = weight_of(all, "*");
		weight[i] = (double)w;
		/* Rule 2 of the section: acceptable, but nobody asks for it. */
		if (w < 0)
			weight[i] = offered[i] == ROMFS_IDENTITY ? 0.5 : 0;
	}
	/* The first of the heaviest; identity, which is number 0, after the others. */
	for (uint32_t step = 1; step <= count; step++) {
		const uint32_t i = step % count;

		if (weight[i] > 0 && (!found || weight[i] > weight[*chosen])) {
			*chosen = i;
			found = true;
		}
	}
	free(list);
	return found;
}

static bool take_member(char *part, void *to)
{
	bool *const wanted = to;

	if (strlen(part) >= TEXT ||
	    !slow_fits("^" TOKEN "=([0-9]+)$", part, groups))
		return false;
	if (strcmp(groups[0], "sha-256") == 0)
		*wanted = slow_compare(groups[1], "1") >= 0 &&
		    slow_compare(groups[1], "10") <= 0;
	return true;
}

bool slow_wants_digest(const struct http_request *req)
{
	char *const list = slow_join(&req->want_repr_digest);
	bool wanted = false;

	slow_split(list, take_member, &wanted);
	free(list);
	return wanted;
}
