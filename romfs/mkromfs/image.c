/*
 * Contract: image.h; bytes: romfs/format.h.
 *
 * The order in the file is: header, tables, paths, answers.  All lengths of the
 * tables follow from the list of files, so the answers can be streamed to their
 * place first; the tables, which say where, are written last.
 */
#include "romfs/mkromfs/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "romfs/format.h"
#include "romfs/mkromfs/head.h"
#include "romfs/mkromfs/memory.h"
#include "romfs/mkromfs/output.h"
#include "romfs/mkromfs/phash.h"
#include "romfs/mkromfs/plan.h"
#include "romfs/mkromfs/report.h"
#include "romfs/mkromfs/url.h"
#include "romfs/romfs.h"

#define CHUNK_LEN (256 * 1024)
#define BODY_ALIGN 16u

struct writer {
	const struct site *site;
	const struct media_table *table;
	const struct image_times *times;
	struct rom_header header;
	uint64_t end;                /* of what is written of the answers */
	struct rom_variant *answers; /* of file i */
	uint64_t *path_offs;         /* of '/' + file i's path */
	uint8_t *chunk;
};

static uint64_t align_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

static int64_t modified_of(const struct writer *w, const struct site_file *file)
{
	const int64_t time = w->times->fixed ? w->times->fixed_at : file->mtime.tv_sec;

	if (time < 0)
		return 0;
	return time < w->times->latest || w->times->fixed ? time : w->times->latest;
}

/* ---- Answers -------------------------------------------------------------- */

/*
 * Copy an open file's content to the image at `off`; digest and scan see it pass.
 * The file must be what the walk saw, from the first byte to the last.
 */
static bool copy_content(struct writer *w, int fd, const struct site_file *file,
    uint64_t off, struct sha256 *sha, struct media_scan *scan)
{
	uint64_t done = 0;

	for (;;) {
		const ssize_t got = read(fd, w->chunk, CHUNK_LEN);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return false;
		if (got == 0)
			break;
		if ((uint64_t)got > file->len - done) {
			errno = ESTALE;
			return false;
		}
		sha256_add(sha, w->chunk, (size_t)got);
		if (scan != NULL)
			media_scan_add(scan, w->chunk, (size_t)got);
		output_write(off + done, w->chunk, (size_t)got);
		done += (uint64_t)got;
	}
	if (done == file->len)
		return true;
	errno = ESTALE;
	return false;
}

static bool is_unchanged(int fd, const struct site_file *file)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return false;
	if (S_ISREG(st.st_mode) && (uint64_t)st.st_size == file->len &&
	    st.st_mtim.tv_sec == file->mtime.tv_sec &&
	    st.st_mtim.tv_nsec == file->mtime.tv_nsec)
		return true;
	errno = ESTALE;
	return false;
}

/* The file's content to `off`.  Returns false after reporting why not. */
static bool store_content(struct writer *w, const struct site_file *file,
    uint64_t off, struct sha256 *sha, struct media_scan *scan)
{
	const int fd = site_open(w->site, file->path, O_RDONLY | O_NONBLOCK);
	const bool ok = fd >= 0 && is_unchanged(fd, file) &&
	    copy_content(w, fd, file, off, sha, scan) && is_unchanged(fd, file);
	char *full;

	if (!ok) {
		full = site_full_path(w->site, file->path);
		report_error(full, "%s", errno == ESTALE ?
		    "changed while it was read" : strerror(errno));
		free(full);
	}
	if (fd >= 0)
		close(fd);
	return ok;
}

/*
 * One file's answer: the 304 head, the 200 head, the body, without a gap.  The
 * heads name the digest of a body that is yet to be read, so room is left for
 * the longest heads it can have and they are put at the end of that room.
 */
static void write_file(struct writer *w, size_t i)
{
	static struct head full, unmodified;
	static struct media_scan scan;
	const struct site_file *file = &w->site->files[i];
	const char *type = media_type(w->table, plan_file_name(file));
	const int64_t modified = modified_of(w, file);
	const bool is_text = media_is_text(type);
	uint8_t digest[SHA256_LEN] = { 0 };
	char content_type[MEDIA_TYPE_CAP + 32];
	struct sha256 sha;
	uint64_t body;

	head_content_type(content_type, sizeof content_type, type, is_text);
	head_file(&full, content_type, file->len, modified, digest);
	head_not_modified(&unmodified, digest);
	body = align_up(w->end + unmodified.len + full.len, BODY_ALIGN);

	sha256_start(&sha);
	media_scan_start(&scan);
	if (!store_content(w, file, body, &sha, is_text ? &scan : NULL))
		return;
	head_content_type(content_type, sizeof content_type, type,
	    is_text && media_scan_is_utf8(&scan, type));

	/*
	 * The tag covers the type too: a client must not keep the old one when the
	 * bytes stay the same (RFC 9110, section 8.8.1 allows for that).
	 */
	sha256_add(&sha, "", 1);
	sha256_add(&sha, content_type, strlen(content_type));
	sha256_end(&sha, digest);
	head_file(&full, content_type, file->len, modified, digest);
	head_not_modified(&unmodified, digest);
	output_write(body - full.len, full.text, full.len);
	output_write(body - full.len - unmodified.len, unmodified.text, unmodified.len);
	w->answers[i] = (struct rom_variant){
		.head_off = body - full.len,
		.body_len = file->len,
		.head_len = full.len,
		.not_modified_len = unmodified.len,
		.etag_at = full.etag_at,
		.etag_len = full.etag_len,
		.status = 200,
	};
	w->end = body + file->len;
}

