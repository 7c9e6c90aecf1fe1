/*
 * Settings: words as on the command line, checked here so that a typing mistake is
 * said now and not by a machine that has just been rebooted.
 */
#pragma once

#include "config/bundle.h"

/*
 * Check the words and put them into a line with one blank between them.  Errors
 * (unknown words, values, a word given twice, too long together) are reported.
 *
 * has_certificate    there is at least one chain; some words mean nothing without
 */
void settings_read(const char *words, bool has_certificate,
    char out[BUNDLE_SETTINGS_CAP]);
