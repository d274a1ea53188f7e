#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/listing_name.h"
#include "unit/guard.h"

static const struct row {
    const char *name, *text, *why;
} rows[] = {
    {"a.txt", "a.txt", "most names"},
    {"", "", "none"},
    {"<b>&\"'", "&lt;b&gt;&amp;&quot;&#39;", "no markup"},
    {"a\nb", "a<b>U+000A</b>b", "a newline is seen"},
    {"\t\033\177", "<b>U+0009</b><b>U+001B</b><b>U+007F</b>", "so are other control characters"},
    {"a\342\200\256gpj.exe", "a<b>U+202E</b>gpj.exe", "a mark that turns the writing"},
    {"\342\201\246x\342\201\251", "<b>U+2066</b>x<b>U+2069</b>", "isolates"},
    {"\357\273\277x", "<b>U+FEFF</b>x", "a byte order mark"},
    {"\342\200\213", "<b>U+200B</b>", "a space of no width"},
    {"\360\237\221\251\342\200\215\360\237\232\200", "\360\237\221\251\342\200\215\360\237\232\200",
     "what joins emoji stays"},
    {"\342\200\223 \342\200\231", "\342\200\223 \342\200\231", "dash and apostrophe"},
    {"\303\261\330\247", "\303\261\330\247", "letters past ASCII"},
    {"\377\376", "\357\277\275\357\277\275", "bytes that are no text"},
    {"\342\200", "\357\277\275\357\277\275", "a mark that is cut off"},
    {"\342\200<", "\357\277\275\357\277\275&lt;", "or followed by something else"},
};

static void shows_what_is_there(void **state)
{
    struct guard guard = guard_open(64);
    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        size_t len = strlen(row->name);
        char text[512];
        struct buffer out = BUFFER_OVER(text);

        listing_name_put(&out, span_make(guard_flush(&guard, row->name, len), len), true);
        if (!span_equal(buffer_span(&out), span_of(row->text)))
            fail_msg("%s: " SPAN_FMT, row->why, SPAN_ARG(buffer_span(&out)));
        for (size_t cut = 0; cut < len; cut++) {
            out.len = 0;
            listing_name_put(&out, span_make(guard_flush(&guard, row->name, cut), cut), true);
        }
    }
    guard_close(&guard);
}

static void without_markup_it_is_text(void **state)
{
    char text[64];
    struct buffer out = BUFFER_OVER(text);
    (void)state;
    listing_name_put(&out, SPAN("a\342\200\256b"), false);
    assert_true(span_equal(buffer_span(&out), SPAN("aU+202Eb")));
}

/* The promise that rows have room: so many bytes for each. */
static void is_never_longer_than_promised(void **state)
{
    static const char *const worst[] = {"\"", "\n", "\342\200\256"};
    (void)state;
    for (unsigned i = 0; i < sizeof worst / sizeof *worst; i++) {
        char name[255], text[LISTING_NAME_MOST * sizeof name];
        struct buffer out = BUFFER_OVER(text);
        for (size_t at = 0; at < sizeof name; at++)
            name[at] = worst[i][at % strlen(worst[i])];
        listing_name_put(&out, span_make(name, sizeof name), true);
        assert_false(out.overflowed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_what_is_there),
        cmocka_unit_test(without_markup_it_is_text),
        cmocka_unit_test(is_never_longer_than_promised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
