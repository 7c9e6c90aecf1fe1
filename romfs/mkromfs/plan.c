/* Contract: plan.h. */
#include "romfs/mkromfs/plan.h"

#include <string.h>

#include "romfs/mkromfs/memory.h"

const char *plan_file_name(const struct site_file *file)
{
	const char *slash = strrchr(file->path, '/');

	return slash == NULL ? file->path : slash + 1;
}

size_t plan_not_found(const struct site *site)
{
	for (size_t i = 0; i < site->file_count; i++)
		if (strcmp(site->files[i].path, "404.html") == 0)
			return i;
	return SIZE_MAX;
}

size_t plan_site(const struct site *site, struct planned **out)
{
	struct planned *plan = NULL;
	size_t count = 0, cap = 0;

	for (size_t i = 0; i < site->file_count; i++) {
		const struct site_file *file = &site->files[i];
		const char *name = plan_file_name(file);
		const size_t len = 1 + strlen(file->path);
		const size_t folder_len = len - strlen(name);

		plan = xgrow(plan, &cap, count + 3, sizeof *plan);
		plan[count++] = (struct planned){ PLANNED_FILE, i, len };
		if (strcmp(name, "index.html") != 0)
			continue;
		plan[count++] = (struct planned){ PLANNED_INDEX, i, folder_len };
		if (folder_len == 1)
			continue;
		plan[count++] =
		    (struct planned){ PLANNED_REDIRECT, i, folder_len - 1 };
	}
	*out = plan;
	return count;
}
