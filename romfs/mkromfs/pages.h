/* The pages that mkromfs makes itself. */
#pragma once

#include "config/base.h"
#include "romfs/mkromfs/site.h"
#include "romfs/mkromfs/text.h"

#define PAGE_CONTENT_TYPE "text/html; charset=utf-8"

/* For sites without a 404.html. */
extern const char page_not_found[];

/* Of a redirect to this URL.  The caller frees text.at, here and below. */
struct text page_moved(const char *url);
