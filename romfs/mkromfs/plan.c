/*
 * Contract: plan.h.  The paths that come of files: their names, the forms of pages' URLs
 * that the options want, and listings.  What takes part first gets a path: names of files,
 * then folders' pages, then clean URLs, then redirects between forms, then listings.
 */
#include "romfs/mkromfs/plan.h"

#include <stdlib.h>
#include <string.h>

#include "romfs/mkromfs/memory.h"
#include "romfs/mkromfs/plan_int.h"
#include "romfs/mkromfs/url.h"

/* A page's URL without ".html", "index.html" or the last '/'; the root's is empty. */
struct page {
	struct planned_answer answer;
	const char *base;        /* begins the path of a file */
	size_t base_len;
	bool is_folder;
	size_t canonical;        /* in plan->paths: the form that answers; SIZE_MAX: none */
};

struct page_list {
	struct page *list;
	size_t count, cap;
};

const char *plan_file_name(const struct site_file *file)
{
	const char *slash = strrchr(file->path, '/');

	return slash == NULL ? file->path : slash + 1;
}

size_t plan_add_path(struct plan *plan, char *path, struct planned_answer answer)
{
	const size_t len = strlen(path);

	if (pathmap_get(&plan->by_path, path, len) != SIZE_MAX) {
		free(path);
		return SIZE_MAX;
	}
	plan->paths = xgrow(plan->paths, &plan->path_cap, plan->path_count + 1,
	    sizeof *plan->paths);
	plan->paths[plan->path_count] = (struct planned_path){ path, answer, false };
	pathmap_put(&plan->by_path, path, len, plan->path_count);
	return plan->path_count++;
}

size_t plan_add_page(struct plan *plan, struct planned_answer answer, uint16_t status)
{
	for (size_t i = 0; i < plan->page_count; i++)
		if (plan->pages[i].answer.kind == answer.kind &&
		    plan->pages[i].answer.index == answer.index &&
		    plan->pages[i].status == status)
			return i;
	plan->pages = xgrow(plan->pages, &plan->page_cap, plan->page_count + 1,
	    sizeof *plan->pages);
	plan->pages[plan->page_count] = (struct planned_page){ answer, status };
	return plan->page_count++;
}

/* '/', the bytes, and maybe a '/' at the end. */
static char *make_path(const char *bytes, size_t len, bool slash)
{
	char *path = xmalloc(len + 3);

	path[0] = '/';
	memcpy(path + 1, bytes, len);
	strcpy(path + 1 + len, slash ? "/" : "");
	return path;
}

static char *form(const struct page *page, bool slash)
{
	return page->base_len == 0 ? make_path("", 0, false) :
	    make_path(page->base, page->base_len, slash);
}

/* Which form answers. */
static bool ends_in_slash(const struct page *page, enum trailing_slash policy)
{
	return page->is_folder ? policy != SLASH_NEVER : policy == SLASH_ALWAYS;
}

static struct planned_answer redirect_to(const struct plan *plan, size_t canonical)
{
	return (struct planned_answer){
		.kind = ANSWER_REDIRECT,
		.location = url_encode(plan->paths[canonical].path),
		.status = 301,
		.keeps_query = true,
		.canonical = canonical,
	};
}

static void place_canonical(struct plan *plan, struct page *page,
    enum trailing_slash policy)
{
	page->canonical =
	    plan_add_path(plan, form(page, ends_in_slash(page, policy)), page->answer);
}

static void place_other(struct plan *plan, const struct page *page,
    enum trailing_slash policy)
{
	char *other;

	if (page->canonical == SIZE_MAX || page->base_len == 0)
		return;
	other = form(page, !ends_in_slash(page, policy));
	if (policy == SLASH_BOTH)
		plan_add_path(plan, other, page->answer);
	else if (pathmap_get(&plan->by_path, other, strlen(other)) != SIZE_MAX)
		free(other);
	else
		plan_add_path(plan, other, redirect_to(plan, page->canonical));
}

static void place_all(struct plan *plan, struct page_list *pages,
    enum trailing_slash policy, bool folders)
{
	for (size_t i = 0; i < pages->count; i++)
		if (pages->list[i].is_folder == folders)
			place_canonical(plan, &pages->list[i], policy);
}