/* An answer of our own: head and body from memory. */
static struct rom_variant write_page(struct writer *w, const struct head *head,
    const char *body, uint16_t status)
{
	const size_t body_len = strlen(body);
	const struct rom_variant answer = {
		.head_off = w->end,
		.body_len = body_len,
		.head_len = head->len,
		.status = status,
	};

	output_write(w->end, head->text, head->len);
	output_write(w->end + head->len, body, body_len);
	w->end += head->len + body_len;
	return answer;
}

static struct rom_variant write_redirect(struct writer *w, const char *path,
    size_t path_len)
{
	static struct head head;
	char *target = xmalloc(path_len + 2);
	struct rom_variant answer;
	char *url, *body;

	memcpy(target, path, path_len);
	strcpy(target + path_len, "/");
	url = url_encode(target);
	body = head_redirect(&head, url);
	answer = write_page(w, &head, body, 301);
	free(body);
	free(url);
	free(target);
	return answer;
}

/* The site's 404.html once more, without ETag: it is not what was asked for. */
static struct rom_variant write_not_found(struct writer *w)
{
	static struct head head;
	static struct media_scan scan;
	const size_t i = plan_not_found(w->site);
	const struct site_file *file;
	struct rom_variant answer = { .status = 404 };
	char content_type[MEDIA_TYPE_CAP + 32];
	struct sha256 sha;
	const char *type;
	uint64_t body;

	if (i == SIZE_MAX) {
		head_not_found(&head, PAGE_CONTENT_TYPE, strlen(page_not_found));
		return write_page(w, &head, page_not_found, 404);
	}
	file = &w->site->files[i];
	type = media_type(w->table, plan_file_name(file));
	head_content_type(content_type, sizeof content_type, type, true);
	head_not_found(&head, content_type, file->len);
	body = w->end + head.len;
	sha256_start(&sha);
	media_scan_start(&scan);
	if (!store_content(w, file, body, &sha, &scan))
		return answer;
	head_content_type(content_type, sizeof content_type, type,
	    media_is_text(type) && media_scan_is_utf8(&scan, type));
	head_not_found(&head, content_type, file->len);
	output_write(body - head.len, head.text, head.len);
	w->end = body + file->len;
	answer.head_off = body - head.len;
	answer.head_len = head.len;
	answer.body_len = file->len;
	return answer;
}

/* ---- Tables --------------------------------------------------------------- */

/* All paths of files, each with '/' in front; notes where each begins. */
static char *join_paths(struct writer *w, uint64_t *total)
{
	uint64_t len = 0;
	char *paths, *next;

	for (size_t i = 0; i < w->site->file_count; i++)
		len += 1 + strlen(w->site->files[i].path);
	paths = next = xmalloc(len + 1);
	w->path_offs = xmalloc(w->site->file_count * sizeof *w->path_offs);
	for (size_t i = 0; i < w->site->file_count; i++) {
		w->path_offs[i] = (uint64_t)(next - paths);
		*next++ = '/';
		next = stpcpy(next, w->site->files[i].path);
	}
	*total = len;
	return paths;
}

static void lay_out(struct writer *w, const struct phash *hash, size_t slots,
    uint64_t paths_len)
{
	const uint64_t lens[ROM_SECTIONS] = {
		[ROM_HOSTS] = sizeof(struct rom_host),
		[ROM_BUCKETS] = hash->bucket_count * sizeof(uint32_t),
		[ROM_ENTRIES] = (slots + 1) * sizeof(struct rom_entry),
		[ROM_PATHS] = paths_len,
	};
	uint64_t off = sizeof w->header;

	memcpy(w->header.magic, ROM_MAGIC, sizeof w->header.magic);
	w->header.version = ROM_VERSION;
	w->header.section_count = ROM_SECTIONS;
	for (size_t i = 0; i < ROM_SECTIONS; i++) {
		off = align_up(off, ROM_ALIGN);
		w->header.sections[i] = (struct rom_range){ off, lens[i] };
		off += lens[i];
	}
	w->end = off;
}

