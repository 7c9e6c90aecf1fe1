/*
 * Contract: answers.h.
 *
 * Content is streamed through once, and heads name its digest; they lie before it, though.  So
 * room is left for the longest heads it can have, and they are put at the end of that
 * room.  All paths and pages that show a file are its users: the first one's heads lie before the
 * body, those of the others, where they differ, elsewhere.
 */
#include "romfs/mkromfs/answers.h"

#include <stdlib.h>
#include <string.h>

#include "romfs/mkromfs/cache.h"
#include "romfs/mkromfs/content.h"
#include "romfs/mkromfs/head.h"
#include "romfs/mkromfs/memory.h"
#include "romfs/mkromfs/output.h"
#include "romfs/mkromfs/pages.h"
#include "romfs/mkromfs/report.h"

#define BODY_ALIGN 16u

/* One site's part of the work. */
struct work {
	struct answers *all;
	const struct image_site *site;
	struct rom_entry *entries;
	/* Users are indices in entries: of file i the first one; of user u the next one. */
	size_t *first_user, *next_user;
	size_t told;             /* the user whose fields were last reported as too many */
};

/* What is sent, in one coding. */
struct body {
	const char *type;        /* by the name, without parameters */
	bool is_utf8;
	unsigned coding;
	bool varies;
	uint64_t len;
	int64_t modified;
	const char *name;        /* of the file; NULL: ... */
	const char *cache_control;      /* ... then this */
	const struct sha256 *sha;       /* has seen it */
};

/* All that lies before a body. */
struct rendered {
	char digest_line[ROM_DIGEST_LINE_LEN];
	bool has_unmodified;     /* this, and a digest line */
	struct head unmodified, full;
};

static uint64_t align_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

/* ---- Users ------------------------------------------------------------------- */

static bool is_path(const struct work *w, size_t user)
{
	return user < w->site->plan.path_count;
}

static const struct planned_answer *answer_of(const struct plan *plan, size_t user)
{
	return user < plan->path_count ? &plan->paths[user].answer :
	    &plan->pages[user - plan->path_count].answer;
}

static uint16_t status_of(const struct work *w, size_t user)
{
	const struct plan *plan = &w->site->plan;

	if (!is_path(w, user))
		return plan->pages[user - plan->path_count].status;
	return plan->paths[user].answer.kind == ANSWER_REDIRECT ?
	    plan->paths[user].answer.status : 200;
}

/*
 * The path that _headers is asked about: of a rewrite, the one it shows, as at run time; of a
 * page, its file's.  The caller frees it.
 */
static char *url_path_of(const struct work *w, size_t user)
{
	const struct plan *plan = &w->site->plan;
	const struct planned_answer *answer = answer_of(plan, user);
	struct text path = { 0 };

	if (is_path(w, user))
		return xstrdup(answer->shown != NULL ? answer->shown :
		    plan->paths[user].path);
	if (answer->kind == ANSWER_FILE)
		text_add(&path, "/%s", w->site->site.files[answer->index].path);
	else if (answer->kind == ANSWER_LISTING)
		text_add(&path, "/%.*s", (int)plan->folders.list[answer->index].len,
		    plan->folders.list[answer->index].path);
	else
		text_add(&path, "/404.html");
	return path.at;
}

static void find_users(struct work *w)
{
	const struct plan *plan = &w->site->plan;
	const size_t files = w->site->site.file_count;
	const size_t users = plan->path_count + plan->page_count;

	w->first_user = xmalloc(files * sizeof *w->first_user);
	w->next_user = xmalloc(users * sizeof *w->next_user);
	for (size_t i = 0; i < files; i++)
		w->first_user[i] = SIZE_MAX;
	for (size_t user = users; user-- > 0;) {
		const struct planned_answer *answer = answer_of(plan, user);

		if (answer->kind != ANSWER_FILE)
			continue;
		w->next_user[user] = w->first_user[answer->index];
		w->first_user[answer->index] = user;
	}
}

/* ---- Heads ------------------------------------------------------------------- */

