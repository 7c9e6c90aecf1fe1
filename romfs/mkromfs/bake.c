/* Contract: bake.h. */
#include "romfs/mkromfs/bake.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#include "romfs/mkromfs/head.h"
#include "romfs/mkromfs/memory.h"
#include "romfs/mkromfs/report.h"
#include "romfs/mkromfs/summary.h"
#include "romfs/romfs.h"

/* ---- Plans -------------------------------------------------------------------- */

/* One site: its files, rules and paths. */
static void plan_one(struct image_site *one, const struct image *image)
{
	const struct site *site = &one->site;
	const size_t before = report_count();
	char *text, *name;
	size_t len;

	site_walk(&one->site, site->root);
	if (site->has_redirects && (text = site_read(site, "_redirects", &len)) != NULL) {
		name = site_full_path(site, "_redirects");
		redirects_read(&one->redirects, name, text, len, image->options.redirects);
		free(name);
		free(text);
	}
	if (site->has_headers && (text = site_read(site, "_headers", &len)) != NULL) {
		name = site_full_path(site, "_headers");
		one->headers = headers_read(name, text, len);
		free(name);
		free(text);
	}
	if (report_count() == before)
		plan_site(&one->plan, site, &image->options, &one->redirects);
}

void bake_plan(struct image *image, const struct command *command,
    struct hosts_skipped *skipped)
{
	*image = (struct image){
		.info = command->info.at != NULL ? command->info.at : "",
		.types = media_load(command->mime_types),
		.times = command->times,
		.options = command->options,
	};
	*skipped = (struct hosts_skipped){ 0 };
	if (command->many) {
		hosts_find(image, command->first, skipped);
	} else {
		image->sites = xmalloc(sizeof *image->sites);
		image->sites[0] =
		    (struct image_site){ .site = { .root = command->first } };
		image->site_count = 1;
	}
	for (size_t i = 0; i < image->site_count; i++)
		plan_one(&image->sites[i], image);
}

/* ---- What lies where ------------------------------------------------------------ */

/* An image, or a cache, inside a site would be part of the next image. */
static void check_place(const struct image *image, const char *path, const char *folder,
    const char *what)
{
	for (size_t i = 0; i < image->site_count; i++) {
		const struct site *site = &image->sites[i].site;

		if (site->real_root != NULL && path_is_inside(folder, site->real_root))
			report_error(path, "lies inside the site: put the %s elsewhere",
			    what);
	}
}

static void check_out(const struct image *image, const char *out)
{
	char *copy = xstrdup(out);
	char *folder = realpath(dirname(copy), NULL);

	if (folder == NULL)
		report_error(out, "%s", strerror(errno));
	else
		check_place(image, out, folder, "image");
	free(folder);
	free(copy);
}

/* The folder need not be there yet; then the one above it counts. */
static void check_cache(const struct image *image, const char *cache)
{
	char *copy = xstrdup(cache);
	char *folder = realpath(cache, NULL);

	if (folder == NULL)
		folder = realpath(dirname(copy), NULL);
	if (folder != NULL)
		check_place(image, cache, folder, "cache");
	free(folder);
	free(copy);
}

/* ---- Codings ------------------------------------------------------------------- */

static void mark_used(const struct planned_answer *answer, bool *used)
{
	if (answer->kind == ANSWER_FILE)
		used[answer->index] = true;
}

/* Files that some path or page shows. */
static bool *find_used(const struct image_site *one)
{
	bool *used = xmalloc(one->site.file_count * sizeof *used);

	memset(used, 0, one->site.file_count * sizeof *used);
	for (size_t i = 0; i < one->plan.path_count; i++)
		mark_used(&one->plan.paths[i].answer, used);
	for (size_t i = 0; i < one->plan.page_count; i++)
		mark_used(&one->plan.pages[i].answer, used);
	return used;
}

/* x.gz, x.br and x.zst beside x; false: none of them is there. */
static void find_sidecars(const struct site *site, size_t file,
    size_t sidecars[CODING_COUNT])
{
	static const char *const endings[CODING_COUNT] = {
		[ROMFS_GZIP] = ".gz", [ROMFS_BROTLI] = ".br", [ROMFS_ZSTD] = ".zst",
	};

	sidecars[0] = SIZE_MAX;
	for (unsigned c = 1; c < CODING_COUNT; c++) {
		struct text path = { 0 };

		text_add(&path, "%s%s", site->files[file].path, endings[c]);
		sidecars[c] = site_find(site, path.at);
		free(path.at);
	}
}

/* The media type under the file's own name, as _headers may have it; to be freed. */
static char *type_of(const struct image *image, const struct image_site *one, size_t file)
{
	const struct site_file *f = &one->site.files[file];
	struct header_edits edits;
	struct text path = { 0 };
	const char *given;
	char *type;

	text_add(&path, "/%s", f->path);
	headers_for(one->headers, (const uint8_t *)path.at, path.len, &edits);
	given = head_given_type(&edits);
	type = xstrdup(given != NULL ? given :
	    media_type(image->types, plan_file_name(f)));
	type[strcspn(type, "; \t")] = '\0';
	header_edits_free(&edits);
	free(path.at);
	return type;
}

/* All jobs of all sites in one list, so that all processors have work until the end. */
struct job_list {
	struct coding_job *jobs;
	size_t count, cap;
};

static void add_jobs(struct job_list *list, const struct image *image,
    struct image_site *one)
{
	bool *used = find_used(one);

	one->job_of = xmalloc(one->site.file_count * sizeof *one->job_of);
	for (size_t i = 0; i < one->site.file_count; i++) {
		struct coding_job job = { .site = &one->site, .file = i };
		char *type = type_of(image, one, i);

		one->job_of[i] = SIZE_MAX;
		if (!used[i]) {
			free(type);
			continue;
		}
		find_sidecars(&one->site, i, job.sidecars);
		job.type = type;
		list->jobs = xgrow(list->jobs, &list->cap, list->count + 1,
		    sizeof *list->jobs);
		one->job_of[i] = list->count;
		list->jobs[list->count++] = job;
	}
	free(used);
}

static void make_codings(struct image *image, const struct coding_options *options,
    struct job_list *list)
{
	*list = (struct job_list){ 0 };
	if (options->codings == 0)
		return;
	for (size_t i = 0; i < image->site_count; i++)
		add_jobs(list, image, &image->sites[i]);
	codings_make(list->jobs, list->count, options);
	for (size_t i = 0; i < image->site_count; i++)
		image->sites[i].jobs = list->jobs;
}

/* ---- All of it ----------------------------------------------------------------- */

void bake(const struct command *command)
{
	struct image image;
	struct image_summary summary;
	struct hosts_skipped skipped;
	struct job_list list;
	bool written = false;

	bake_plan(&image, command, &skipped);
	check_out(&image, command->out);
	if (command->codings.cache != NULL)
		check_cache(&image, command->codings.cache);
	if (report_count() > 0)
		return;
	make_codings(&image, &command->codings, &list);
	if (report_count() == 0)
		written = image_write(&image, command->out, &summary);
	codings_end(list.jobs, list.count);
	if (written && !command->quiet)
		print_summary(&image, &summary, &skipped);
}
