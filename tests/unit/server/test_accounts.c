#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/accounts.h"

#include <stdlib.h>

/* Made with hashlib.pbkdf2_hmac of Python: "secret" and "contraseña". */
#define SECRET                                                                                     \
    "pbkdf2-sha256$1000$MDEyMzQ1Njc4OWFiY2RlZg==$tiKWHy4FAGCWE8gn6GtKhaxD2OeeAUUWXFT/p1aaNl8="
#define OTHER                                                                                      \
    "pbkdf2-sha256$2000$ZmVkY2JhOTg3NjU0MzIxMA==$ytbIk/23hy6qoBmxfw+LxXm++0xX1bze96pElN7mqas="

#define X16 "xxxxxxxxxxxxxxxx"

/* In memory of just its size, so that a look past the end is seen. */
static bool parse(struct accounts *accounts, const char *text, struct accounts_fault *fault)
{
    size_t len = strlen(text);
    char *copy = malloc(len > 0 ? len : 1);

    assert_non_null(copy);
    memcpy(copy, text, len);
    return accounts_parse(accounts, copy, len, fault);
}

static const struct {
    const char *text;
    unsigned count, grants;
    const char *why;
} good[] = {
    {"", 0, 0, "an empty file lets nobody in"},
    {"# a\n\n   \n", 0, 0, "comments and empty lines"},
    {"ana:" SECRET, 1, 1, "the last line may lack its end"},
    {"ana:" SECRET "\r\n", 1, 1, "a file from an editor of Windows"},
    {"ana:" SECRET "\nbob:" OTHER ":/bob\n", 2, 2, "two users"},
    {"bob:" OTHER ":/bob\nbob:" OTHER ":/x:r\n", 1, 2, "the hash repeated"},
    {"bob:" OTHER ":/bob\nbob::/x:r\n", 1, 2, "the hash left out"},
    {X16 X16 X16 X16 ":" SECRET "\n", 1, 1, "the longest name"},
    {"Jos\xC3\xA9 P:" SECRET "\n", 1, 1, "a name with a space and a letter that is not ASCII"},
    {"a:" SECRET ":/b c/\xC3\xB1\n", 1, 1, "a path with the same"},
    {"a:" SECRET ":/...\n", 1, 1, "three dots are a name"},
};

static const struct {
    const char *text;
    unsigned line;
    const char *why;
} bad[] = {
    {"ana", 1, "no hash"},
    {"# x\n\nana\n", 3, "lines are counted as an editor does"},
    {":" SECRET "\n", 1, "no name"},
    {X16 X16 X16 X16 "x:" SECRET "\n", 1, "a name that is too long"},
    {" ana:" SECRET "\n", 1, "a space before the name"},
    {"a~b:" SECRET "\n", 1, "what divides a Bearer token"},
    {"a\tb:" SECRET "\n", 1, "a control character"},
    {"a\xFF:" SECRET "\n", 1, "not UTF-8"},
    {"ana:\n", 1, "an empty hash"},
    {"ana:secret\n", 1, "a password in the clear"},
    {"ana:$2y$10$abcdefghijklmnopqrstuv\n", 1, "a hash of another kind"},
    {"ana:pbkdf2-sha256\n", 1, "cut off after the scheme"},
    {"ana:pbkdf2-sha256$1000\n", 1, "after the iterations"},
    {"ana:pbkdf2-sha256$1000$MDEyMzQ1Njc4OWFiY2RlZg==\n", 1, "after the salt"},
    {"ana:pbkdf2-sha256$1000$MDEyMzQ1Njc4OWFiY2RlZg==$tiKWHy4F\n", 1, "in the hash"},
    {"ana:pbkdf2-sha256$1000$$tiKWHy4FAGCWE8gn6GtKhaxD2OeeAUUWXFT/p1aaNl8=\n", 1, "no salt"},
    {"ana:pbkdf2-sha256$999$MDEyMzQ1Njc4OWFiY2RlZg==$tiKWHy4FAGCWE8gn6GtKhaxD2OeeAUUWXFT/"
     "p1aaNl8=\n",
     1, "too cheap"},
    {"ana:pbkdf2-sha256$10000001$MDEyMzQ1Njc4OWFiY2RlZg==$tiKWHy4FAGCWE8gn6GtKhaxD2OeeAUUWXFT/"
     "p1aaNl8=\n",
     1, "too dear"},
    {"ana:" SECRET "=\n", 1, "something behind the hash"},
    {"ana:" SECRET "\nana:" OTHER "\n", 2, "two passwords for a user"},
    {"ana::/x\n", 1, "the hash left out on the first line"},
    {"ana:" SECRET ":x\n", 1, "a path without its slash"},
    {"ana:" SECRET ":\n", 1, "an empty path"},
    {"ana:" SECRET ":/a//b\n", 1, "an empty name in it"},
    {"ana:" SECRET ":/a/../b\n", 1, "a path that climbs"},
    {"ana:" SECRET ":/./b\n", 1, "or stays"},
    {"ana:" SECRET ":/x:w\n", 1, "neither r nor rw"},
    {"ana:" SECRET ":/x:\n", 1, "nor nothing"},
    {"ana:" SECRET ":/x:rw:\n", 1, "a field too many"},
};