/* The tag covers all that a client must not mix: bytes, type, coding.  README.md, "Answers". */
static void make_etag(char out[ETAG_CAP], const struct body *body, const char *type)
{
	struct sha256 sha = *body->sha;
	uint8_t digest[SHA256_LEN];

	sha256_add(&sha, "", 1);
	sha256_add(&sha, type, strlen(type));
	if (body->coding != 0) {
		sha256_add(&sha, "", 1);
		sha256_add(&sha, coding_name(body->coding),
		    strlen(coding_name(body->coding)));
	}
	sha256_end(&sha, digest);
	head_etag(out, digest);
}

static void render_200(struct rendered *out, struct head_facts *facts,
    const struct body *body)
{
	uint8_t digest[SHA256_LEN];
	char etag[ETAG_CAP];

	make_etag(etag, body, facts->content_type);
	facts->etag = etag;
	facts->modified = body->modified;
	sha256_end(body->sha, digest);
	head_digest_line(out->digest_line, digest);
	head_render_not_modified(&out->unmodified, facts);
	head_render(&out->full, facts);
	facts->etag = NULL;
}

/* What one user says in front of a body. */
static void render(struct work *w, size_t user, const struct body *body,
    struct rendered *out)
{
	const uint16_t status = status_of(w, user);
	struct header_edits edits;
	struct head_facts facts = {
		.status = status, .body_len = body->len, .modified = -1,
		.coding = body->coding == 0 ? NULL : coding_name(body->coding),
		.varies = body->varies, .edits = &edits,
	};
	char *path = url_path_of(w, user);
	const char *given;
	struct text type = { 0 };

	headers_for(w->site->headers, (const uint8_t *)path, strlen(path), &edits);
	given = answer_of(&w->site->plan, user)->kind == ANSWER_FILE ?
	    head_given_type(&edits) : NULL;
	text_add(&type, "%s%s", given != NULL ? given : body->type,
	    given == NULL && body->is_utf8 ? "; charset=utf-8" : "");
	facts.content_type = type.at;
	facts.cache_control = status == 404 ? CACHE_REVALIDATE :
	    body->name == NULL ? body->cache_control : cache_control(type.at, body->name);
	if (media_is_html(type.at))
		facts.csp = w->all->image->options.csp;
	out->has_unmodified = status == 200;
	if (status == 200) {
		render_200(out, &facts, body);
	} else {
		facts.location = answer_of(&w->site->plan, user)->location;
		head_render(&out->full, &facts);
	}
	w->all->summary->dropped_hsts |= head_has_hsts(&edits);
	if (out->full.too_long && w->told != user)
		report_error(path, "the fields of its answer come to more than %d bytes",
		    LIMIT_ANSWER_HEAD_LEN - 1);
	w->told = out->full.too_long ? user : w->told;
	free(type.at);
	header_edits_free(&edits);
	free(path);
}

static uint64_t rendered_len(const struct rendered *r)
{
	return r->full.len +
	    (r->has_unmodified ? ROM_DIGEST_LINE_LEN + r->unmodified.len : 0u);
}

static bool is_same(const struct rendered *a, const struct rendered *b)
{
	/* What lies before the head follows from it and the body, which is the same one. */
	return a->full.len == b->full.len &&
	    memcmp(a->full.text, b->full.text, a->full.len) == 0;
}

/* Write them so that they end at `end`. */
static struct rom_variant put(const struct rendered *r, uint64_t end,
    const struct body *body, uint64_t body_off, uint16_t status)
{
	const uint64_t head_off = end - r->full.len;

	output_write(head_off, r->full.text, r->full.len);
	if (r->has_unmodified) {
		output_write(head_off - r->unmodified.len, r->unmodified.text,
		    r->unmodified.len);
		output_write(end - rendered_len(r), r->digest_line,
		    sizeof r->digest_line);
	}
	return (struct rom_variant){
		.head_off = head_off,
		.body_off = body_off,
		.body_len = body->len,
		.head_len = r->full.len,
		.not_modified_len = r->has_unmodified ? r->unmodified.len : 0,
		.mark_at = r->full.mark_at,
		.mark_len = r->full.mark_len,
		.type_len = r->full.type_len,
		.status = status,
		.coding = (uint8_t)body->coding,
		.length_line_len = r->full.length_line_len,
	};
}

/* ---- Pages of our own --------------------------------------------------------- */

