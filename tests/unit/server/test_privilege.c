#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/privilege.h"

static void finds_paths_inside(void **state)
{
    static const struct {
        const char *root, *path, *inside;
        const char *why;
    } rows[] = {
        {"/srv/www", "/srv/www", "/", "the root itself"},
        {"/srv/www", "/srv/www/", "/", "with a slash"},
        {"/srv/www", "/srv/www/a/b", "/a/b", "below"},
        {"/srv/www", "/srv/wwwx/a", NULL, "another name that begins alike"},
        {"/srv/www", "/srv", NULL, "above"},
        {"/srv/www", "srv/www/a", NULL, "relative"},
        {"/srv/www", "", NULL, "nothing"},
        {"/", "/srv/www", "/srv/www", "everything is below /"},
        {"/", "/", "/", "/ itself"},
        {"/", "log", NULL, "relative, below /"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *inside = privilege_inside(rows[i].root, rows[i].path);
        if (rows[i].inside == NULL && inside != NULL)
            fail_msg("%s: %s", rows[i].why, inside);
        if (rows[i].inside != NULL) {
            assert_non_null(inside);
            assert_string_equal(inside, rows[i].inside);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_paths_inside)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
