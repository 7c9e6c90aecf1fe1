/* links: tests/host_panic.c tests/romfs/fake_report.c romfs/mkromfs/headers.c
 *        romfs/mkromfs/headers_refused.c romfs/mkromfs/pattern.c romfs/mkromfs/lines.c
 *        romfs/mkromfs/memory.c romfs/mkromfs/url.c @romfs -lunistring */
/*
 * Any bytes as _headers, and a path.  Whatever the path's bytes are, no field comes out that
 * would end its line, that is given twice, or that is the server's.
 *
 * Input: the path, NUL, the file.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "romfs/mkromfs/headers.h"
#include "romfs/mkromfs/headers_refused.h"
#include "tests/romfs/fake_report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(bool good)
{
	if (!good)
		abort();
}

static void check_edit(const struct header_edits *edits, size_t i)
{
	const struct header_edit *const edit = &edits->edits[i];
	static const char token[] = "!#$%&'*+-.^_`|~0123456789"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

	check(edit->name[0] != '\0' && edit->name[strspn(edit->name, token)] == '\0');
	check(headers_refused(edit->name, strlen(edit->name), false) == NULL);
	for (size_t k = 0; k < i; k++)
		check(strcasecmp(edit->name, edits->edits[k].name) != 0);
	if (edit->value == NULL)
		return;
	/* RFC 9110, section 5.5: field-content. */
	check(edit->value[0] != '\0' && edit->value[0] != ' ' && edit->value[0] != '\t');
	for (const char *at = edit->value; *at != '\0'; at++)
		check(((uint8_t)*at >= 0x20 && *at != 0x7f) || *at == '\t');
}

static void ask(const struct header_rules *rules, const uint8_t *path, size_t len)
{
	struct header_edits edits;

	headers_for(rules, path, len, &edits);
	for (size_t i = 0; i < edits.count; i++)
		check_edit(&edits, i);
	header_edits_free(&edits);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *const stop = len > 0 ? memchr(data, 0, len) : NULL;

	if (stop == NULL)
		return 0;
	fake_report.count = 0;
	struct header_rules *const rules = headers_read("_headers", (const char *)stop + 1,
	    len - (size_t)(stop - data) - 1);
	ask(rules, data, (size_t)(stop - data));
	ask(rules, (const uint8_t *)"/", 1);
	ask(rules, (const uint8_t *)"/a/b.jpg", 8);
	headers_free(rules);
	return 0;
}