static void write_text(struct work *w, size_t user, const char *text, struct body *body)
{
	static struct rendered r;
	struct sha256 sha;
	struct rom_entry *entry = &w->entries[user];
	uint64_t body_off;

	sha256_start(&sha);
	sha256_add(&sha, text, body->len);
	body->sha = &sha;
	body->type = "text/html";
	body->is_utf8 = true;
	render(w, user, body, &r);
	body_off = w->all->end + rendered_len(&r);
	entry->first = put(&r, body_off, body, body_off, status_of(w, user));
	entry->modified = entry->first.status == 200 ? body->modified : -1;
	output_write(body_off, text, body->len);
	w->all->end = body_off + body->len;
}

static int64_t modified_of(const struct site_file *file, const void *context)
{
	const struct image_times *times = context;
	const int64_t time = times->fixed ? times->fixed_at : file->mtime.tv_sec;

	if (time < 0)
		return 0;
	return time < times->latest || times->fixed ? time : times->latest;
}

static void write_listing(struct work *w, size_t user, size_t folder)
{
	struct body body = { .cache_control = CACHE_REVALIDATE };
	struct text page = folder_listing(&w->site->site,
	    &w->site->plan.folders.list[folder], modified_of, &w->all->image->times,
	    &body.modified);

	body.len = page.len;
	write_text(w, user, page.at, &body);
	free(page.at);
}

/* A permanent redirect is kept for as long as an answer, not for ever (RFC 9111, 4.2.2). */
static void write_redirect(struct work *w, size_t user,
    const struct planned_answer *answer)
{
	struct text page = page_moved(answer->location);
	struct body body = { .len = page.len };

	if (answer->status == 301 || answer->status == 308)
		body.cache_control = CACHE_HOUR;
	write_text(w, user, page.at, &body);
	free(page.at);
}

static void write_own(struct work *w, size_t user)
{
	const struct planned_answer *answer = answer_of(&w->site->plan, user);
	struct body missing = { .len = strlen(page_not_found) };

	switch (answer->kind) {
	case ANSWER_FILE:
		break;
	case ANSWER_LISTING:
		write_listing(w, user, answer->index);
		break;
	case ANSWER_REDIRECT:
		write_redirect(w, user, answer);
		break;
	case ANSWER_BUILT_IN:
		write_text(w, user, page_not_found, &missing);
		break;
	}
}

/* ---- Files -------------------------------------------------------------------- */

static const struct coding_job *job_of(const struct image_site *site, size_t file)
{
	return site->jobs == NULL || site->job_of[file] == SIZE_MAX ? NULL :
	    &site->jobs[site->job_of[file]];
}

/* The further codings that a file has, smallest first; returns their number. */
static uint8_t codings_of(const struct coding_job *job, uint8_t codings[CODING_COUNT])
{
	uint8_t count = 0;

	for (unsigned c = 1; job != NULL && c < CODING_COUNT; c++) {
		uint8_t i = count;

		if (job->coded[c].path == NULL)
			continue;
		for (; i > 0 && job->coded[codings[i - 1]].len > job->coded[c].len; i--)
			codings[i] = codings[i - 1];
		codings[i] = (uint8_t)c;
		count++;
	}
	return count;
}

size_t answers_count(const struct image_site *site)
{
	const size_t users = site->plan.path_count + site->plan.page_count;
	uint8_t codings[CODING_COUNT];
	size_t count = 0;

	for (size_t user = 0; user < users; user++) {
		const struct planned_answer *answer = answer_of(&site->plan, user);

		if (answer->kind == ANSWER_FILE)
			count += codings_of(job_of(site, answer->index), codings);
	}
	return count;
}

/* Where variant k of a user goes. */
static struct rom_variant *variant_of(const struct work *w, size_t user, unsigned k)
{
	struct rom_entry *entry = &w->entries[user];

	return k == 0 ? &entry->first : &w->all->variants[entry->more_first + k - 1];
}

/* The heads of all users of a body that lies at body_off. */
static void write_heads(struct work *w, size_t file, const struct body *body,
    uint64_t body_off, unsigned k)
{
	static struct rendered first, other;
	const size_t user = w->first_user[file];

	render(w, user, body, &first);
	*variant_of(w, user, k) = put(&first, body_off, body, body_off, status_of(w, user));
	for (size_t u = w->next_user[user]; u != SIZE_MAX; u = w->next_user[u]) {
		render(w, u, body, &other);
		if (is_same(&first, &other)) {
			*variant_of(w, u, k) = *variant_of(w, user, k);
			continue;
		}
		w->all->end += rendered_len(&other);
		*variant_of(w, u, k) =
		    put(&other, w->all->end, body, body_off, status_of(w, u));
	}
}

