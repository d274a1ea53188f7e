#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hftp/command.h"
#include "unit/guard.h"

#define DIGITS                                                                                     \
    "1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901"  \
    "2345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012"  \
    "3456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123"  \
    "4567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234"  \
    "567890123456789012345678901234567890"

static const struct row {
    const char *input;
    size_t input_len; /* 0: up to the NUL */
    enum hftp_code code;
    enum hftp_verb verb; /* and what follows, when the code is HFTP_OK */
    const char *name;
    uint64_t offset, size;
    bool raw;
    const char *rest; /* what stands behind the line */
    const char *why;
} rows[] = {
    {"get_file_listing\r\n", 0, HFTP_OK, HFTP_GET_FILE_LISTING, "", 0, 0, false, "", "no argument"},
    {"help\r\nquit\r\n", 0, HFTP_OK, HFTP_HELP, "", 0, 0, false, "quit\r\n", "two commands"},
    {"quit\r\n", 0, HFTP_OK, HFTP_QUIT, "", 0, 0, false, "", "no argument"},
    {"get_metadata archivo.txt\r\n", 0, HFTP_OK, HFTP_GET_METADATA, "archivo.txt", 0, 0, false, "",
     "a name"},
    {"get_metadata azAZ09.-_\r\n", 0, HFTP_OK, HFTP_GET_METADATA, "azAZ09.-_", 0, 0, false, "",
     "every kind of byte that a name may have"},
    {"get_slice archivo.txt 5 20\r\n", 0, HFTP_OK, HFTP_GET_SLICE, "archivo.txt", 5, 20, false, "",
     "a slice"},
    {"get_slice a 0 0 raw\r\n", 0, HFTP_OK, HFTP_GET_SLICE, "a", 0, 0, true, "", "raw"},
    {"get_slice a 007 0\r\n", 0, HFTP_OK, HFTP_GET_SLICE, "a", 7, 0, false, "", "leading zeros"},
    {"get_slice a 18446744073709551614 18446744073709551615\r\n", 0, HFTP_OK, HFTP_GET_SLICE, "a",
     UINT64_MAX - 1, UINT64_MAX, false, "", "the largest numbers"},
    {"get_slice a 18446744073709551616 99999999999999999999\r\n", 0, HFTP_OK, HFTP_GET_SLICE, "a",
     UINT64_MAX, UINT64_MAX, false, "", "2^64 and more"},
    {"get_slice a " DIGITS " " DIGITS " raw\r\n", 0, HFTP_OK, HFTP_GET_SLICE, "a", UINT64_MAX,
     UINT64_MAX, true, "", "any count of digits, and raw past what is kept"},

    {"\n", 0, HFTP_BAD_EOL, 0, "", 0, 0, false, "", "LF alone"},
    {"quit\n", 0, HFTP_BAD_EOL, 0, "", 0, 0, false, "", "LF without CR"},
    {"qui\nt\n", 0, HFTP_BAD_EOL, 0, "", 0, 0, false, "t\n", "LF within a word"},
    {"quit\r \n", 0, HFTP_BAD_EOL, 0, "", 0, 0, false, "", "CR is not the byte before LF"},
    {"\n\r\n", 0, HFTP_BAD_EOL, 0, "", 0, 0, false, "\r\n", "LF, then an empty line"},

    {"\r\n", 0, HFTP_BAD_REQUEST, 0, "", 0, 0, false, "", "an empty line"},
    {"qu\x80t\r\n", 0, HFTP_BAD_REQUEST, 0, "", 0, 0, false, "t\r\n", "not ASCII"},
    {"get_metadata \xc3\xb1\r\n", 0, HFTP_BAD_REQUEST, 0, "", 0, 0, false, "\xb1\r\n",
     "not ASCII in an argument"},
    {"\r\xff", 0, HFTP_BAD_REQUEST, 0, "", 0, 0, false, "", "not ASCII after CR"},

    {"verdura\r\n", 0, HFTP_NO_SUCH_COMMAND, 0, "", 0, 0, false, "", "unknown"},
    {"QUIT\r\n", 0, HFTP_NO_SUCH_COMMAND, 0, "", 0, 0, false, "", "case matters"},
    {"qui\r\n", 0, HFTP_NO_SUCH_COMMAND, 0, "", 0, 0, false, "", "the start of one"},
    {"quitt\r\n", 0, HFTP_NO_SUCH_COMMAND, 0, "", 0, 0, false, "", "one and more"},
    {" quit\r\n", 0, HFTP_NO_SUCH_COMMAND, 0, "", 0, 0, false, "", "the first word is empty"},
    {"\tquit\r\n", 0, HFTP_NO_SUCH_COMMAND, 0, "", 0, 0, false, "", "a tab is no space"},
    {"\rquit\r\n", 0, HFTP_NO_SUCH_COMMAND, 0, "", 0, 0, false, "", "CR alone is a byte like any"},
    {"quit\r\r\n", 0, HFTP_NO_SUCH_COMMAND, 0, "", 0, 0, false, "", "CR before CRLF as well"},
    {"quit\0\r\n", 7, HFTP_NO_SUCH_COMMAND, 0, "", 0, 0, false, "", "NUL as well"},
    {"verdura a\xb\r\n", 0, HFTP_NO_SUCH_COMMAND, 0, "", 0, 0, false, "", "whatever its arguments"},
    {" \r\n", 0, HFTP_NO_SUCH_COMMAND, 0, "", 0, 0, false, "", "two empty words"},

    {"quit passing extra arguments!\r\n", 0, HFTP_INVALID_ARGUMENTS, 0, "", 0, 0, false, "",
     "too many"},
    {"quit \r\n", 0, HFTP_INVALID_ARGUMENTS, 0, "", 0, 0, false, "", "an empty one too many"},
    {"help  \r\n", 0, HFTP_INVALID_ARGUMENTS, 0, "", 0, 0, false, "", "two of them"},
    {"get_file_listing x\r\n", 0, HFTP_INVALID_ARGUMENTS, 0, "", 0, 0, false, "", "too many"},
    {"get_metadata\r\n", 0, HFTP_INVALID_ARGUMENTS, 0, "", 0, 0, false, "", "too few"},
    {"get_metadata \r\n", 0, HFTP_INVALID_ARGUMENTS, 0, "", 0, 0, false, "", "an empty name"},
    {"get_metadata  a\r\n", 0, HFTP_INVALID_ARGUMENTS, 0, "", 0, 0, false, "", "two spaces"},
    {"get_metadata a b\r\n", 0, HFTP_INVALID_ARGUMENTS, 0, "", 0, 0, false, "", "two names"},
    {"get_metadata ../a\r\n", 0, HFTP_INVALID_ARGUMENTS, 0, "", 0, 0, false, "", "a slash"},
    {"get_metadata a\0\r\n", 17, HFTP_INVALID_ARGUMENTS, 0, "", 0, 0, false, "", "NUL in a name"},
    {"get_metadata a\r\r\n", 0, HFTP_INVALID_ARGUMENTS, 0, "", 0, 0, false, "", "CR in a name"},
    {"get_slice a 1\r\n", 0, HFTP_INVALID_ARGUMENTS, 0, "", 0, 0, false, "", "too few"},
    {"get_slice a 1 \r\n", 0, HFTP_INVALID_ARGUMENTS, 0, "", 0, 0, false, "", "an empty size"},
    {"get_slice a  1\r\n", 0, HFTP_INVALID_ARGUMENTS, 0, "", 0, 0, false, "", "an empty offset"},
    {"get_slice a -1 1\r\n", 0, HFTP_INVALID_ARGUMENTS, 0, "", 0, 0, false, "", "a sign"},
    {"get_slice a +1 1\r\n", 0, HFTP_INVALID_ARGUMENTS, 0, "", 0, 0, false, "", "a sign"},
    {"get_slice a 0x1 1\r\n", 0, HFTP_INVALID_ARGUMENTS, 0, "", 0, 0, false, "", "not decimal"},
    {"get_slice a 1 1.0\r\n", 0, HFTP_INVALID_ARGUMENTS, 0, "", 0, 0, false, "", "not whole"},
    {"get_slice a 1 1 rawx\r\n", 0, HFTP_INVALID_ARGUMENTS, 0, "", 0, 0, false, "", "not raw"},
    {"get_slice a 1 1 ra\r\n", 0, HFTP_INVALID_ARGUMENTS, 0, "", 0, 0, false, "", "not raw"},
    {"get_slice a 1 1 RAW\r\n", 0, HFTP_INVALID_ARGUMENTS, 0, "", 0, 0, false, "", "case matters"},
    {"get_slice a 1 1 \r\n", 0, HFTP_INVALID_ARGUMENTS, 0, "", 0, 0, false, "", "an empty word"},
    {"get_slice a 1 1 raw raw\r\n", 0, HFTP_INVALID_ARGUMENTS, 0, "", 0, 0, false, "", "too many"},
};

