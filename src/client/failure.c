#include "client/failure.h"

#include <stdarg.h>
#include <stdio.h>

bool failure_set(struct failure *failure, enum failure_kind kind, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    failure->kind = kind;
    /* A text that is too long is cut: it is for reading. */
    vsnprintf(failure->text, sizeof failure->text, format, args);
    va_end(args);
    return false;
}