static void add_page(struct page_list *pages, struct page page)
{
	pages->list = xgrow(pages->list, &pages->cap, pages->count + 1,
	    sizeof *pages->list);
	pages->list[pages->count++] = page;
}

/* The files that are pages: index.html is its folder's, x.html may be x. */
static void find_pages(const struct site *site, const struct site_options *options,
    struct page_list *pages)
{
	for (size_t i = 0; i < site->file_count; i++) {
		const struct site_file *file = &site->files[i];
		const char *name = plan_file_name(file);
		const size_t folder_len = (size_t)(name - file->path);
		const size_t name_len = strlen(name);
		struct page page = {
			.answer = { .kind = ANSWER_FILE, .index = i },
			.base = file->path,
		};

		if (strcmp(name, "index.html") == 0) {
			page.is_folder = true;
			page.base_len = folder_len == 0 ? 0 : folder_len - 1;
		} else if (options->clean_urls != CLEAN_URLS_OFF && name_len > 5 &&
		    strcmp(name + name_len - 5, ".html") == 0 &&
		    strcmp(name, "404.html") != 0) {
			page.base_len = folder_len + name_len - 5;
		} else {
			continue;
		}
		add_page(pages, page);
	}
}

/* --clean-urls=auto: the file's own name leads to the form that answers. */
static void redirect_names(struct plan *plan, const struct page_list *pages)
{
	for (size_t i = 0; i < pages->count; i++) {
		const struct page *page = &pages->list[i];

		/* The files' names were added first, in their order. */
		if (page->canonical != SIZE_MAX)
			plan->paths[page->answer.index].answer =
			    redirect_to(plan, page->canonical);
	}
}

static void add_pages(struct plan *plan, const struct site_options *options)
{
	const enum trailing_slash policy = options->trailing_slash;
	struct page_list pages = { 0 };

	find_pages(plan->site, options, &pages);
	place_all(plan, &pages, policy, true);
	place_all(plan, &pages, policy, false);
	for (size_t i = 0; i < pages.count; i++)
		if (pages.list[i].is_folder)
			place_other(plan, &pages.list[i], policy);
	for (size_t i = 0; i < pages.count; i++)
		if (!pages.list[i].is_folder)
			place_other(plan, &pages.list[i], policy);
	if (options->clean_urls == CLEAN_URLS_AUTO)
		redirect_names(plan, &pages);
	free(pages.list);
}

static void add_listings(struct plan *plan, enum trailing_slash policy)
{
	folders_find(&plan->folders, plan->site);
	for (size_t i = 0; i < plan->folders.count; i++) {
		const struct folder *folder = &plan->folders.list[i];
		struct page page = {
			.answer = { .kind = ANSWER_LISTING, .index = i },
			.base = folder->path,
			.base_len = folder->len == 0 ? 0 : folder->len - 1,
			.is_folder = true,
		};

		if (folder_has(plan->site, folder, "index.html"))
			continue;
		place_canonical(plan, &page, policy);
		place_other(plan, &page, policy);
	}
}

static struct planned_answer not_found(const struct site *site)
{
	const size_t i = site_find(site, "404.html");

	return i == SIZE_MAX ? (struct planned_answer){ .kind = ANSWER_BUILT_IN } :
	    (struct planned_answer){ .kind = ANSWER_FILE, .index = i };
}

void plan_site(struct plan *plan, const struct site *site,
    const struct site_options *options, const struct redirects *redirects)
{
	*plan = (struct plan){ .site = site };
	plan_add_page(plan, not_found(site), 404);
	for (size_t i = 0; i < site->file_count; i++) {
		const char *path = site->files[i].path;

		plan_add_path(plan, make_path(path, strlen(path), false),
		    (struct planned_answer){ .kind = ANSWER_FILE, .index = i });
	}
	add_pages(plan, options);
	if (options->listings)
		add_listings(plan, options->trailing_slash);
	plan_add_rules(plan, options, redirects);
	/* A site of rules alone: the hash wants a path, and nobody can ask for this one. */
	if (plan->path_count == 0)
		plan_add_path(plan, make_path(".", 1, false), (struct planned_answer){
			.kind = ANSWER_REDIRECT, .location = xstrdup("/"), .status = 308,
			.canonical = SIZE_MAX,
		});
}
