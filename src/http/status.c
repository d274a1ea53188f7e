#include "http/status.h"

struct words {
    struct span reason, sentence;
};

static struct words words_of(enum status status)
{
    switch (status) {
#define WORDS(name, code, reason, sentence)                                                        \
    case STATUS_##name: return (struct words){SPAN(reason), SPAN(sentence)};
        STATUS_TABLE(WORDS)
#undef WORDS
    case STATUS_NONE: break;
    }
    return (struct words){SPAN(""), SPAN("")};
}

struct span status_reason(enum status status)
{
    return words_of(status).reason;
}

struct span status_sentence(enum status status)
{
    return words_of(status).sentence;
}

bool status_forbids_content(enum status status)
{
    return (status >= 100 && status < 200) || status == STATUS_NO_CONTENT ||
           status == STATUS_NOT_MODIFIED;
}
