#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/media_type.h"
#include "unit/guard.h"

static const struct type_row {
    const char *name, *type, *why;
} builtin_rows[] = {
    {"index.html", "text/html; charset=utf-8", "RFC 2854, RFC 6657: charset"},
    {"index.htm", "text/html; charset=utf-8", "its short form"},
    {"INDEX.HTML", "text/html; charset=utf-8", "case does not count"},
    {"a.CsS", "text/css; charset=utf-8", "mixed case"},
    {"a.js", "text/javascript; charset=utf-8", "RFC 9239 6.1"},
    {"a.mjs", "text/javascript; charset=utf-8", "RFC 9239 6.1"},
    {"a.json", "application/json", "RFC 8259 11: no charset parameter"},
    {"a.js.map", "application/json", "source map"},
    {"a.svg", "image/svg+xml", "names its encoding within"},
    {"a.xml", "application/xml", "names its encoding within (RFC 7303)"},
    {"a.txt", "text/plain; charset=utf-8", "RFC 2046"},
    {"a.c", "text/plain; charset=utf-8", "shown, not saved"},
    {"a.md", "text/markdown; charset=utf-8", "RFC 7763"},
    {"a.csv", "text/csv; charset=utf-8", "RFC 4180"},
    {"a.jpg", "image/jpeg", "RFC 2046"},
    {"a.jpeg", "image/jpeg", "RFC 2046"},
    {"a.png", "image/png", "W3C PNG"},
    {"a.webp", "image/webp", "RFC 9649"},
    {"a.mp4", "video/mp4", "RFC 4337"},
    {"a.webm", "video/webm", "IANA"},
    {"a.mp3", "audio/mpeg", "RFC 3003"},
    {"a.pdf", "application/pdf", "RFC 8118"},
    {"a.gz", "application/gzip", "RFC 6713"},
    {"a.tar.gz", "application/gzip", "the last extension decides"},
    {"a.zst", "application/zstd", "RFC 8878"},
    {"a.wasm", "application/wasm", "W3C WebAssembly"},
    {"a.woff2", "font/woff2", "RFC 8081"},
    {"app.webmanifest", "application/manifest+json", "the longest extension"},
    {"a.webmanifests", "application/octet-stream", "one longer"},
    {"a.7z", "application/x-7z-compressed", "the first of the table"},
    {"README", "application/octet-stream", "no extension"},
    {"html", "application/octet-stream", "an extension without a name before it"},
    {"a.", "application/octet-stream", "an empty extension"},
    {".", "application/octet-stream", "a dot"},
    {"", "application/octet-stream", "nothing"},
    {"a.unknown", "application/octet-stream", "unknown"},
    {"a.htm\xe9", "application/octet-stream", "a byte that is not ASCII"},
    {"a.ht", "application/octet-stream", "a beginning of one"},
    {"v1.txt/README", "application/octet-stream", "a dot in a directory is not the file's"},
    {"v1.txt/a.png", "image/png", "nor does it hide the file's"},
};

static void knows_types(void **state)
{
    (void)state;
    struct guard guard = guard_open(128);
    for (size_t i = 0; i < sizeof builtin_rows / sizeof builtin_rows[0]; i++) {
        const struct type_row *row = &builtin_rows[i];
        size_t len = strlen(row->name);
        bool charset = true;
        struct span name = span_make(guard_flush(&guard, row->name, len), len);
        struct span type = media_type_of(NULL, name, &charset);
        if (!span_equal(type, span_of(row->type)))
            fail_msg("%s: " SPAN_FMT, row->why, SPAN_ARG(type));
        assert_false(charset); /* only for types from a file */
    }
    guard_close(&guard);
}

