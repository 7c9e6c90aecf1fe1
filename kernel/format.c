/*
 * Formatted text: see format.h.  One pass; each conversion is parsed into a
 * `struct spec`, then written by the function for its kind.
 */
#include "kernel/format.h"

struct sink {
	char *out;
	size_t len;
	size_t cap;
};

struct spec {
	bool zero;           /* pad with '0' instead of ' ' */
	bool left;           /* pad behind instead of before */
	size_t width;
	size_t precision;    /* %s: bytes at most */
	unsigned longs;      /* 0: int; else 64 bits */
	char kind;
};

static void put(struct sink *s, char c)
{
	if (s->len < s->cap)
		s->out[s->len++] = c;
}

static void pad(struct sink *s, char c, size_t used, size_t width)
{
	/* A width beyond the buffer cannot be seen: do not loop for it. */
	for (size_t i = used; i < width && s->len < s->cap; i++)
		put(s, c);
}

/* Write text with its padding; `sign` is what zero padding comes after. */
static void put_field(struct sink *s, const struct spec *spec,
    const char *sign, const char *text, size_t len)
{
	const size_t sign_len = __builtin_strlen(sign);
	const size_t used = sign_len + len;

	if (!spec->left && !spec->zero)
		pad(s, ' ', used, spec->width);
	for (size_t i = 0; i < sign_len; i++)
		put(s, sign[i]);
	if (!spec->left && spec->zero)
		pad(s, '0', used, spec->width);
	for (size_t i = 0; i < len; i++)
		put(s, text[i]);
	if (spec->left)
		pad(s, ' ', used, spec->width);
}

static void put_number(struct sink *s, const struct spec *spec,
    const char *sign, uint64_t value, unsigned base)
{
	char digits[20];
	size_t at = sizeof digits;

	do {
		digits[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	put_field(s, spec, sign, digits + at, sizeof digits - at);
}

static void put_signed(struct sink *s, const struct spec *spec, int64_t value)
{
	if (value < 0)
		put_number(s, spec, "-", 0 - (uint64_t)value, 10);
	else
		put_number(s, spec, "", (uint64_t)value, 10);
}

static void put_string(struct sink *s, const struct spec *spec,
    const char *text)
{
	struct spec plain = *spec;
	size_t len = 0;

	plain.zero = false;
	if (text == NULL)
		text = "(null)";
	while (len < spec->precision && text[len] != '\0')
		len++;
	put_field(s, &plain, "", text, len);
}

/* A number in the format, or the next argument for '*'. */
static size_t parse_count(const char **at, va_list *args)
{
	size_t n = 0;

	if (**at == '*') {
		const int v = va_arg(*args, int);

		(*at)++;
		return v < 0 ? 0 : (size_t)v;
	}
	for (; **at >= '0' && **at <= '9'; (*at)++)
		n = n * 10 + (size_t)(**at - '0');
	return n;
}

/* Read what follows '%'; returns where the format goes on. */
static const char *parse_spec(const char *at, va_list *args, struct spec *spec)
{
	*spec = (struct spec){ .precision = SIZE_MAX };
	for (; *at == '0' || *at == '-'; at++) {
		spec->zero |= *at == '0';
		spec->left |= *at == '-';
	}
	spec->width = parse_count(&at, args);
	if (*at == '.') {
		at++;
		spec->precision = parse_count(&at, args);
	}
	for (; *at == 'l' || *at == 'z'; at++)
		spec->longs++;
	spec->kind = *at;
	return *at == '\0' ? at : at + 1;
}

static uint64_t next_unsigned(const struct spec *spec, va_list *args)
{
	return spec->longs ? va_arg(*args, uint64_t) : va_arg(*args, unsigned);
}

static int64_t next_signed(const struct spec *spec, va_list *args)
{
	return spec->longs ? va_arg(*args, int64_t) : va_arg(*args, int);
}

static void put_conversion(struct sink *s, const struct spec *spec,
    va_list *args)
{
	switch (spec->kind) {
	case 's':
		put_string(s, spec, va_arg(*args, const char *));
		return;
	case 'c':
		put(s, (char)va_arg(*args, int));
		return;
	case 'd':
		put_signed(s, spec, next_signed(spec, args));
		return;
	case 'u':
		put_number(s, spec, "", next_unsigned(spec, args), 10);
		return;
	case 'x':
		put_number(s, spec, "", next_unsigned(spec, args), 16);
		return;
	case 'p':
		put_number(s, spec, "0x",
		    (uint64_t)(uintptr_t)va_arg(*args, void *), 16);
		return;
	case '%':
		put(s, '%');
		return;
	default:
		put(s, '%');
		if (spec->kind != '\0')
			put(s, spec->kind);
	}
}

size_t format_text(char *out, size_t cap, const char *format, va_list args)
{
	struct sink s = { .out = out, .cap = cap };
	struct spec spec;
	va_list rest;

	va_copy(rest, args);
	while (*format != '\0') {
		if (*format != '%') {
			put(&s, *format++);
			continue;
		}
		format = parse_spec(format + 1, &rest, &spec);
		put_conversion(&s, &spec, &rest);
	}
	va_end(rest);
	return s.len;
}

size_t format_line(char *out, size_t cap, const char *format, ...)
{
	va_list args;
	size_t len;

	va_start(args, format);
	len = format_text(out, cap - 1, format, args);
	va_end(args);
	out[len] = '\0';
	return len;
}

_Static_assert(sizeof(long) == 8 && sizeof(size_t) == 8,
    "l, ll and z all mean 64 bits");
