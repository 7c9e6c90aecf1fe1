/*
 * mkromfs: bake a folder of files into a ROM image.  Usage is in command.c; what goes
 * in, what is refused, and the image's layout are in romfs/README.md.
 *
 * Exit status: 0 done, 1 something is wrong with the site or the image (every
 * reason is on stderr), 2 wrong usage.  As with diff, --diff says 1 for images that
 * differ and 2 for what is wrong with them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "romfs/mkromfs/bake.h"
#include "romfs/mkromfs/command.h"
#include "romfs/mkromfs/manifest.h"
#include "romfs/mkromfs/report.h"
#include "romfs/mkromfs/show.h"

static void print_manifest(const struct command *command)
{
	struct hosts_skipped skipped;
	struct image image;

	bake_plan(&image, command, &skipped);
	if (report_count() == 0)
		manifest_print(&image);
}

int main(int argc, char **argv)
{
	const struct command command = command_read(argc, argv);
	bool same = true;

	switch (command.mode) {
	case MODE_BAKE:
		bake(&command);
		break;
	case MODE_MANIFEST:
		print_manifest(&command);
		break;
	case MODE_LIST:
		show_list(command.first);
		break;
	case MODE_CHECK:
		show_check(command.first);
		break;
	case MODE_RESOLVE:
		show_resolve(command.first, command.second);
		break;
	case MODE_DIFF:
		same = show_diff(command.first, command.second);
		break;
	}
	if (fflush(stdout) != 0)
		report_error("stdout", "%s", strerror(errno));
	if (report_count() > 0)
		return command.mode == MODE_DIFF ? 2 : 1;
	return same ? 0 : 1;
}
