/*
 * Fields that are lists, for the slow twins of this folder: all lines joined into one
 * string, and that taken apart by regular expressions.
 */
#pragma once

#include "http/request.h"

/* The lines with ", " between them, as a string; a NUL becomes "\x01".  To be freed. */
char *slow_join(const struct http_lines *field);

/*
 * Call `element` with each part between commas, without the blanks around it, empty ones
 * left out, until it says no.  Commas in quotes count as commas.
 */
void slow_split(const char *list, bool (*element)(char *part, void *to),
    void *to);

/*
 * The extended regular expression fits all of the string: groups 1..4 are copied to
 * `group`, each of which has room for the string; "" where a group took no part.
 */
bool slow_fits(const char *pattern, const char *string, char *group[4]);

/* Strings of ASCII digits as numbers of any size: <0, 0, >0. */
int slow_compare(const char *a, const char *b);
