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
        at[2] = (char)(len == 2 ? alphabet[bits >> 6 & 63] : '=');
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

/* Decodes digits without padding; the last four may be 2 for one byte or 3 for two, never 1. */
static bool decode(struct span digits, bool bits_may_stay, uint8_t *out)
{
    uint32_t bits = 0;
    size_t left = digits.len % 4;

    for (size_t i = 0; i < digits.len; i++) {
        uint32_t value = digit(digits.ptr[i]);
        if (value == NOT_A_DIGIT)
            return false;
        bits = bits << 6 | value;
        if (i % 4 == 3) {
            *out++ = (uint8_t)(bits >> 16);
            *out++ = (uint8_t)(bits >> 8);
            *out++ = (uint8_t)bits;
        }
    }
    if (left == 0)
        return true;
    bits <<= 6 * (4 - left);
    *out++ = (uint8_t)(bits >> 16);
    if (left == 3)
        *out = (uint8_t)(bits >> 8);
    return bits_may_stay || (bits & (left == 3 ? 0xFFU : 0xFFFFU)) == 0;
}

/* text without its padding; false when that is not as long as it has to be. */
static bool cut_padding(struct span *text)
{
    size_t padding = 0;
    if (text->len % 4 != 0)
        return false;
    while (padding < 2 && padding < text->len && text->ptr[text->len - 1 - padding] == '=')
        padding++;
    text->len -= padding;
    return true;
}

static bool decode_bounded(struct span digits, bool bits_may_stay, void *out, size_t cap,
                           size_t *len)
{
    size_t total = base64_decoded_max(digits.len);
    if (digits.len % 4 == 1 || total > cap || !decode(digits, bits_may_stay, out))
        return false;
    *len = total;
    return true;
}

bool base64_decode(struct span text, void *out, size_t cap, size_t *len)
{
    return cut_padding(&text) && decode_bounded(text, false, out, cap, len);
}

bool base64_decode_loose(struct span text, void *out, size_t cap, size_t *len)
{
    /* A '=' that is not proper padding stays and is no digit. */
    cut_padding(&text);
    return decode_bounded(text, true, out, cap, len);
}