/* Leaves room for the first user's heads; returns where the body goes. */
static uint64_t make_room(struct work *w, size_t file, struct body *body)
{
	static struct rendered longest;
	struct sha256 empty;
	uint64_t body_off;

	sha256_start(&empty);
	body->sha = &empty;
	render(w, w->first_user[file], body, &longest);
	body_off = align_up(w->all->end + rendered_len(&longest), BODY_ALIGN);
	w->all->end = body_off + body->len;
	return body_off;
}

static bool write_identity(struct work *w, size_t file, struct body *body)
{
	static struct media_scan scan;
	const struct site_file *f = &w->site->site.files[file];
	const bool is_text = media_is_text(body->type);
	struct sha256 sha;
	struct content_sink sink = {
		.chunk = w->all->chunk, .sha = &sha, .scan = is_text ? &scan : NULL,
	};

	body->is_utf8 = is_text;
	body->len = f->len;
	sink.off = make_room(w, file, body);
	sha256_start(&sha);
	media_scan_start(&scan);
	if (!content_copy(&w->site->site, f, &sink))
		return false;
	body->is_utf8 = is_text && media_scan_is_utf8(&scan, body->type);
	body->sha = &sha;
	write_heads(w, file, body, sink.off, 0);
	return true;
}

static bool write_coded(struct work *w, size_t file, struct body *body,
    const struct coded *coded, unsigned k)
{
	struct sha256 sha;
	struct content_sink sink = { .chunk = w->all->chunk, .sha = &sha };

	body->len = coded->len;
	sink.off = make_room(w, file, body);
	sha256_start(&sha);
	if (!content_copy_own(coded->path, coded->len, &sink))
		return false;
	body->sha = &sha;
	write_heads(w, file, body, sink.off, k);
	return true;
}

static void start_users(struct work *w, size_t file, const uint8_t *codings,
    uint8_t count, int64_t modified)
{
	size_t user = w->first_user[file];

	for (; user != SIZE_MAX; user = w->next_user[user]) {
		struct rom_entry *entry = &w->entries[user];

		entry->modified = status_of(w, user) == 200 ? modified : -1;
		entry->more_count = count;
		entry->more_first = count > 0 ? w->all->variant_count : 0;
		memcpy(entry->codings + 1, codings, count);
		w->all->variant_count += count;
	}
}

static void write_file(struct work *w, size_t file)
{
	const struct site_file *f = &w->site->site.files[file];
	const struct coding_job *job = job_of(w->site, file);
	const char *name = plan_file_name(f);
	struct body body = {
		.name = name,
		.type = media_type(w->all->image->types, name),
		.modified = modified_of(f, &w->all->image->times),
	};
	uint8_t codings[CODING_COUNT];
	const uint8_t count = codings_of(job, codings);

	start_users(w, file, codings, count, body.modified);
	body.varies = count > 0;
	if (!write_identity(w, file, &body))
		return;
	for (unsigned k = 0; k < count; k++) {
		body.coding = codings[k];
		if (!write_coded(w, file, &body, &job->coded[codings[k]], k + 1))
			return;
	}
	w->all->summary->coded_files += count > 0;
	if (count > 0)
		w->all->summary->saved += f->len - job->coded[codings[0]].len;
}

void answers_write(struct answers *answers, const struct image_site *site,
    struct rom_entry *entries)
{
	struct work w = {
		.all = answers, .site = site, .entries = entries, .told = SIZE_MAX,
	};
	const size_t users = site->plan.path_count + site->plan.page_count;

	find_users(&w);
	for (size_t file = 0; file < site->site.file_count; file++) {
		answers->summary->bytes_in += site->site.files[file].len;
		if (w.first_user[file] != SIZE_MAX)
			write_file(&w, file);
	}
	for (size_t user = 0; user < users; user++)
		write_own(&w, user);
	free(w.first_user);
	free(w.next_user);
}
