#include "http/media_type.h"

/* Longest extension of the built-in table (".webmanifest") and its NUL. */
enum { EXTENSION_CAP = 13 };

/* Of several extensions of one type, the one that a new file of that type is given. */
enum rank { OTHER, MAIN };

/*
 * Only text types say a charset. JSON is UTF-8 by definition and has no such parameter (RFC 8259
 * 11), and XML, SVG and the like name their encoding within: a parameter would overrule that, and
 * be wrong for some old file (RFC 7303 3).
 */
#define TYPE(text)                                                                                 \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }
#define TEXT(text) TYPE("text/" text "; charset=utf-8")

/*
 * Sorted by extension, for the binary search. Types as registered with IANA, but for the few that
 * browsers know by another name only. Program
 * sources and settings are plain text, so that a browser shows them where it would save a
 * text/x-csrc.
 */
static const struct builtin {
    char extension[EXTENSION_CAP]; /* with its dot */
    struct span type;
    enum rank rank;
} builtins[] = {
    // clang-format off
    {".7z", TYPE("application/x-7z-compressed"), MAIN},
    {".aac", TYPE("audio/aac"), MAIN},
    {".apk", TYPE("application/vnd.android.package-archive"), MAIN},
    {".apng", TYPE("image/apng"), MAIN},
    {".avi", TYPE("video/x-msvideo"), MAIN},
    {".avif", TYPE("image/avif"), MAIN},
    {".bin", TYPE("application/octet-stream"), MAIN},
    {".bmp", TYPE("image/bmp"), MAIN},
    {".bz2", TYPE("application/x-bzip2"), MAIN},
    {".c", TEXT("plain"), OTHER},
    {".cbz", TYPE("application/vnd.comicbook+zip"), MAIN},
    {".cc", TEXT("plain"), OTHER},
    {".cfg", TEXT("plain"), OTHER},
    {".conf", TEXT("plain"), OTHER},
    {".cpp", TEXT("plain"), OTHER},
    {".css", TEXT("css"), MAIN},
    {".csv", TEXT("csv"), MAIN},
    {".deb", TYPE("application/vnd.debian.binary-package"), MAIN},
    {".diff", TEXT("plain"), OTHER},
    {".doc", TYPE("application/msword"), MAIN},
    {".docx", TYPE("application/vnd.openxmlformats-officedocument."
                   "wordprocessingml.document"), MAIN},
    {".epub", TYPE("application/epub+zip"), MAIN},
    {".exe", TYPE("application/vnd.microsoft.portable-executable"), MAIN},
    {".flac", TYPE("audio/flac"), MAIN},
    {".geojson", TYPE("application/geo+json"), MAIN},
    {".gif", TYPE("image/gif"), MAIN},
    {".go", TEXT("plain"), OTHER},
    {".gpx", TYPE("application/gpx+xml"), MAIN},
    {".gz", TYPE("application/gzip"), MAIN},
    {".h", TEXT("plain"), OTHER},
    {".heic", TYPE("image/heic"), MAIN},
    {".hpp", TEXT("plain"), OTHER},
    {".htm", TEXT("html"), OTHER},
    {".html", TEXT("html"), MAIN},
    {".ico", TYPE("image/vnd.microsoft.icon"), MAIN},
    {".ics", TEXT("calendar"), MAIN},
    {".ini", TEXT("plain"), OTHER},
    {".iso", TYPE("application/vnd.efi.iso"), MAIN},
    {".jar", TYPE("application/java-archive"), MAIN},
    {".java", TEXT("plain"), OTHER},
    {".jpeg", TYPE("image/jpeg"), OTHER},
    {".jpg", TYPE("image/jpeg"), MAIN},
    {".js", TEXT("javascript"), MAIN},
    {".json", TYPE("application/json"), MAIN},
    {".jsonld", TYPE("application/ld+json"), MAIN},
    {".jxl", TYPE("image/jxl"), MAIN},
    {".kml", TYPE("application/vnd.google-earth.kml+xml"), MAIN},
    {".log", TEXT("plain"), OTHER},
    {".m3u8", TYPE("application/vnd.apple.mpegurl"), MAIN},
    {".m4a", TYPE("audio/mp4"), MAIN},
    {".m4v", TYPE("video/mp4"), OTHER},
    {".map", TYPE("application/json"), OTHER},
    {".md", TEXT("markdown"), MAIN},
    {".mid", TYPE("audio/midi"), MAIN},
    {".mjs", TEXT("javascript"), OTHER},
    {".mkv", TYPE("video/x-matroska"), MAIN},
    {".mov", TYPE("video/quicktime"), MAIN},
    {".mp3", TYPE("audio/mpeg"), MAIN},
    {".mp4", TYPE("video/mp4"), MAIN},
    {".mpeg", TYPE("video/mpeg"), OTHER},
    {".mpg", TYPE("video/mpeg"), MAIN},
    {".msi", TYPE("application/x-msi"), MAIN},
    {".odp", TYPE("application/vnd.oasis.opendocument.presentation"), MAIN},
    {".ods", TYPE("application/vnd.oasis.opendocument.spreadsheet"), MAIN},
    {".odt", TYPE("application/vnd.oasis.opendocument.text"), MAIN},
    {".oga", TYPE("audio/ogg"), OTHER},
    {".ogg", TYPE("audio/ogg"), MAIN},
    {".ogv", TYPE("video/ogg"), MAIN},
    {".opus", TYPE("audio/ogg"), OTHER},
    {".otf", TYPE("font/otf"), MAIN},
    {".patch", TEXT("plain"), OTHER},
    {".pdf", TYPE("application/pdf"), MAIN},
    {".pl", TEXT("plain"), OTHER},
    {".png", TYPE("image/png"), MAIN},
    {".ppt", TYPE("application/vnd.ms-powerpoint"), MAIN},
    {".pptx", TYPE("application/vnd.openxmlformats-officedocument."
                   "presentationml.presentation"), MAIN},
    {".ps", TYPE("application/postscript"), MAIN},
    {".py", TEXT("plain"), OTHER},
    {".rar", TYPE("application/vnd.rar"), MAIN},
    {".rb", TEXT("plain"), OTHER},
    {".rpm", TYPE("application/x-rpm"), MAIN},
    {".rs", TEXT("plain"), OTHER},
    {".rst", TEXT("plain"), OTHER},
    {".rtf", TYPE("application/rtf"), MAIN},
    {".sh", TEXT("plain"), OTHER},
    {".sql", TYPE("application/sql"), MAIN},
    {".srt", TYPE("application/x-subrip"), MAIN},
    {".svg", TYPE("image/svg+xml"), MAIN},
    {".tar", TYPE("application/x-tar"), MAIN},
    {".tgz", TYPE("application/gzip"), OTHER},
    {".tif", TYPE("image/tiff"), OTHER},
    {".tiff", TYPE("image/tiff"), MAIN},
    {".toml", TYPE("application/toml"), MAIN},
    {".torrent", TYPE("application/x-bittorrent"), MAIN},
    {".ts", TYPE("video/mp2t"), MAIN},
    {".tsv", TEXT("tab-separated-values"), MAIN},
    {".ttc", TYPE("font/collection"), MAIN},
    {".ttf", TYPE("font/ttf"), MAIN},
    {".txt", TEXT("plain"), MAIN},
    {".vcf", TEXT("vcard"), MAIN},
    {".vtt", TEXT("vtt"), MAIN},
    {".wasm", TYPE("application/wasm"), MAIN},
    {".wav", TYPE("audio/wav"), MAIN},
    {".weba", TYPE("audio/webm"), MAIN},
    {".webm", TYPE("video/webm"), MAIN},
    {".webmanifest", TYPE("application/manifest+json"), MAIN},
    {".webp", TYPE("image/webp"), MAIN},
    {".woff", TYPE("font/woff"), MAIN},
    {".woff2", TYPE("font/woff2"), MAIN},
    {".xhtml", TYPE("application/xhtml+xml"), MAIN},
    {".xls", TYPE("application/vnd.ms-excel"), MAIN},
    {".xlsx", TYPE("application/vnd.openxmlformats-officedocument."
                   "spreadsheetml.sheet"), MAIN},
    {".xml", TYPE("application/xml"), MAIN},
    {".xz", TYPE("application/x-xz"), MAIN},
    {".yaml", TYPE("application/yaml"), MAIN},
    {".yml", TYPE("application/yaml"), OTHER},
    {".zip", TYPE("application/zip"), MAIN},
    {".zst", TYPE("application/zstd"), MAIN},
    // clang-format on
};

