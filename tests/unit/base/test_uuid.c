#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hex.h"
#include "base/uuid.h"
#include "unit/guard.h"

/* The examples of RFC 9562: 4, 5.9, 5.10 and appendix A and B. bytes NULL: refused. */
static const struct row {
    struct span text;
    const char *bytes;
    unsigned version;
    const char *why;
} rows[] = {
    {SPAN("f81d4fae-7dec-11d0-a765-00a0c91e6bf6"), "f81d4fae7dec11d0a76500a0c91e6bf6", 1, "4"},
    {SPAN("F81D4FAE-7dEc-11D0-A765-00a0C91E6BF6"), "f81d4fae7dec11d0a76500a0c91e6bf6", 1,
     "4: either case"},
    {SPAN("00000000-0000-0000-0000-000000000000"), "00000000000000000000000000000000", 0, "5.9"},
    {SPAN("FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"), "ffffffffffffffffffffffffffffffff", 0, "5.10"},
    {SPAN("919108f7-52d1-4320-9bac-f847db4148a8"), "919108f752d143209bacf847db4148a8", 4, "A.3"},
    {SPAN("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"), "017f22e279b07cc398c4dc0c0c07398f", 7, "A.6"},
    {SPAN("2489E9AD-2EE2-8E00-8EC9-32D5F69181C0"), "2489e9ad2ee28e008ec932d5f69181c0", 8, "B.1"},
    {SPAN("2489E9AD-2EE2-8E00-CEC9-32D5F69181C0"), "2489e9ad2ee28e00cec932d5f69181c0", 0,
     "another variant"},
    {SPAN("f81d4fae-7dec-11d0-a765-00a0c91e6bf"), NULL, 0, "35"},
    {SPAN("f81d4fae-7dec-11d0-a765-00a0c91e6bf66"), NULL, 0, "37"},
    {SPAN("f81d4fae7dec11d0a76500a0c91e6bf6"), NULL, 0, "no hyphens"},
    {SPAN("f81d4fae-7dec-11d0-a76500-a0c91e6bf6"), NULL, 0, "a hyphen out of place"},
    {SPAN("f81d4fae-7dec-11d0-a765_00a0c91e6bf6"), NULL, 0, "not a hyphen"},
    {SPAN("f81d4fae-7dec-11d0-a765-00a0c91e6bfg"), NULL, 0, "not a digit"},
    {SPAN("f81d4fae-7dec-11d0-a765-00a0c91e6b\0f"), NULL, 0, "a NUL"},
    {SPAN("{81d4fae-7dec-11d0-a765-00a0c91e6bf}"), NULL, 0, "braces"},
    {SPAN(""), NULL, 0, "nothing"},
};

static void every_row_and_its_prefixes(void **state)
{
    struct guard guard = guard_open(64);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        for (size_t len = 0; len <= row->text.len; len++) {
            struct uuid id = {{0xEE}}, expected;
            bool ok = uuid_parse(span_make(guard_flush(&guard, row->text.ptr, len), len), &id);
            if (ok != (len == UUID_TEXT_LEN && (row->bytes != NULL || len < row->text.len)))
                fail_msg("%s, %zu bytes of it", row->why, len);
            if (!ok) {
                assert_int_equal(id.bytes[0], 0xEE);
            } else if (row->bytes != NULL) {
                assert_true(hex_decode(span_of(row->bytes), expected.bytes, UUID_LEN));
                assert_memory_equal(id.bytes, expected.bytes, UUID_LEN);
                assert_int_equal(uuid_version(&id), row->version);
            }
        }
    }
    guard_close(&guard);
}

static void written_in_lower_case(void **state)
{
    struct uuid id;
    char text[UUID_TEXT_LEN];
    (void)state;
    assert_true(uuid_parse(SPAN("2489E9AD-2EE2-8E00-8EC9-32D5F69181C0"), &id));
    uuid_format(&id, text);
    assert_memory_equal(text, "2489e9ad-2ee2-8e00-8ec9-32d5f69181c0", UUID_TEXT_LEN);
}

/* The version takes its six bits and no other. */
static void setting_the_version(void **state)
{
    (void)state;
    for (int ones = 0; ones < 2; ones++) {
        struct uuid id, other;
        memset(id.bytes, ones ? 0xFF : 0, UUID_LEN);
        other = id;
        uuid_set_version(&id, 8);
        assert_int_equal(uuid_version(&id), 8);
        other.bytes[6] = ones ? 0x8F : 0x80;
        other.bytes[8] = ones ? 0xBF : 0x80;
        assert_memory_equal(id.bytes, other.bytes, UUID_LEN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_and_its_prefixes),
        cmocka_unit_test(written_in_lower_case),
        cmocka_unit_test(setting_the_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