static void test_files(void **state)
{
    struct accounts accounts;
    struct accounts_fault fault;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (!parse(&accounts, good[i].text, &fault))
            fail_msg("%s: line %u %s", good[i].why, fault.line, fault.what);
        assert_int_equal(accounts.count, good[i].count);
        assert_int_equal(accounts.grant_count, good[i].grants);
        accounts_free(&accounts);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (parse(&accounts, bad[i].text, &fault))
            fail_msg("taken: %s", bad[i].why);
        assert_int_equal(fault.line, bad[i].line);
        assert_non_null(fault.what);
        assert_null(accounts.text);
    }
}

/* A file that is still being written is either refused or lets in nobody whom the whole would not.
 */
static void test_every_prefix(void **state)
{
    static const char text[] = "ana:" SECRET ":/ab:r\nbob:" OTHER ":/bob\nbob::/shared:r\n";
    char part[sizeof text];

    (void)state;
    for (size_t len = 0; len < sizeof text - 1; len++) {
        struct accounts accounts;
        struct accounts_fault fault;
        memcpy(part, text, len);
        part[len] = '\0';
        if (parse(&accounts, part, &fault))
            assert_in_range(accounts.count, 0, 2);
        accounts_free(&accounts);
    }
}

static void test_passwords(void **state)
{
    static const struct {
        const char *user, *password;
        bool right;
        const char *why;
    } rows[] = {
        {"ana", "secret", true, "as another program made it"},
        {"bob",
         "contrase\xC3\xB1"
         "a",
         true, "UTF-8 (RFC 7617 2.1)"},
        {"ana", "Secret", false, "case matters"},
        {"ana", "secret ", false, "so do spaces"},
        {"ana", "secre", false, "not a part of it"},
        {"ana", "", false, "nor nothing"},
        {"bob", "secret", false, "that of another user"},
        {"ANA", "secret", false, "case matters in names too"},
        {"", "", false, "nobody"},
    };
    struct accounts accounts;
    struct accounts_fault fault;

    (void)state;
    assert_true(parse(&accounts, "ana:" SECRET "\nbob:" OTHER "\n", &fault));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct account *account = accounts_find(&accounts, span_of(rows[i].user));
        if (accounts_verify(&accounts, account, span_of(rows[i].password)) != rows[i].right)
            fail_msg("%s %s: %s", rows[i].user, rows[i].password, rows[i].why);
    }
    accounts_free(&accounts);
}

static void test_paths(void **state)
{
    static const struct {
        const char *user, *path;
        bool reads, writes;
        const char *why;
    } rows[] = {
        {"all", "", true, true, "the root"},
        {"all", "a/b", true, true, "no path is everywhere"},
        {"top", "a/b", true, true, "nor is / less"},
        {"bob", "bob", true, true, "the directory itself"},
        {"bob", "bob/a/b", true, true, "what is in it"},
        {"bob", "bobby", false, false, "a name that begins alike"},
        {"bob", "Bob", false, false, "another name"},
        {"bob", "", false, false, "what is above"},
        {"bob", "x/bob", false, false, "the same name elsewhere"},
        {"bob", "shared", true, false, "only reading"},
        {"bob", "shared/a", true, false, "below too"},
        {"bob", "shared/in/x", true, true, "what one line grants no other takes away"},
        {"eva", "bob", false, false, "the lines of others"},
        {"eva", "a b/c/d", true, true, "two names, a slash at the end"},
        {"eva", "a b/cc", false, false, "whole names in the second too"},
    };
    struct accounts accounts;
    struct accounts_fault fault;

    (void)state;
    assert_true(parse(&accounts,
                      "all:" SECRET "\ntop:" SECRET ":/\nbob:" SECRET ":/bob\nbob::/shared:r\n"
                      "eva:" SECRET ":/a b/c/:rw\nbob::/shared/in\n",
                      &fault));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct account *account = accounts_find(&accounts, span_of(rows[i].user));
        struct span path = span_of(rows[i].path);
        assert_non_null(account);
        if (accounts_permit(&accounts, account, path, false) != rows[i].reads ||
            accounts_permit(&accounts, account, path, true) != rows[i].writes)
            fail_msg("%s /%s: %s", rows[i].user, rows[i].path, rows[i].why);
    }
    accounts_free(&accounts);
}

static void test_made_line(void **state)
{
    char bytes[256], small[60];
    struct buffer line = BUFFER_OVER(bytes), cut = BUFFER_OVER(small);

    (void)state;
    account_put(&line, SPAN("ana"), SPAN("secret"), SPAN("0123456789abcdef"), 1000);
    assert_true(span_equal(buffer_span(&line), SPAN("ana:" SECRET)));
    account_put(&cut, SPAN("ana"), SPAN("secret"), SPAN("0123456789abcdef"), 1000);
    assert_true(cut.overflowed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),     cmocka_unit_test(test_every_prefix),
        cmocka_unit_test(test_passwords), cmocka_unit_test(test_paths),
        cmocka_unit_test(test_made_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