enum { ROWS = sizeof rows / sizeof *rows };

static size_t length_of(const struct row *row)
{
    return row->input_len > 0 ? row->input_len : strlen(row->input);
}

static void check(const struct row *row, const struct hftp_command *command, struct span rest)
{
    if (command->code != row->code || !span_equal(rest, span_of(row->rest)))
        fail_msg("%s: code %d, %zu bytes left", row->why, (int)command->code, rest.len);
    if (row->code != HFTP_OK)
        return;
    if (command->verb != row->verb || command->offset != row->offset ||
        command->size != row->size || command->raw != row->raw ||
        !span_equal(hftp_command_name(command), span_of(row->name)))
        fail_msg("%s: understood otherwise", row->why);
}

static void test_rows_whole(void **state)
{
    struct guard guard = guard_open(4096);
    struct hftp_command command;

    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        size_t len = length_of(&rows[i]);
        struct span input = span_make(guard_flush(&guard, rows[i].input, len), len);
        hftp_command_begin(&command);
        assert_true(hftp_command_take(&command, &input));
        check(&rows[i], &command, input);
    }
    guard_close(&guard);
}

/* No beginning of a line is a whole one. */
static void test_rows_as_prefixes(void **state)
{
    struct guard guard = guard_open(4096);
    struct hftp_command command;

    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        size_t line = length_of(&rows[i]) - strlen(rows[i].rest);
        for (size_t len = 0; len < line; len++) {
            struct span input = span_make(guard_flush(&guard, rows[i].input, len), len);
            hftp_command_begin(&command);
            if (hftp_command_take(&command, &input) || input.len != 0)
                fail_msg("%s: done after %zu bytes", rows[i].why, len);
        }
    }
    guard_close(&guard);
}