/* The search needs the table sorted: each of these must be found in it. */
static void finds_every_extension(void **state)
{
    (void)state;
    struct span all =
        SPAN("html,htm,css,js,mjs,json,map,svg,xml,txt,md,csv,jpg,jpeg,png,gif,webp,avif,ico,bmp,"
             "tif,tiff,mp4,m4v,webm,mkv,mov,avi,mpg,mpeg,mp3,m4a,aac,ogg,oga,ogv,opus,flac,wav,"
             "weba,mid,pdf,epub,zip,gz,tgz,bz2,xz,zst,7z,tar,rar,iso,deb,rpm,apk,msi,exe,jar,wasm,"
             "woff,woff2,ttf,otf,ttc,doc,docx,xls,xlsx,ppt,pptx,odt,ods,odp,rtf,ps,torrent,ics,"
             "vcf,vtt,srt,sh,c,h,cc,cpp,hpp,py,pl,rb,rs,go,java,log,conf,cfg,ini,diff,patch,rst,"
             "sql,toml,yaml,yml,geojson,gpx,kml,jsonld,m3u8,ts,tsv,xhtml,webmanifest,apng,heic,jxl,"
             "cbz");
    while (all.ptr != NULL) {
        char name[32] = "x.";
        bool charset;
        struct span extension = span_cut(&all, ',');
        memcpy(name + 2, extension.ptr, extension.len);
        struct span type = media_type_of(NULL, span_make(name, 2 + extension.len), &charset);
        if (span_equal(type, SPAN("application/octet-stream")))
            fail_msg("%s is not found", name);
    }
}

static const char mime_types[] = "# comment\n"
                                 "text/x-test\t\ttst TSU\n"
                                 "image/x-test  tst  tsv2 # tsw\n"
                                 "text/markdown\n"
                                 "noslash nos\n"
                                 "/sub sub1\n"
                                 "type/ sub2\n"
                                 "a/b/c sub3\n"
                                 "text/h\xe9 sub4\n"
                                 "application/x-html html\r\n"
                                 "   chemical/x-pdb   pdb\n"
                                 "#text/x-off off\n"
                                 "video/x-last last";

static const struct file_row {
    const char *name, *type;
    bool charset;
    const char *why;
} file_rows[] = {
    {"a.tst", "text/x-test", true, "the first type stays"},
    {"a.TST", "text/x-test", true, "case of the name"},
    {"a.tsu", "text/x-test", true, "case of the file"},
    {"a.tsv2", "image/x-test", false, "no text type"},
    {"a.tsw", "application/octet-stream", false, "a comment at the end of a line"},
    {"a.md", "text/markdown; charset=utf-8", false, "a type without extension changes nothing"},
    {"a.nos", "application/octet-stream", false, "no slash"},
    {"a.sub1", "application/octet-stream", false, "no type"},
    {"a.sub2", "application/octet-stream", false, "no subtype"},
    {"a.sub3", "application/octet-stream", false, "two slashes"},
    {"a.sub4", "application/octet-stream", false, "not ASCII"},
    {"a.html", "application/x-html", false, "above the built-in table; CR is white space"},
    {"a.pdb", "chemical/x-pdb", false, "space at the start"},
    {"a.off", "application/octet-stream", false, "a whole line in a comment"},
    {"a.last", "video/x-last", false, "no newline at the end"},
    {"a.css", "text/css; charset=utf-8", false, "what the file does not name"},
    {"a", "application/octet-stream", false, "no extension"},
};

static void reads_a_file(void **state)
{
    (void)state;
    struct guard guard = guard_open(sizeof mime_types);
    size_t len = sizeof mime_types - 1;
    struct span text = span_make(guard_flush(&guard, mime_types, len), len);
    struct media_type_entry entries[64] = {{SPAN_EMPTY, SPAN_EMPTY}};
    struct media_types set = {entries, media_types_places(text)};

    assert_int_equal(set.places, 16); /* tst TSU tst tsv2 html pdb last: 7, at most half filled */
    media_types_read(&set, text);
    for (size_t i = 0; i < sizeof file_rows / sizeof file_rows[0]; i++) {
        const struct file_row *row = &file_rows[i];
        bool charset;
        struct span type = media_type_of(&set, span_of(row->name), &charset);
        if (!span_equal(type, span_of(row->type)) || charset != row->charset)
            fail_msg("%s: " SPAN_FMT, row->why, SPAN_ARG(type));
    }
    guard_close(&guard);
}

