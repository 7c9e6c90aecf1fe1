/*
 * The character classes, computed by the compiler from predicates that read like
 * the RFCs' ABNF.
 *
 * Targets are taken a little wider than RFC 3986 writes them: bytes that a URI
 * should have had percent-encoded ('"', '<', '>', '[', '\', ']', '^', '`', '{', '|',
 * '}' and everything from 0x80 on) are ordinary here, since browsers send several
 * of them as they are and they can name nothing but a ROM entry.  '#' starts a
 * fragment, which is never sent (RFC 3986, section 3.5), and is in no class.
 */
#include "http/chars.h"

#define DIGIT(c) ((c) >= '0' && (c) <= '9')
#define UPPER(c) ((c) >= 'A' && (c) <= 'Z')
#define LOWER(c) ((c) >= 'a' && (c) <= 'z')
#define ALNUM(c) (DIGIT(c) || UPPER(c) || LOWER(c))
#define HEX(c) (DIGIT(c) || ((c) >= 'A' && (c) <= 'F') || \
    ((c) >= 'a' && (c) <= 'f'))
#define VISIBLE(c) ((c) > 0x20 && (c) != 0x7f)

/* RFC 9110, section 5.6.2 */
#define TOKEN(c) (ALNUM(c) || (c) == '!' || (c) == '#' || (c) == '$' || \
    (c) == '%' || (c) == '&' || (c) == '\'' || (c) == '*' || (c) == '+' || \
    (c) == '-' || (c) == '.' || (c) == '^' || (c) == '_' || (c) == '`' || \
    (c) == '|' || (c) == '~')

/* RFC 3986, sections 2.2 and 2.3: unreserved / sub-delims */
#define HOST(c) (ALNUM(c) || (c) == '-' || (c) == '.' || (c) == '_' || \
    (c) == '~' || (c) == '!' || (c) == '$' || (c) == '&' || (c) == '\'' || \
    (c) == '(' || (c) == ')' || (c) == '*' || (c) == '+' || (c) == ',' || \
    (c) == ';' || (c) == '=')

#define QUERY(c) (VISIBLE(c) && (c) != '#')
#define PATH(c) (QUERY(c) && (c) != '?')

/* '.' may start a dot segment, '%' an escape, 0x80 and up a UTF-8 sequence. */
#define PLAIN(c) ((c) != 0 && (c) < 0x80 && (c) != '%' && (c) != '.')

/* RFC 9110, section 8.8.3: etagc, any visible byte but the quote, or obs-text */
#define ETAGC(c) (VISIBLE(c) && (c) != '"')

#define CLASS(c) (uint8_t)((TOKEN(c) ? HTTP_TOKEN : 0) | \
    (PATH(c) ? HTTP_PATH : 0) | (QUERY(c) ? HTTP_QUERY : 0) | \
    (HOST(c) ? HTTP_HOST : 0) | (DIGIT(c) ? HTTP_DIGIT : 0) | \
    (HEX(c) ? HTTP_HEX : 0) | (PLAIN(c) ? HTTP_PLAIN : 0) | \
    (ETAGC(c) ? HTTP_ETAGC : 0))

#define CLASS4(c) CLASS(c), CLASS((c) + 1), CLASS((c) + 2), CLASS((c) + 3)
#define CLASS16(c) CLASS4(c), CLASS4((c) + 4), CLASS4((c) + 8), CLASS4((c) + 12)
#define CLASS64(c) \
	CLASS16(c), CLASS16((c) + 16), CLASS16((c) + 32), CLASS16((c) + 48)

const uint8_t http_class[256] = {
	CLASS64(0), CLASS64(64), CLASS64(128), CLASS64(192),
};
