#include "hftp/code.h"

struct span hftp_code_text(enum hftp_code code)
{
    switch (code) {
    case HFTP_OK: return SPAN("OK");
    case HFTP_BAD_EOL: return SPAN("BAD EOL");
    case HFTP_BAD_REQUEST: return SPAN("BAD REQUEST");
    case HFTP_INTERNAL_ERROR: return SPAN("INTERNAL SERVER ERROR");
    case HFTP_NO_SUCH_COMMAND: return SPAN("NO SUCH COMMAND");
    case HFTP_INVALID_ARGUMENTS: return SPAN("INVALID ARGUMENTS FOR COMMAND");
    case HFTP_FILE_NOT_FOUND: return SPAN("FILE NOT FOUND");
    case HFTP_OFFSET_EXCEEDS_SIZE: return SPAN("OFFSET EXCEEDS FILE SIZE");
    }
    return SPAN_EMPTY;
}

void hftp_code_put(struct buffer *out, enum hftp_code code)
{
    buffer_put_u64(out, (uint64_t)code);
    buffer_put_char(out, ' ');
    buffer_put_span(out, hftp_code_text(code));
    buffer_put_text(out, "\r\n");
}
