/* Contract: text.h. */
#include "romfs/mkromfs/text.h"

#include <stdarg.h>
#include <stdio.h>

#include "romfs/mkromfs/memory.h"

void text_add(struct text *text, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	ASSERT(len >= 0);
	text->at = xgrow(text->at, &text->cap, text->len + (size_t)len + 1, 1);
	va_start(args, format);
	vsnprintf(text->at + text->len, (size_t)len + 1, format, args);
	va_end(args);
	text->len += (size_t)len;
}

void text_add_html(struct text *text, const char *plain)
{
	for (; *plain != '\0'; plain++)
		switch (*plain) {
		case '&':
			text_add(text, "&amp;");
			break;
		case '<':
			text_add(text, "&lt;");
			break;
		case '>':
			text_add(text, "&gt;");
			break;
		case '"':
			text_add(text, "&quot;");
			break;
		default:
			text_add(text, "%c", *plain);
			break;
		}
}
