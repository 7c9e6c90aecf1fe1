/*
 * Lists, slowly: tests/http/slow_list.h.
 */
#include <assert.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "tests/http/slow_list.h"

char *slow_join(const struct http_lines *field)
{
	size_t len = 1;

	for (uint32_t i = 0; i < field->count; i++)
		len += field->line[i].len + 2;
	char *const out = malloc(len);
	assert(out != NULL);
	*out = 0;
	for (uint32_t i = 0; i < field->count; i++) {
		if (i > 0)
			strcat(out, ", ");
		char *const at = out + strlen(out);
		memcpy(at, field->line[i].at, field->line[i].len);
		at[field->line[i].len] = 0;
		for (size_t k = 0; k < field->line[i].len; k++) {
			if (at[k] == 0)
				at[k] = 1;
		}
	}
	return out;
}

void slow_split(const char *list, bool (*element)(char *part, void *to),
    void *to)
{
	for (;;) {
		const size_t len = strcspn(list, ",");
		char *const part = strndup(list, len);
		char *start = part;
		char *end = part + len;

		assert(part != NULL);
		while (start < end && strchr(" \t", *start) != NULL)
			start++;
		while (end > start && strchr(" \t", end[-1]) != NULL)
			end--;
		*end = 0;
		const bool more = start == end || element(start, to);
		free(part);
		if (!more || list[len] == 0)
			return;
		list += len + 1;
	}
}

/* Compiled once for each pattern, which is a literal. */
static const regex_t *compiled(const char *pattern)
{
	static struct { const char *pattern; regex_t regex; } known[16];
	size_t i = 0;

	while (known[i].pattern != NULL && known[i].pattern != pattern)
		i++;
	assert(i < 15);
	if (known[i].pattern == NULL) {
		const int status = regcomp(&known[i].regex, pattern,
		    REG_EXTENDED);
		assert(status == 0);
		known[i].pattern = pattern;
	}
	return &known[i].regex;
}

bool slow_fits(const char *pattern, const char *string, char *group[4])
{
	regmatch_t match[5];

	if (regexec(compiled(pattern), string, 5, match, 0) != 0 ||
	    match[0].rm_so != 0 || string[match[0].rm_eo] != 0)
		return false;
	for (size_t i = 0; i < 4; i++) {
		const regmatch_t m = match[i + 1];
		const size_t len = m.rm_so < 0 ? 0 :
		    (size_t)(m.rm_eo - m.rm_so);

		if (len > 0)
			memcpy(group[i], string + m.rm_so, len);
		group[i][len] = 0;
	}
	return true;
}

int slow_compare(const char *a, const char *b)
{
	a += strspn(a, "0");
	b += strspn(b, "0");
	if (strlen(a) != strlen(b))
		return strlen(a) < strlen(b) ? -1 : 1;
	return strcmp(a, b);
}
