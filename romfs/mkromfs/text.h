/* Text that grows. */
#pragma once

#include <stddef.h>

#include "config/base.h"

struct text {
	char *at;                /* ends in NUL; NULL as long as nothing was added */
	size_t len, cap;
};

void text_add(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* As HTML writes it, in an element or in an attribute between double quotes. */
void text_add_html(struct text *text, const char *plain);
