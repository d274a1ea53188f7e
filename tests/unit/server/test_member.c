#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/member.h"

#include "unit/fs/tree.h"

#include <stdio.h>
#include <stdlib.h>

#define X50  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X250 X50 X50 X50 X50 X50

static const struct {
    const char *slug, *type, *name, *why;
} slugs[] = {
    {"The Beach at S%C3%A8te", "image/png", "The Beach at S\xC3\xA8te.png", "RFC 5023 9.7.1"},
    {"beach.png", "image/png", "beach.png", "it leads to its type already"},
    {"beach.PNG", "image/png", "beach.PNG", "extensions have no case"},
    {"a.html", "text/html; charset=ascii", "a.html", "nor do parameters matter"},
    {"notes", "text/plain;charset=utf-8", "notes.txt", "a parameter is no part of the type"},
    {"Dr. Who", "application/json", "Dr. Who.json", "a dot is no extension"},
    {"a.png", "text/plain", "a.png.txt", "an extension that lies is followed by one that does not"},
    {"a.png", NULL, "a.png", "without a type the name is all there is"},
    {"thing", "application/x-unheard-of", "thing", "\".bin\" would say nothing"},
    {"thing", NULL, "thing", "nor would it without a type"},
    {"100%", "text/plain", "100%.txt", "\"%\" without two digits stands for itself"},
    {"100%zz", "text/plain", "100%zz.txt", "and so it does here"},
    {"a%2Fb", "text/plain", "a-b.txt", "a slash in a title is no separator"},
    {"a/b\\c", "text/plain", "a-b-c.txt", "however it is sent"},
    {"%2E%2E%2F%2E%2E%2Fx", "text/plain", "-..-x.txt", "dots in front would hide it"},
    {"x%00y", "text/plain", "xy.txt", "no control bytes"},
    {"x ", "text/plain", "x.txt", "no space before the extension either"},
    {X250 "yyyyyyyyyy", "text/plain", X250 "y.txt", "255 bytes, and the extension stays"},
};

static void test_slugs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof slugs / sizeof *slugs; i++) {
        char out[FILE_NAME_LIMIT + 1];
        struct span type = slugs[i].type != NULL ? span_of(slugs[i].type) : SPAN_EMPTY;
        struct span name = member_name_of_slug(span_of(slugs[i].slug), type, out);

        out[name.len] = '\0';
        assert_string_equal(out, slugs[i].name);
    }
}

/* Names that are made up: of whatever nothing is left of, and never twice the same. */
static void test_made_up(void **state)
{
    static const struct {
        const char *wish, *type, *extension;
    } rows[] = {
        {"", "application/json", ".json"}, {"", "application/json; charset=utf-8", ".json"},
        {"", "image/png", ".png"},         {"", "application/x-unheard-of", ".bin"},
        {"..", "text/plain", ".txt"},      {"../..", "text/plain", ".txt"},
        {"...", "text/plain", ".txt"},     {" \t", "text/plain", ".txt"},
        {"\x01\x02", NULL, ".bin"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char first[FILE_NAME_LIMIT], second[FILE_NAME_LIMIT], third[FILE_NAME_LIMIT];
        struct span wish = span_of(rows[i].wish);
        struct span type = rows[i].type != NULL ? span_of(rows[i].type) : SPAN_EMPTY;
        struct span a = member_name(wish, type, first);
        struct span b = member_name(wish, type, second);

        assert_int_equal(a.len, 32 + strlen(rows[i].extension));
        assert_true(span_ends_with(a, span_of(rows[i].extension)));
        assert_false(span_equal(a, b));
        if (span_find(wish, '/') == wish.len) /* which a title may have in it */
            assert_int_equal(member_name_of_slug(wish, type, third).len, a.len);
    }
}

struct fixture {
    struct tree tree;
    struct docroot root;
    struct state state;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    tree_make(&f->tree);
    assert_int_equal(docroot_open(&f->root, f->tree.root), FS_OK);
    assert_int_equal(state_open(&f->state, &f->root, NULL), FS_OK);
    tree_directory(&f->tree, "dir");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    state_close(&f->state);
    docroot_close(&f->root);
    tree_remove(&f->tree);
    free(f);
    return 0;
}

/* Publishes the wish once more; the path that it got, which the caller frees. */
static struct member *publish(struct fixture *f, const char *directory, const char *wish)
{
    struct member *m = member_make(span_of(directory), span_of(wish));
    struct published published;

    assert_int_equal(stage_create(&m->stage, &f->state, 0), FS_OK);
    assert_int_equal(stage_write(&m->stage, "new", 3), FS_OK);
    assert_int_equal(member_publish(&m->stage, &f->root, m->path, false, &published), FS_OK);
    assert_true(published.created);
    assert_int_equal(published.file.size, 3);
    return m;
}

static void assert_published(struct fixture *f, const char *directory, const char *wish,
                             const char *path)
{
    struct member *m = publish(f, directory, wish);

    assert_string_equal(m->path, path);
    member_free_all(m);
}

/* Whatever has the name, it stays, and the new one is beside it. */
static void test_nothing_replaced(void **state)
{
    struct fixture *f = *state;
    char old[10];

    tree_file(&f->tree, "dir/a.txt", "old");
    tree_directory(&f->tree, "dir/b.txt");
    tree_fifo(&f->tree, "dir/c.txt");
    tree_link(&f->tree, "dir/d.txt", "nowhere");
    tree_link(&f->tree, "dir/e.txt", "a.txt");
    tree_link(&f->tree, "dir/f.txt", "/etc/passwd");
    assert_published(f, "dir", "a.txt", "dir/a (2).txt");
    assert_published(f, "dir", "a.txt", "dir/a (3).txt");
    assert_published(f, "dir", "b.txt", "dir/b (2).txt");
    assert_published(f, "dir", "c.txt", "dir/c (2).txt");
    assert_published(f, "dir", "d.txt", "dir/d (2).txt");
    assert_published(f, "dir", "e.txt", "dir/e (2).txt");
    assert_published(f, "dir", "f.txt", "dir/f (2).txt");
    assert_string_equal(tree_read(&f->tree, "dir/a.txt", old, sizeof old), "old");
}

static void test_places(void **state)
{
    struct fixture *f = *state;

    assert_published(f, "", "top", "top");
    assert_published(f, "", "top", "top (2)");
    assert_published(f, "dir", X250 "y.txt", "dir/" X250 "y.txt");
    assert_published(f, "dir", X250 "y.txt",
                     "dir/" X50 X50 X50 X50
                     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx (2).txt");
}

/* Numbers stop being tried one after the other, but not being found. */
static void test_popular_name(void **state)
{
    struct fixture *f = *state;

    for (unsigned i = 1; i <= 120; i++) {
        struct member *m = publish(f, "dir", "a.txt");
        char wanted[50];

        snprintf(wanted, sizeof wanted, i == 1 ? "dir/a.txt" : "dir/a (%u).txt", i);
        if (i <= 100)
            assert_string_equal(m->path, wanted);
        member_free_all(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slugs),
        cmocka_unit_test(test_made_up),
        cmocka_unit_test_setup_teardown(test_nothing_replaced, setup, teardown),
        cmocka_unit_test_setup_teardown(test_places, setup, teardown),
        cmocka_unit_test_setup_teardown(test_popular_name, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
