#include "http/status.h"

struct words {
    struct span reason, line, sentence;
};

/* Where they stand, and not a copy: a line is asked for with every answer. */
static const struct words *words_of(enum status status)
{
    static const struct words none = {{"", 0}, {"", 0}, {"", 0}};

    switch (status) {
#define TEXT(text) {"" text, sizeof(text) - 1}
#define WORDS(name, code, reason, sentence)                                                        \
    case STATUS_##name: {                                                                          \
        static const struct words words = {                                                        \
            TEXT(reason), TEXT("HTTP/1.1 " #code " " reason "\r\n"), TEXT(sentence)};              \
        return &words;                                                                             \
    }
        STATUS_TABLE(WORDS)
#undef WORDS
#undef TEXT
    case STATUS_NONE: break;
    }
    return &none;
}

struct span status_reason(enum status status)
{
    return words_of(status)->reason;
}

struct span status_line(enum status status)
{
    return words_of(status)->line;
}

struct span status_sentence(enum status status)
{
    return words_of(status)->sentence;
}

bool status_forbids_content(enum status status)
{
    return (status >= 100 && status < 200) || status == STATUS_NO_CONTENT ||
           status == STATUS_NOT_MODIFIED;
}
