#include "base/base64.h"

static const char alphabet[65] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_encode(char *out, const void *data, size_t len)
{
    const uint8_t *in = data;
    char *at = out;

    for (; len >= 3; len -= 3, in += 3, at += 4) {
        uint32_t bits = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
        at[0] = alphabet[bits >> 18];
        at[1] = alphabet[bits >> 12 & 63];
        at[2] = alphabet[bits >> 6 & 63];
        at[3] = alphabet[bits & 63];
    }
    if (len > 0) {
        uint32_t bits = (uint32_t)in[0] << 16 | (len == 2 ? (uint32_t)in[1] << 8 : 0);
        at[0] = alphabet[bits >> 18];
        at[1] = alphabet[bits >> 12 & 63];
        at[2] = len == 2 ? alphabet[bits >> 6 & 63] : '=';
        at[3] = '=';
        at += 4;
    }
    return (size_t)(at - out);
}

enum { NOT_A_DIGIT = 64 };

/* Worth of a character, or NOT_A_DIGIT. Not a table: the text decoded here is short. */
static uint32_t digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (uint32_t)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (uint32_t)(c - 'a') + 26;
    if (c >= '0' && c <= '9')
        return (uint32_t)(c - '0') + 52;
    return c == '+' ? 62 : c == '/' ? 63 : NOT_A_DIGIT;
}

/* Four characters as 24 bits, `padding` of them known to be '='. */
static bool decode_four(const char *text, size_t padding, uint32_t *bits)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < 4; i++) {
        uint32_t value = i < 4 - padding ? digit(text[i]) : 0;
        if (value == NOT_A_DIGIT)
            return false;
        sum = sum << 6 | value;
    }
    *bits = sum;
    return (sum & ((1U << 8 * padding) - 1)) == 0;
}

bool base64_decode(struct span text, void *out, size_t cap, size_t *len)
{
    uint8_t *to = out;
    size_t padding = 0;

    if (text.len % 4 != 0)
        return false;
    while (padding < 2 && text.len > 0 && text.ptr[text.len - 1 - padding] == '=')
        padding++;
    size_t total = base64_decoded_max(text.len) - padding;
    if (total > cap)
        return false;
    for (size_t at = 0; at < text.len; at += 4) {
        uint32_t bits;
        size_t missing = at + 4 == text.len ? padding : 0;
        if (!decode_four(text.ptr + at, missing, &bits))
            return false;
        for (size_t i = 0; i < 3 - missing; i++)
            *to++ = (uint8_t)(bits >> (16 - 8 * i));
    }
    *len = total;
    return true;
}
