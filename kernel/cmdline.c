/*
 * Command line: see cmdline.h.
 */
#include <string.h>

#include "kernel/cmdline.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool cmdline_find(const char *cmdline, const char *name,
    const char **value, size_t *len)
{
	const size_t name_len = strlen(name);
	const char *at = cmdline;
	bool found = false;

	while (*at != '\0') {
		const char *word = at;
		size_t word_len;

		while (*at != '\0' && !is_blank(*at))
			at++;
		word_len = (size_t)(at - word);
		while (is_blank(*at))
			at++;
		if (word_len < name_len || memcmp(word, name, name_len) != 0)
			continue;
		if (word_len > name_len && word[name_len] != '=')
			continue;
		*value = word_len == name_len ?
		    word + name_len : word + name_len + 1;
		*len = (size_t)(word + word_len - *value);
		found = true;
	}
	return found;
}

static bool value_is(const char *value, size_t len, const char *text)
{
	return len == strlen(text) && memcmp(value, text, len) == 0;
}

const char *cmdline_on_crash(const char *cmdline, enum on_crash *out)
{
	const char *value;
	size_t len;

	*out = ON_CRASH_RESTART;
	if (!cmdline_find(cmdline, "on-crash", &value, &len))
		return NULL;
	if (value_is(value, len, "restart"))
		*out = ON_CRASH_RESTART;
	else if (value_is(value, len, "poweroff"))
		*out = ON_CRASH_POWER_OFF;
	else if (value_is(value, len, "reboot"))
		*out = ON_CRASH_REBOOT;
	else
		return "on-crash= knows restart, poweroff and reboot";
	return NULL;
}
