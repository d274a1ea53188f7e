#ifndef BASE_SPAN_H
#define BASE_SPAN_H

/*
 * A span is a run of bytes somebody else owns: (pointer, length), in that order, never
 * NUL-terminated. It lives as long as the bytes it points into. All functions are pure and may be
 * called from any thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const char *ptr; /* may be NULL only when len is 0 */
    size_t len;
};

#define SPAN_EMPTY  ((struct span){NULL, 0})
#define SPAN(text)  ((struct span){"" text, sizeof(text) - 1}) /* of a string literal */
#define SPAN_FMT    "%.*s"
#define SPAN_ARG(s) (int)(s).len, (s).ptr

static inline struct span span_make(const char *ptr, size_t len)
{
    return (struct span){ptr, len};
}

static inline struct span span_of(const char *text)
{
    return (struct span){text, strlen(text)};
}

static inline bool span_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Equal but for the case of ASCII letters (RFC 9110 5.1 compares names so). */
bool span_equal_nocase(struct span a, struct span b);

bool span_starts_with(struct span s, struct span prefix);
bool span_starts_with_nocase(struct span s, struct span prefix);
bool span_ends_with(struct span s, struct span suffix);

/* Index of the first c in s, or s.len. */
static inline size_t span_find(struct span s, char c)
{
    const char *at = s.len > 0 ? memchr(s.ptr, c, s.len) : NULL;
    return at != NULL ? (size_t)(at - s.ptr) : s.len;
}

/* Bytes [from, s.len), empty when from is past the end. */
struct span span_from(struct span s, size_t from);

/* s without leading and trailing SP and HTAB (OWS, RFC 9110 5.6.3). */
struct span span_trim(struct span s);

/*
 * Cuts the next element off a list: returns what stands before the first `separator` in *rest,
 * trimmed, and leaves in *rest what stands after it. At the end *rest is empty with ptr NULL, which
 * is how the loop ends:
 *
 *     while (rest.ptr != NULL) { struct span word = span_cut(&rest, ','); ... }
 *
 * Elements may be empty. A separator inside a quoted-string (RFC 9110 5.6.4) does not cut.
 */
struct span span_cut(struct span *rest, char separator);

/*
 * Decimal digits only, at least one, no sign, no space. False, and *value untouched, when s is
 * anything else or the number does not fit.
 */
bool span_to_u64(struct span s, uint64_t *value);

/* Whether token is an element of a comma-separated list, ignoring case (RFC 9110 5.6.1). */
bool span_list_has(struct span list, struct span token);

#endif