static void test_rows_split(void **state)
{
    struct guard guard = guard_open(4096);
    struct hftp_command command;

    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        size_t len = length_of(&rows[i]);
        size_t line = len - strlen(rows[i].rest);
        for (size_t split = 0; split < line; split++) {
            struct span input = span_make(guard_flush(&guard, rows[i].input, split), split);
            hftp_command_begin(&command);
            assert_false(hftp_command_take(&command, &input));
            input = span_make(guard_flush(&guard, rows[i].input + split, len - split), len - split);
            assert_true(hftp_command_take(&command, &input));
            check(&rows[i], &command, input);
        }
    }
    guard_close(&guard);
}

static void test_rows_bytewise(void **state)
{
    struct guard guard = guard_open(1);
    struct hftp_command command;

    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        size_t line = length_of(&rows[i]) - strlen(rows[i].rest);
        hftp_command_begin(&command);
        for (size_t at = 0; at < line; at++) {
            struct span input = span_make(guard_flush(&guard, rows[i].input + at, 1), 1);
            assert_int_equal(hftp_command_take(&command, &input), at == line - 1);
        }
        check(&rows[i], &command, span_of(rows[i].rest));
    }
    guard_close(&guard);
}

/* Gives `len` times the byte to the command; whether that ended it. */
static bool give(struct hftp_command *command, char byte, size_t len)
{
    char piece[4096];

    memset(piece, byte, sizeof piece);
    while (len > 0) {
        struct span input = span_make(piece, len < sizeof piece ? len : sizeof piece);
        len -= input.len;
        if (hftp_command_take(command, &input))
            return true;
    }
    return false;
}

