#include "net/trust.h"

/* Whether the first `bits` are the same. */
static bool same_prefix(struct span a, struct span b, unsigned bits)
{
    unsigned rest = bits % 8;
    size_t whole = bits / 8;

    if (a.len != b.len || memcmp(a.ptr, b.ptr, whole) != 0)
        return false;
    return rest == 0 ||
           ((unsigned char)a.ptr[whole] ^ (unsigned char)b.ptr[whole]) >> (8 - rest) == 0;
}

/* Bits behind the prefix are a slip of the pen: 10.0.0.1/8 may have been meant as 10.0.0.1. */
static bool is_clear_behind(struct span bytes, unsigned bits)
{
    for (unsigned bit = bits; bit < 8 * bytes.len; bit++)
        if (((unsigned char)bytes.ptr[bit / 8] & 0x80u >> bit % 8) != 0)
            return false;
    return true;
}

bool trust_add(struct trust *trust, const char *text)
{
    char host[ADDRESS_TEXT_LIMIT];
    struct span s = span_of(text);
    size_t slash = span_find(s, '/');
    struct trust_block block;
    uint64_t bits;

    if (span_equal(s, SPAN("unix"))) {
        trust->unix_sockets = true;
        return true;
    }
    if (trust->count == TRUST_LIMIT || slash >= sizeof host || span_equal(s, SPAN("*")))
        return false;
    memcpy(host, text, slash);
    host[slash] = '\0';
    if (!address_parse(&block.base, host, 0))
        return false;
    struct span bytes = address_bytes(&block.base);
    bits = 8 * bytes.len;
    if (slash < s.len && (!span_to_u64(span_from(s, slash + 1), &bits) || bits > 8 * bytes.len))
        return false;
    block.bits = (unsigned)bits;
    if (!is_clear_behind(bytes, block.bits))
        return false;
    trust->blocks[trust->count++] = block;
    return true;
}

bool trust_has(const struct trust *trust, const struct address *address)
{
    struct span host = address_bytes(address);

    if (address->any.sa_family == AF_UNIX)
        return trust->unix_sockets;
    for (unsigned i = 0; i < trust->count; i++)
        if (same_prefix(address_bytes(&trust->blocks[i].base), host, trust->blocks[i].bits))
            return true;
    return false;
}