static void reads_every_prefix(void **state)
{
    (void)state;
    struct guard guard = guard_open(sizeof mime_types);
    for (size_t len = 0; len < sizeof mime_types; len++) {
        struct span text = span_make(guard_flush(&guard, mime_types, len), len);
        struct media_type_entry entries[64] = {{SPAN_EMPTY, SPAN_EMPTY}};
        struct media_types set = {entries, media_types_places(text)};
        size_t filled = 0;
        media_types_read(&set, text);
        for (size_t i = 0; i < set.places; i++)
            filled += set.entries[i].extension.ptr != NULL;
        assert_true(filled * 2 <= set.places);
    }
    guard_close(&guard);
}

static void takes_an_empty_file(void **state)
{
    (void)state;
    struct media_types set = {NULL, media_types_places(SPAN("# nothing\n"))};
    bool charset;
    assert_int_equal(set.places, 0);
    media_types_read(&set, SPAN("# nothing\n"));
    assert_true(span_equal(media_type_of(&set, SPAN("a.png"), &charset), SPAN("image/png")));
}

static const struct extension_row {
    const char *type, *extension, *why;
} extension_rows[] = {
    {"image/jpeg", ".jpg", "the usual one of two"},
    {"IMAGE/JPEG", ".jpg", "case does not count (RFC 9110 8.3.1)"},
    {"text/html;charset=utf-8", ".html", "RFC 9110 8.3.1"},
    {"Text/HTML;Charset=\"utf-8\"", ".html", "RFC 9110 8.3.1"},
    {"text/html; charset=\"utf-8\"", ".html", "RFC 9110 8.3.1"},
    {"text/html ; charset=utf-8", ".html", "space before the parameter"},
    {"text/plain", ".txt", "the usual one of many"},
    {"text/javascript", ".js", "not .mjs"},
    {"application/json", ".json", "not .map"},
    {"video/mp4", ".mp4", "not .m4v"},
    {"application/gzip", ".gz", "not .tgz"},
    {"audio/ogg", ".ogg", "not .opus"},
    {"application/octet-stream", ".bin", "any bytes"},
    {"application/x-unknown", ".bin", "unknown"},
    {"text", ".bin", "no subtype"},
    {"", ".bin", "empty"},
    {";", ".bin", "parameters alone"},
};

static void names_extensions(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof extension_rows / sizeof extension_rows[0]; i++) {
        const struct extension_row *row = &extension_rows[i];
        struct span extension = media_type_extension(span_of(row->type));
        if (!span_equal(extension, span_of(row->extension)))
            fail_msg("%s: " SPAN_FMT, row->why, SPAN_ARG(extension));
    }
}

static void compares_without_parameters(void **state)
{
    (void)state;
    static const struct {
        struct span a, b;
        bool equal;
        const char *why;
    } rows[] = {
        {SPAN("text/html"), SPAN("text/html"), true, "the same"},
        {SPAN("text/html;charset=utf-8"), SPAN("Text/HTML;Charset=\"utf-8\""), true,
         "the examples of RFC 9110 8.3.1"},
        {SPAN("text/html; charset=utf-8"), SPAN("text/html"), true, "parameters do not count"},
        {SPAN(" text/html ; a=b"), SPAN("text/html"), true, "nor does space before them"},
        {SPAN("text/html"), SPAN("text/htm"), false, "a beginning of it"},
        {SPAN("text/html"), SPAN("text/plain"), false, "another subtype"},
        {SPAN("text/html, text/html"), SPAN("text/html"), false, "a list is no type"},
        {SPAN(";a=b"), SPAN(""), true, "parameters alone are no type"},
        {SPAN_EMPTY, SPAN(""), true, "nor is a missing field"},
        {SPAN_EMPTY, SPAN("text/html"), false, "which is not any type"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (media_type_equal(rows[i].a, rows[i].b) != rows[i].equal ||
            media_type_equal(rows[i].b, rows[i].a) != rows[i].equal)
            fail_msg("%s", rows[i].why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_types),
        cmocka_unit_test(finds_every_extension),
        cmocka_unit_test(reads_a_file),
        cmocka_unit_test(reads_every_prefix),
        cmocka_unit_test(takes_an_empty_file),
        cmocka_unit_test(names_extensions),
        cmocka_unit_test(compares_without_parameters),
    };
    return cmocka_run_group_tests_name("http/media_type", tests, NULL, NULL);
}