static void test_long_names(void **state)
{
    static const struct {
        size_t len;
        enum hftp_code code;
        const char *why;
    } names[] = {
        {HFTP_NAME_MAX, HFTP_OK, "the longest that a file can have"},
        {HFTP_NAME_MAX + 1, HFTP_OK, "one more"},
        {5 << 20, HFTP_OK, "five megabytes"},
        {HFTP_LINE_LIMIT - 13, HFTP_OK, "the longest line"},
        {HFTP_LINE_LIMIT - 12, HFTP_BAD_REQUEST, "one byte too long"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct hftp_command command;
        struct span verb = SPAN("get_metadata "), end = SPAN("\r\n");

        hftp_command_begin(&command);
        assert_false(hftp_command_take(&command, &verb));
        bool whole = give(&command, 'x', names[i].len);
        if (!whole)
            assert_true(hftp_command_take(&command, &end));
        if (whole != (names[i].code != HFTP_OK) || command.code != names[i].code)
            fail_msg("%s: code %d", names[i].why, (int)command.code);
        if (names[i].code == HFTP_OK)
            assert_int_equal(command.name_len, names[i].len);
    }
}

/* What is kept of a long line is its beginning. */
static void test_kept(void **state)
{
    struct hftp_command command;
    struct span start = SPAN("get_metadata abc"), end = SPAN("\r\n");

    (void)state;
    hftp_command_begin(&command);
    assert_false(hftp_command_take(&command, &start));
    assert_false(give(&command, 'd', 10000));
    assert_true(hftp_command_take(&command, &end));
    assert_int_equal(command.len, 16 + 10000);
    assert_memory_equal(command.line, "get_metadata abcddd", 19);
    assert_int_equal(command.line[HFTP_LINE_KEPT - 1], 'd');
}

static void test_code_lines(void **state)
{
    static const struct {
        enum hftp_code code;
        const char *line;
        bool fatal;
    } lines[] = {
        {HFTP_OK, "0 OK\r\n", false},
        {HFTP_BAD_EOL, "100 BAD EOL\r\n", true},
        {HFTP_BAD_REQUEST, "101 BAD REQUEST\r\n", true},
        {HFTP_INTERNAL_ERROR, "199 INTERNAL SERVER ERROR\r\n", true},
        {HFTP_NO_SUCH_COMMAND, "200 NO SUCH COMMAND\r\n", false},
        {HFTP_INVALID_ARGUMENTS, "201 INVALID ARGUMENTS FOR COMMAND\r\n", false},
        {HFTP_FILE_NOT_FOUND, "202 FILE NOT FOUND\r\n", false},
        {HFTP_OFFSET_EXCEEDS_SIZE, "203 OFFSET EXCEEDS FILE SIZE\r\n", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char bytes[64];
        struct buffer out = BUFFER_OVER(bytes);
        hftp_code_put(&out, lines[i].code);
        assert_true(span_equal(buffer_span(&out), span_of(lines[i].line)));
        assert_int_equal(hftp_code_is_fatal(lines[i].code), lines[i].fatal);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_whole), cmocka_unit_test(test_rows_as_prefixes),
        cmocka_unit_test(test_rows_split), cmocka_unit_test(test_rows_bytewise),
        cmocka_unit_test(test_long_names), cmocka_unit_test(test_kept),
        cmocka_unit_test(test_code_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