static void write_entries(struct writer *w, const struct planned *plan, size_t count,
    const struct phash *hash, const char *paths)
{
	const uint64_t paths_off = w->header.sections[ROM_PATHS].off;
	struct rom_entry *entries = xmalloc((count + 1) * sizeof *entries);

	for (size_t i = 0; i < count; i++) {
		const struct planned *p = &plan[i];
		struct rom_entry *e = &entries[hash->slots[i]];

		*e = (struct rom_entry){
			.path_off = paths_off + w->path_offs[p->file],
			.path_len = (uint32_t)p->path_len,
			.modified = -1,
		};
		if (p->kind == PLANNED_REDIRECT) {
			e->first = write_redirect(w, paths + w->path_offs[p->file],
			    p->path_len);
			continue;
		}
		e->first = w->answers[p->file];
		e->modified = modified_of(w, &w->site->files[p->file]);
	}
	entries[count] = (struct rom_entry){
		.path_off = paths_off, .modified = -1, .first = write_not_found(w),
	};
	output_write(w->header.sections[ROM_ENTRIES].off, entries,
	    (count + 1) * sizeof *entries);
	free(entries);
}

static void write_tables(struct writer *w, const struct phash *hash, size_t slots,
    const char *paths)
{
	const struct rom_host host = {
		.seed = hash->seed,
		.bucket_count = hash->bucket_count,
		.entry_count = (uint32_t)slots,
		.file_count = (uint32_t)w->site->file_count,
	};
	struct rom_range *sections = w->header.sections;

	sections[ROM_ANSWERS].len = w->end - sections[ROM_ANSWERS].off;
	w->header.image_len = align_up(w->end, ROM_PAGE);
	output_write(0, &w->header, sizeof w->header);
	output_write(sections[ROM_HOSTS].off, &host, sizeof host);
	output_write(sections[ROM_BUCKETS].off, hash->displacements,
	    sections[ROM_BUCKETS].len);
	output_write(sections[ROM_PATHS].off, paths, sections[ROM_PATHS].len);
}

/* The perfect hash over the planned paths. */
static void build_hash(const struct writer *w, const struct planned *plan, size_t count,
    const char *paths, struct phash *hash)
{
	struct phash_key *keys = xmalloc(count * sizeof *keys);

	if (count > PHASH_KEYS_CAP)
		die("too many files for one image");
	for (size_t i = 0; i < count; i++)
		keys[i] = (struct phash_key){
			.bytes = (const uint8_t *)paths + w->path_offs[plan[i].file],
			.len = plan[i].path_len,
		};
	if (!phash_build(keys, (uint32_t)count, hash))
		panic("no perfect hash for different paths");
	free(keys);
}

/* Everything, from the answers back to the header; false after reporting why not. */
static bool write_sections(struct writer *w, const struct planned *plan, size_t count,
    const struct phash *hash, const char *paths)
{
	for (size_t i = 0; i < w->site->file_count; i++)
		write_file(w, i);
	if (report_count() > 0)
		return false;
	write_entries(w, plan, count, hash, paths);
	write_tables(w, hash, count, paths);
	return report_count() == 0;
}

/* Name the image, once the server's own reader has accepted it. */
static void finish(const struct writer *w)
{
	const uint64_t len = w->header.image_len;
	struct romfs fs;

	if (romfs_open(&fs, output_map(len), len) != ROMFS_OK)
		panic("the image just written is refused by its reader");
	output_finish();
}

bool image_write(const struct site *site, const struct media_table *table,
    const struct image_times *times, const char *path, struct image_summary *out)
{
	struct writer w = { .site = site, .table = table, .times = times };
	struct planned *plan;
	const size_t count = plan_site(site, &plan);
	struct phash hash;
	uint64_t paths_len;
	char *paths = join_paths(&w, &paths_len);
	bool written;

	build_hash(&w, plan, count, paths, &hash);
	lay_out(&w, &hash, count, paths_len);
	w.answers = xmalloc(site->file_count * sizeof *w.answers);
	w.chunk = xmalloc(CHUNK_LEN);
	output_start(path);
	written = write_sections(&w, plan, count, &hash, paths);
	if (written)
		finish(&w);
	else
		output_drop();

	*out = (struct image_summary){ .image_len = w.header.image_len };
	for (size_t i = 0; i < site->file_count; i++)
		out->bytes_in += site->files[i].len;
	free(hash.displacements);
	free(hash.slots);
	free(w.answers);
	free(w.path_offs);
	free(w.chunk);
	free(paths);
	free(plan);
	return written;
}
