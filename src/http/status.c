#include "http/status.h"

struct span status_reason(enum status status)
{
    switch (status) {
#define REASON(name, code, reason, sentence)                                                       \
    case STATUS_##name: return SPAN(reason);
        STATUS_TABLE(REASON)
#undef REASON
    case STATUS_NONE: break;
    }
    return SPAN("");
}

struct span status_line(enum status status)
{
    switch (status) {
#define LINE(name, code, reason, sentence)                                                         \
    case STATUS_##name: return SPAN("HTTP/1.1 " #code " " reason "\r\n");
        STATUS_TABLE(LINE)
#undef LINE
    case STATUS_NONE: break;
    }
    return SPAN("");
}

struct span status_sentence(enum status status)
{
    switch (status) {
#define SENTENCE(name, code, reason, sentence)                                                     \
    case STATUS_##name: return SPAN(sentence);
        STATUS_TABLE(SENTENCE)
#undef SENTENCE
    case STATUS_NONE: break;
    }
    return SPAN("");
}

bool status_forbids_content(enum status status)
{
    return (status >= 100 && status < 200) || status == STATUS_NO_CONTENT ||
           status == STATUS_NOT_MODIFIED;
}
