#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/target.h"
#include "server/listing_html.h"
#include "unit/guard.h"

static bool contains(struct span text, struct span part)
{
    for (size_t i = 0; i + part.len <= text.len; i++)
        if (span_equal(span_make(text.ptr + i, part.len), part))
            return true;
    return false;
}

static void sizes_are_for_people(void **state)
{
    (void)state;
    static const struct {
        uint64_t size;
        const char *text, *why;
    } rows[] = {
        {0, "0 B", "nothing"},
        {999, "999 B", "the last in bytes"},
        {1000, "1.0 KB", "the first of a thousand"},
        {1049, "1.0 KB", "rounded down"},
        {1050, "1.1 KB", "and up"},
        {99949, "99.9 KB", "the last with a decimal"},
        {99950, "100 KB", "the first without"},
        {123456, "123 KB", "rounded once, not first to 123.5"},
        {999499, "999 KB", "the last below a unit"},
        {999500, "1.0 MB", "and the first that is rounded up to it"},
        {1400000, "1.4 MB", "millions"},
        {4294967296, "4.3 GB", "past 32 bits"},
        {INT64_MAX, "9.2 EB", "the largest file"},
        {UINT64_MAX, "18.4 EB", "and the largest sum"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct listing_view view = {.path = SPAN("d")};
        const struct listing_entry entry = {.size = rows[i].size};
        char bytes[LISTING_HTML_PIECE];
        char cell[64];
        struct buffer out = BUFFER_OVER(bytes), wanted = BUFFER_OVER(cell);
        listing_html_put_entry(&out, &view, &entry, SPAN("a.txt"));
        buffer_put_text(&wanted, "<td>");
        buffer_put_span(&wanted, span_of(rows[i].text));
        buffer_put_text(&wanted, "</td><td>1970-01-01 00:00</td>");
        if (!contains(buffer_span(&out), buffer_span(&wanted)))
            fail_msg("%s: " SPAN_FMT, rows[i].why, SPAN_ARG(buffer_span(&out)));
    }
}

/* The way to a directory: each step leads up as often as there are directories behind it. */
static void steps_lead_back(void **state)
{
    (void)state;
    static const struct {
        struct span path;
        const char *steps;
    } rows[] = {
        {{"", 0}, ""},
        {{"a", 1}, "<li><h1 aria-current=\"page\">a</h1></li>\n"},
        {{"a/b", 3}, "<li><a href=\"../\">a</a></li>\n<li><h1 aria-current=\"page\">b</h1></li>\n"},
        {{"a/b/c", 5},
         "<li><a href=\"../../\">a</a></li>\n<li><a href=\"../\">b</a></li>\n"
         "<li><h1 aria-current=\"page\">c</h1></li>\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct listing_view view = {.path = rows[i].path};
        char bytes[LISTING_HTML_PIECE];
        struct buffer out = BUFFER_OVER(bytes);
        size_t at = 0;
        while (listing_html_put_step(&out, &view, &at))
            ;
        if (!span_equal(buffer_span(&out), span_of(rows[i].steps)))
            fail_msg(SPAN_FMT, SPAN_ARG(buffer_span(&out)));
    }
}

static struct span repeated(char *memory, size_t len, char c)
{
    memset(memory, c, len);
    return span_make(memory, len);
}

/* Whatever names and filters hold, a piece fits into the room that is promised for one. */
static void every_piece_fits(void **state)
{
    (void)state;
    static const char worst[] = {'\x01', '\xff', '"', '&', '<', 'a', ' '};
    const struct listing_entry entry = {.size = INT64_MAX, .mtime_s = INT64_MAX};
    struct guard guard = guard_open(LISTING_HTML_PIECE);
    char name[255], word[LISTING_FILTER_LIMIT], path[TARGET_PATH_LIMIT];

    for (size_t i = 0; i < sizeof worst; i++) {
        struct listing_view view = {
            .path = repeated(path, 255, worst[i]),
            .filter = repeated(word, sizeof word, worst[i]),
            .descending = true,
            .access = LISTING_WRITE,
            .shown = SIZE_MAX,
            .directories = SIZE_MAX / 2,
            .bytes = UINT64_MAX,
        };
        size_t at = 0;
        for (unsigned piece = 0; piece < 5; piece++) {
            char *bytes = guard_space(&guard, LISTING_HTML_PIECE);
            struct buffer out = buffer_make(bytes, LISTING_HTML_PIECE);
            switch (piece) {
            case 0: listing_html_put_head(&out, &view); break;
            case 1: assert_false(listing_html_put_step(&out, &view, &at)); break;
            case 2: listing_html_put_tools(&out, &view); break;
            case 3:
                listing_html_put_entry(&out, &view, &entry, repeated(name, sizeof name, worst[i]));
                break;
            default: view.access = LISTING_SIGN_IN; listing_html_put_end(&out, &view);
            }
            if (out.overflowed)
                fail_msg("piece %u with byte %02x", piece, (unsigned char)worst[i]);
        }
    }
    /* The longest way back that signing in is offered with, and one that is longer. */
    for (size_t len = 1; len <= TARGET_PATH_LIMIT; len += len < 900 ? 899 : 399) {
        const struct listing_view view = {.path = repeated(path, len, '\x01'),
                                          .access = LISTING_SIGN_IN};
        struct buffer out =
            buffer_make(guard_space(&guard, LISTING_HTML_PIECE), LISTING_HTML_PIECE);
        listing_html_put_end(&out, &view);
        assert_false(out.overflowed);
    }
    guard_close(&guard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_for_people),
        cmocka_unit_test(steps_lead_back),
        cmocka_unit_test(every_piece_fits),
    };
    return cmocka_run_group_tests_name("server/listing_html", tests, NULL, NULL);
}
