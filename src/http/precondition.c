#include "http/precondition.h"

#include "http/date.h"
#include "http/etag.h"

enum answer {
    ABSENT, /* no such field, or one that is to be ignored */
    YES,
    NO,
    MALFORMED,
};

static bool has_field(const struct request *request, enum field_name name)
{
    return request->fields.first[name] != 0;
}

static bool has_conditions(const struct request *request)
{
    return has_field(request, FIELD_IF_MATCH) || has_field(request, FIELD_IF_NONE_MATCH) ||
           has_field(request, FIELD_IF_MODIFIED_SINCE) ||
           has_field(request, FIELD_IF_UNMODIFIED_SINCE);
}

/*
 * Whether any of the field's tags matches. The field may stand on several lines, which are one list
 * (RFC 9110 5.3); "*" is only a value when it stands alone.
 */
static enum answer any_tag(const struct request *request, enum field_name name,
                           const struct validators *validators, bool strong)
{
    const struct field_section *fields = &request->fields;
    struct span tag = validators->etag;
    enum answer answer = has_field(request, name) ? NO : ABSENT;
    bool single = field_count(fields, name) == 1;

    if (strong && validators->etag_weak)
        tag = SPAN_EMPTY; /* equals no tag; "*" still matches */
    for (unsigned at = fields->first[name]; at != 0; at = fields->fields[at - 1].next) {
        const struct field *field = &fields->fields[at - 1];
        struct span list = span_make(request->head + field->value_at, field->value_len);
        if (!single && span_equal(list, SPAN("*")))
            return MALFORMED;
        switch (etag_list_match(list, tag, validators->exists, strong)) {
        case ETAG_MATCH: answer = YES; break;
        case ETAG_NO_MATCH: break;
        case ETAG_MALFORMED: return MALFORMED;
        }
    }
    return answer;
}

/* Whether the representation was changed after the date of the field. Ignored when there is no
   representation, or not exactly one date (RFC 9110 13.1.3, 13.1.4). */
static enum answer modified_since(const struct request *request, enum field_name name,
                                  const struct validators *validators, int64_t now)
{
    int64_t date;
    if (!validators->exists || field_count(&request->fields, name) != 1 ||
        !date_parse(request_field(request, name), now, &date))
        return ABSENT;
    return validators->last_modified > date ? YES : NO;
}

/* Methods that neither select nor change a representation take no conditions (RFC 9110 13.2.1). */
static bool takes_conditions(enum method method)
{
    return method != METHOD_CONNECT && method != METHOD_OPTIONS && method != METHOD_TRACE;
}

/* Steps 1 and 2 of RFC 9110 13.2.2: is it still the state that the client means? */
static enum precondition check_unchanged(const struct request *request,
                                         const struct validators *validators, int64_t now)
{
    switch (any_tag(request, FIELD_IF_MATCH, validators, true)) {
    case YES: return PRECONDITION_PASS;
    case NO: return PRECONDITION_FAILED;
    case MALFORMED: return PRECONDITION_MALFORMED;
    case ABSENT: break;
    }
    if (modified_since(request, FIELD_IF_UNMODIFIED_SINCE, validators, now) == YES)
        return PRECONDITION_FAILED;
    return PRECONDITION_PASS;
}

/* Steps 3 and 4: is it another state than the client knows? */
static enum precondition check_news(const struct request *request,
                                    const struct validators *validators, int64_t now)
{
    bool reads = request->method == METHOD_GET || request->method == METHOD_HEAD;

    switch (any_tag(request, FIELD_IF_NONE_MATCH, validators, false)) {
    case YES: return reads ? PRECONDITION_NOT_MODIFIED : PRECONDITION_FAILED;
    case NO: return PRECONDITION_PASS;
    case MALFORMED: return PRECONDITION_MALFORMED;
    case ABSENT: break;
    }
    if (reads && modified_since(request, FIELD_IF_MODIFIED_SINCE, validators, now) == NO)
        return PRECONDITION_NOT_MODIFIED;
    return PRECONDITION_PASS;
}

enum precondition precondition_check(const struct request *request,
                                     const struct validators *validators, int64_t now)
{
    if (!has_conditions(request) || !takes_conditions(request->method))
        return PRECONDITION_PASS;
    enum precondition unchanged = check_unchanged(request, validators, now);
    if (unchanged != PRECONDITION_PASS)
        return unchanged;
    return check_news(request, validators, now);
}

bool precondition_range_applies(const struct request *request, const struct validators *validators,
                                int64_t now)
{
    int64_t date;
    struct span value = request_field(request, FIELD_IF_RANGE);

    if (!has_field(request, FIELD_IF_RANGE))
        return true;
    if (!validators->exists || field_count(&request->fields, FIELD_IF_RANGE) != 1)
        return false;
    if (date_parse(value, now, &date))
        return !validators->date_weak && date == validators->last_modified;
    return !validators->etag_weak && etag_equal_strong(value, validators->etag);
}
