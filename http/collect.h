/*
 * The figures of the moment, from all who count: what http_status_start() wants.
 */
#pragma once

#include "config/base.h"
#include "http/figures.h"
#include "http/settings.h"
#include "romfs/romfs.h"

/* All are kept by reference; called once, before the first request. */
void http_collect_start(const struct gate_info *info, const struct romfs *fs,
    const struct http_settings *settings);

void http_collect(struct http_figures *out);
