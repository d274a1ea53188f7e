#include "http/accept.h"

enum { WEIGHT_FULL = 1000, WEIGHT_LEAST = 1 };

static const unsigned digit_worth[] = {100, 10, 1};

/* A qvalue in thousandths (RFC 9110 12.4.2): "0" or "1", and at most three decimals, those of "1"
   all zero. */
static unsigned read_qvalue(struct span text)
{
    unsigned weight = 0;
    if (text.len == 0 || text.len > 5 || (text.ptr[0] != '0' && text.ptr[0] != '1'))
        return 0;
    if (text.len > 1 && text.ptr[1] != '.')
        return 0;
    for (size_t i = 2; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return 0;
        weight += (unsigned)(text.ptr[i] - '0') * digit_worth[i - 2];
    }
    if (text.ptr[0] == '0')
        return weight;
    return weight == 0 ? WEIGHT_FULL : 0;
}

static bool is_weight(struct span parameter)
{
    return span_starts_with_nocase(parameter, SPAN("q="));
}

/* The weight among the parameters of a list element; full when none is given. */
static unsigned find_weight(struct span parameters)
{
    while (parameters.ptr != NULL) {
        struct span parameter = span_cut(&parameters, ';');
        if (is_weight(parameter))
            return read_qvalue(span_from(parameter, 2));
    }
    return WEIGHT_FULL;
}

/* "x-gzip" and "gzip" are one (RFC 9110 8.4.1.3). */
static struct span plain_coding(struct span coding)
{
    return span_equal_nocase(coding, SPAN("x-gzip")) ? SPAN("gzip") : coding;
}

unsigned accept_encoding_weight(struct span value, struct span coding)
{
    bool identity = span_equal_nocase(coding, SPAN("identity"));
    unsigned other = identity ? WEIGHT_LEAST : 0;
    bool starred = false;

    if (value.ptr == NULL)
        return identity ? WEIGHT_FULL : 0;
    while (value.ptr != NULL) {
        struct span element = span_cut(&value, ',');
        struct span name = span_cut(&element, ';');
        if (name.len == 0) /* an empty list element (RFC 9110 5.6.1.2) */
            continue;
        if (span_equal_nocase(plain_coding(name), plain_coding(coding)))
            return find_weight(element);
        if (!starred && span_equal(name, SPAN("*"))) {
            other = find_weight(element);
            starred = true;
        }
    }
    return other;
}

/* A parameter's value without its quotes. A quoted-pair is left as it is: no parameter of a type
   served here needs one. */
static struct span unquoted(struct span text)
{
    if (text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"')
        return span_make(text.ptr + 1, text.len - 2);
    return text;
}

static bool same_parameter(struct span a, struct span b)
{
    size_t a_name = span_find(a, '='), b_name = span_find(b, '=');
    return span_equal_nocase(span_make(a.ptr, a_name), span_make(b.ptr, b_name)) &&
           span_equal_nocase(unquoted(span_from(a, a_name + 1)),
                             unquoted(span_from(b, b_name + 1)));
}

static bool has_parameter(struct span parameters, struct span wanted)
{
    while (parameters.ptr != NULL)
        if (same_parameter(span_cut(&parameters, ';'), wanted))
            return true;
    return false;
}

/* How precisely "type/subtype" of a range names that of a type: 0 not at all, 1 for any type, 2 for
   any subtype, 3 for this one. */
static unsigned match_names(struct span range, struct span type)
{
    if (range.len == 0) /* an empty list element (RFC 9110 5.6.1.2) */
        return 0;
    if (span_equal(range, SPAN("*/*")))
        return 1;
    if (span_equal_nocase(range, type))
        return 3;
    if (!span_ends_with(range, SPAN("/*")))
        return 0;
    range.len--; /* "text/" */
    return span_starts_with_nocase(type, range) ? 2 : 0;
}

/* As match_names, and 1 more for each parameter of the range, all of which the type must have. What
   stands after the weight is no parameter of the range (RFC 9110 12.5.1). */
static unsigned match_range(struct span range, struct span type)
{
    unsigned precision = match_names(span_cut(&range, ';'), span_cut(&type, ';'));
    if (precision == 0)
        return 0;
    while (range.ptr != NULL) {
        struct span parameter = span_cut(&range, ';');
        if (is_weight(parameter))
            break;
        if (parameter.len == 0)
            continue;
        if (!has_parameter(type, parameter))
            return 0;
        precision++;
    }
    return precision;
}

unsigned accept_weight(struct span value, struct span media_type)
{
    unsigned best = 0, weight = 0;

    if (span_trim(value).len == 0)
        return WEIGHT_FULL;
    while (value.ptr != NULL) {
        struct span range = span_cut(&value, ',');
        unsigned precision = match_range(range, media_type);
        if (precision > best) {
            best = precision;
            span_cut(&range, ';');
            weight = find_weight(range);
        }
    }
    return weight;
}
