#ifndef SERVER_EMBED_H
#define SERVER_EMBED_H

#include "base/span.h"

// NOLINTBEGIN(bugprone-macro-parentheses): a name that is declared takes none
/*
 * Makes a file part of the program: `symbol` and symbol##_end are its bytes, with a NUL behind
 * them. The assembler reads the file, whose path is that from the top of the tree, where make runs.
 * C17 has no word for it.
 */
#define EMBED(symbol, path)                                                                        \
    __asm__(".pushsection .rodata\n"                                                               \
            ".global " #symbol ", " #symbol "_end\n"                                               \
            ".hidden " #symbol ", " #symbol "_end\n" #symbol ":\n"                                 \
            ".incbin \"" path "\"\n" #symbol "_end:\n"                                             \
            ".byte 0\n"                                                                            \
            ".popsection\n");                                                                      \
    extern const char symbol[], symbol##_end[]
// NOLINTEND(bugprone-macro-parentheses)

/* The bytes of a file from symbol to symbol_end. */
static inline struct span embedded(const char *begin, const char *end)
{
    return (struct span){begin, (size_t)(end - begin)};
}

#endif
