/*
 * Content negotiation: http/accept.h.
 *
 * A weight is kept in thousandths, as RFC 9110, section 12.4.2 writes it at most; and as
 * twice that when it is compared, which leaves room for one between "not wanted" and the
 * least wanted: identity's, when the client does not speak of it.
 */
#include "http/accept.h"

#include "http/cursor.h"
#include "romfs/romfs.h"

#define CODINGS 4
#define UNSAID (-1)
#define WEIGHT_MAX 1000

/* What the field says of each coding that we know: thousandths or UNSAID. */
struct weights {
	int32_t of[CODINGS];
	int32_t others;         /* "*" */
	int32_t unknown;        /* of codings that we do not have, for nobody */
};

/* ---- Accept-Encoding: RFC 9110, section 12.5.3 ----------------------------- */

/* Where the weight of a coding goes.  Codings are case-insensitive: section 8.4.1. */
static int32_t *find_weight(struct weights *w, struct http_text name)
{
	switch (name.len) {
	case 1:
		if (*name.at == '*')
			return &w->others;
		break;
	case 2:
		if (http_text_equal_nocase(name, HTTP_TEXT("br")))
			return &w->of[ROMFS_BROTLI];
		break;
	case 4: {
		/* No byte of a token but a capital becomes a letter by bit 5. */
		const uint32_t small = load_le32(name.at) | 0x20202020u;

		if (small == load_le32("gzip"))
			return &w->of[ROMFS_GZIP];
		if (small == load_le32("zstd"))
			return &w->of[ROMFS_ZSTD];
		break;
	}
	case 6:
		/* Section 8.4.1.3: "x-gzip" SHOULD be taken as "gzip". */
		if (http_text_equal_nocase(name, HTTP_TEXT("x-gzip")))
			return &w->of[ROMFS_GZIP];
		break;
	case 8:
		if (http_text_equal_nocase(name, HTTP_TEXT("identity")))
			return &w->of[ROMFS_IDENTITY];
		break;
	}
	return &w->unknown;
}

/*
 * OWS ";" OWS "q=" qvalue, the name in either case: section 12.4.2.  A fourth digit
 * is left for the caller, who expects a comma.
 */
static bool take_weight(struct rd *r, int32_t *weight)
{
	uint8_t c;

	*weight = WEIGHT_MAX;
	rd_skip_ows(r);
	if (!rd_take(r, ';'))
		return true;
	rd_skip_ows(r);
	if (!rd_take(r, 'q') && !rd_take(r, 'Q'))
		return false;
	if (!rd_take(r, '=') || !rd_take_class(r, HTTP_DIGIT, &c))
		return false;
	*weight = (c - '0') * WEIGHT_MAX;
	if (rd_take(r, '.')) {
		for (int32_t unit = WEIGHT_MAX / 10; unit > 0 &&
		    rd_take_class(r, HTTP_DIGIT, &c); unit /= 10)
			*weight += (c - '0') * unit;
	}
	rd_skip_ows(r);
	return *weight <= WEIGHT_MAX;
}

/* What browsers send, known at a glance: a quarter of the work. */
static bool is_usual(struct http_text value, struct weights *w)
{
	switch (value.len) {
	case 23:
		if (!http_text_equal(value,
		    HTTP_TEXT("gzip, deflate, br, zstd")))
			return false;
		w->of[ROMFS_ZSTD] = WEIGHT_MAX;
		w->of[ROMFS_BROTLI] = WEIGHT_MAX;
		break;
	case 17:
		if (!http_text_equal(value, HTTP_TEXT("gzip, deflate, br")))
			return false;
		w->of[ROMFS_BROTLI] = WEIGHT_MAX;
		break;
	case 13:
		if (!http_text_equal(value, HTTP_TEXT("gzip, deflate")))
			return false;
		break;
	default:
		return false;
	}
	w->of[ROMFS_GZIP] = WEIGHT_MAX;
	return true;
}