#undef TEXT
#undef TYPE

enum { BUILTIN_COUNT = sizeof builtins / sizeof builtins[0] };

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static const struct builtin *builtin_find(struct span extension)
{
    char key[EXTENSION_CAP] = ".";
    if (extension.len == 0 || extension.len > sizeof key - 2)
        return NULL;
    for (size_t i = 0; i < extension.len; i++)
        key[i + 1] = lower(extension.ptr[i]);

    size_t low = 0, high = BUILTIN_COUNT;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(key, builtins[middle].extension, sizeof key);
        if (order == 0)
            return &builtins[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* Takes the next word, up to white space, off *line; empty at its end. */
static struct span take_word(struct span *line)
{
    *line = span_trim(*line);
    size_t len = 0;
    while (len < line->len && line->ptr[len] != ' ' && line->ptr[len] != '\t')
        len++;
    struct span word = span_make(line->ptr, len);
    *line = span_from(*line, len);
    return word;
}

/* Takes the next line off *text, without its line end and its comment. */
static struct span take_line(struct span *text)
{
    size_t len = span_find(*text, '\n');
    struct span line = span_make(text->ptr, len);
    *text = span_from(*text, len + 1);
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    line.len = span_find(line, '#');
    return line;
}

/* type "/" subtype of printable ASCII, without what could end or split a header field. */
static bool is_type(struct span word)
{
    size_t slash = span_find(word, '/');
    if (slash == 0 || slash + 1 >= word.len)
        return false;
    for (size_t i = 0; i < word.len; i++)
        if (word.ptr[i] <= ' ' || word.ptr[i] > '~' || (word.ptr[i] == '/' && i != slash))
            return false;
    return true;
}

size_t media_types_places(struct span mime_types)
{
    size_t extensions = 0;
    while (mime_types.len > 0) {
        struct span line = take_line(&mime_types);
        if (!is_type(take_word(&line)))
            continue;
        while (take_word(&line).len > 0)
            extensions++;
    }
    if (extensions == 0)
        return 0;
    size_t places = 2;
    while (places < 2 * extensions)
        places *= 2;
    return places;
}

/* The place of an extension, or the free one where it would go (one always is: at most half are
   filled). FNV-1a. The file is the operator's, so nobody picks extensions to collide. */
static struct media_type_entry *place_of(const struct media_types *set, struct span extension)
{
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < extension.len; i++)
        hash = (hash ^ (unsigned char)lower(extension.ptr[i])) * 16777619U;

    size_t place = hash & (set->places - 1);
    while (set->entries[place].extension.ptr != NULL &&
           !span_equal_nocase(set->entries[place].extension, extension))
        place = (place + 1) & (set->places - 1);
    return &set->entries[place];
}

void media_types_read(struct media_types *set, struct span mime_types)
{
    if (set->places == 0)
        return;
    while (mime_types.len > 0) {
        struct span line = take_line(&mime_types);
        struct span type = take_word(&line);
        if (!is_type(type))
            continue;
        for (struct span word = take_word(&line); word.len > 0; word = take_word(&line)) {
            struct media_type_entry *entry = place_of(set, word);
            if (entry->extension.ptr == NULL)
                *entry = (struct media_type_entry){word, type};
        }
    }
}

/* What follows the last dot of the last component; empty when there is no dot. */
static struct span extension_of(struct span file_name)
{
    for (size_t i = file_name.len; i > 0 && file_name.ptr[i - 1] != '/'; i--)
        if (file_name.ptr[i - 1] == '.')
            return span_from(file_name, i);
    return SPAN_EMPTY;
}

struct span media_type_of(const struct media_types *set, struct span file_name, bool *charset)
{
    struct span extension = extension_of(file_name);

    *charset = false;
    if (extension.len > 0 && set != NULL && set->places > 0) {
        const struct media_type_entry *entry = place_of(set, extension);
        if (entry->extension.ptr != NULL) {
            *charset = span_starts_with_nocase(entry->type, SPAN("text/"));
            return entry->type;
        }
    }
    const struct builtin *builtin = builtin_find(extension);
    return builtin != NULL ? builtin->type : SPAN("application/octet-stream");
}

static struct span without_parameters(struct span type)
{
    type.len = span_find(type, ';');
    return span_trim(type);
}

bool media_type_equal(struct span a, struct span b)
{
    return span_equal_nocase(without_parameters(a), without_parameters(b));
}

struct span media_type_extension(struct span content_type)
{
    for (size_t i = 0; i < BUILTIN_COUNT; i++)
        if (builtins[i].rank == MAIN && media_type_equal(builtins[i].type, content_type))
            return span_of(builtins[i].extension);
    return SPAN(".bin");
}
