/* Contract: manifest.h. */
#include "romfs/mkromfs/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "romfs/mkromfs/url.h"

/* A file's name as one column: '%' and control bytes as %XX, the rest as it is. */
static void print_column(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		const unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c == 0x7f || c == '%')
			printf("%%%02X", c);
		else
			putchar(c);
	}
}

static void print_host(const struct image *image, size_t site)
{
	for (size_t i = 0; i < image->name_count; i++)
		if (image->names[i].site == site && image->names[i].canonical == SIZE_MAX) {
			printf("//%s", image->names[i].name);
			return;
		}
}

static void print_answer(const struct plan *plan, const struct planned_answer *answer)
{
	switch (answer->kind) {
	case ANSWER_FILE:
		print_column(plan->site->files[answer->index].path,
		    strlen(plan->site->files[answer->index].path));
		break;
	case ANSWER_LISTING:
		print_column(plan->folders.list[answer->index].path,
		    plan->folders.list[answer->index].len);
		if (plan->folders.list[answer->index].len == 0)
			putchar('/');
		break;
	case ANSWER_REDIRECT:
		fputs(answer->location, stdout);
		break;
	case ANSWER_BUILT_IN:
		putchar('-');
		break;
	}
	putchar('\n');
}

/* 404 pages of folders, and the page of an app. */
static void print_rule(const struct plan *plan, const struct planned_rule *rule)
{
	char *prefix = strndup((const char *)rule->pattern.at, rule->pattern.len - 2);
	char *url = url_encode(prefix);
	const struct planned_answer *answer = rule->goal == GOAL_PAGE ?
	    &plan->pages[rule->index].answer : &plan->paths[rule->index].answer;

	printf("%s*\t%u\t", url, rule->status);
	print_answer(plan, answer);
	free(url);
	free(prefix);
}

static void print_site(const struct image *image, size_t site)
{
	const struct plan *plan = &image->sites[site].plan;

	for (size_t i = 0; i < plan->path_count; i++) {
		const struct planned_path *path = &plan->paths[i];
		char *url = url_encode(path->path);

		print_host(image, site);
		printf("%s\t%u\t", url, path->answer.kind == ANSWER_REDIRECT ?
		    path->answer.status : 200u);
		print_answer(plan, &path->answer);
		free(url);
	}
	for (size_t i = 0; i < plan->rule_count; i++)
		if (plan->rules[i].line == 0) {
			print_host(image, site);
			print_rule(plan, &plan->rules[i]);
		}
	print_host(image, site);
	fputs(image->name_count > 0 ? "/*\t404\t" : "*\t404\t", stdout);
	print_answer(plan, &plan->pages[0].answer);
}

void manifest_print(const struct image *image)
{
	for (size_t i = 0; i < image->site_count; i++)
		print_site(image, i);
}