/* False: it does not fit the grammar.  What stands before that place counts. */
static bool read_codings(struct http_text value, struct weights *w)
{
	struct rd r = rd_text(value);
	int32_t weight;

	if (is_usual(value, w))
		return true;
	for (;;) {
		/* Section 5.6.1.2: empty elements do not count. */
		while (rd_sees(&r, ' ') || rd_sees(&r, ',') || rd_sees(&r, '\t'))
			r.at++;
		if (rd_at_end(&r))
			return true;

		const struct http_text name = rd_while(&r, HTTP_TOKEN);
		if (name.len == 0 || !take_weight(&r, &weight))
			return false;
		if (!rd_at_end(&r) && !rd_sees(&r, ','))
			return false;
		*find_weight(w, name) = weight;
	}
}

/* The more it is wanted the higher; 0: not acceptable. */
static int32_t rank_of(const struct weights *w, enum romfs_coding coding)
{
	if (w->of[coding] != UNSAID)
		return 2 * w->of[coding];
	if (w->others != UNSAID)
		return 2 * w->others;
	/* Acceptable unless it is excluded, but any coding that is listed is better. */
	return coding == ROMFS_IDENTITY;
}

bool http_choose_coding(const struct http_request *req,
    const uint8_t *offered, uint32_t count, uint32_t *chosen)
{
	const struct http_lines *const field = &req->accept_encoding;
	struct weights w = {
		{ UNSAID, UNSAID, UNSAID, UNSAID }, UNSAID, UNSAID
	};
	int32_t best = 0;

	ASSERT(count >= 1 && offered[0] == ROMFS_IDENTITY);
	*chosen = 0;
	if (field->count == 0)
		return true;
	for (uint32_t i = 0; i < field->count; i++) {
		if (!read_codings(field->line[i], &w))
			break;
	}
	for (uint32_t i = 1; i < count; i++) {
		const int32_t rank = rank_of(&w, offered[i]);

		if (rank > best) {
			best = rank;
			*chosen = i;
		}
	}
	const int32_t identity = rank_of(&w, ROMFS_IDENTITY);
	if (identity > best) {
		best = identity;
		*chosen = 0;
	}
	return best > 0;
}

/* ---- Want-Repr-Digest: RFC 9530, section 4 ----------------------------------- */

/* 1*DIGIT of any length, as if 11 were the largest number. */
static bool take_preference(struct rd *r, uint32_t *value)
{
	uint8_t c;

	*value = 0;
	if (!rd_take_class(r, HTTP_DIGIT, &c))
		return false;
	do {
		*value = *value * 10 + (c - '0');
		*value = *value > 10 ? 11 : *value;
	} while (rd_take_class(r, HTTP_DIGIT, &c));
	return true;
}

/* A dictionary of integers (RFC 9651, section 3.2): of one key the last member counts. */
static bool read_preferences(struct rd r, bool *wanted)
{
	uint32_t value;

	for (;;) {
		while (rd_sees(&r, ' ') || rd_sees(&r, ',') || rd_sees(&r, '\t'))
			r.at++;
		if (rd_at_end(&r))
			return true;

		const struct http_text key = rd_while(&r, HTTP_TOKEN);
		if (key.len == 0 || !rd_take(&r, '=') ||
		    !take_preference(&r, &value))
			return false;
		rd_skip_ows(&r);
		if (!rd_at_end(&r) && !rd_sees(&r, ','))
			return false;
		/* Keys have no capitals.  0 is "not acceptable", 10 is the most. */
		if (http_text_equal(key, HTTP_TEXT("sha-256")))
			*wanted = value >= 1 && value <= 10;
	}
}

bool http_wants_digest(const struct http_request *req)
{
	const struct http_lines *const field = &req->want_repr_digest;
	bool wanted = false;

	for (uint32_t i = 0; i < field->count; i++) {
		if (!read_preferences(rd_text(field->line[i]), &wanted))
			break;
	}
	return wanted;
}
