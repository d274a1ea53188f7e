#include "server/page_asset.h"

#include "http/precondition.h"
#include "http/response.h"
#include "server/embed.h"
#include "server/status_page.h"

#include <stdlib.h>

#ifndef PAGE_VERSION
#define PAGE_VERSION "0" /* for a checker; the Makefile gives a sum of the files */
#endif

EMBED(page_listing_css, "src/server/page/listing.css");
EMBED(page_listing_js, "src/server/page/listing.js");
EMBED(page_listing_svg, "src/server/page/listing.svg");

static const struct asset {
    struct span path, media_type;
    const char *begin, *end;
} assets[] = {
    {{".listing.css", 12}, {"text/css", 8}, page_listing_css, page_listing_css_end},
    {{".listing.js", 11}, {"text/javascript", 15}, page_listing_js, page_listing_js_end},
    {{".listing.svg", 12}, {"image/svg+xml", 13}, page_listing_svg, page_listing_svg_end},
};

/* What of an asset has not been sent: it may be longer than what a worker sends at once. */
struct rest {
    struct producer producer;
    struct span bytes;
};

static enum produce produce(struct producer *producer, struct buffer *out, struct file_run *run)
{
    struct rest *rest = (struct rest *)producer;
    size_t len = rest->bytes.len < buffer_free(out) ? rest->bytes.len : buffer_free(out);

    (void)run;
    buffer_put(out, rest->bytes.ptr, len);
    rest->bytes = span_from(rest->bytes, len);
    return rest->bytes.len > 0 ? PRODUCE_MORE : PRODUCE_LAST;
}

static void free_rest(struct producer *producer)
{
    free(producer);
}

static bool put_content(struct answer *answer, const struct asset *asset)
{
    struct rest *rest = malloc(sizeof *rest);

    if (rest == NULL)
        return false;
    rest->producer = (struct producer){produce, free_rest};
    rest->bytes = span_make(asset->begin, (size_t)(asset->end - asset->begin));
    answer->length = rest->bytes.len;
    answer->producer = &rest->producer;
    return true;
}

static const struct asset *find(struct span path)
{
    if (path.len == 0 || path.ptr[0] != '.')
        return NULL;
    for (unsigned i = 0; i < sizeof assets / sizeof *assets; i++)
        if (span_equal(path, assets[i].path))
            return &assets[i];
    return NULL;
}

bool page_asset_is(struct span path)
{
    return find(path) != NULL;
}

bool page_asset_answer(struct worker *worker, const struct request *request,
                       const struct target *target, struct answer *answer)
{
    const struct asset *asset = find(target->path);
    struct span etag = SPAN("\"" PAGE_VERSION "\"");
    struct validators validators = {.exists = true, .etag = etag};

    if (asset == NULL)
        return false;
    if (!put_content(answer, asset)) {
        status_page_answer(worker, request, STATUS_SERVICE_UNAVAILABLE, SPAN_EMPTY, answer);
        return true;
    }
    answer->status = STATUS_OK;
    if (request->version != VERSION_0_9) {
        switch (precondition_check(request, &validators, worker_date(worker))) {
        case PRECONDITION_PASS: break;
        case PRECONDITION_NOT_MODIFIED: answer->status = STATUS_NOT_MODIFIED; break;
        case PRECONDITION_FAILED:
            status_page_answer(worker, request, STATUS_PRECONDITION_FAILED, SPAN_EMPTY, answer);
            return true;
        case PRECONDITION_MALFORMED:
            status_page_answer(worker, request, STATUS_BAD_REQUEST, SPAN_EMPTY, answer);
            return true;
        }
    }
    answer->media_type = asset->media_type;
    answer->utf8 = !span_starts_with(asset->media_type, SPAN("image/"));
    answer->cache = span_equal(target->query, SPAN(PAGE_VERSION))
                        ? SPAN("public, max-age=31536000, immutable")
                        : SPAN("no-cache");
    memcpy(answer->etag.text, etag.ptr, etag.len);
    answer->etag.len = (uint8_t)etag.len;
    return true;
}

void page_asset_put_links(struct buffer *out, bool script)
{
    buffer_put_text(out, "<link rel=\"stylesheet\" href=\"/.listing.css?" PAGE_VERSION "\">"
                         "<link rel=\"icon\" href=\"/.listing.svg?" PAGE_VERSION "\">");
    if (script)
        buffer_put_text(out, "<script src=\"/.listing.js?" PAGE_VERSION "\"></script>");
}

void page_asset_put_policy(struct buffer *fields)
{
    /* Icons of the style sheet are data: in it; nothing can run in an image. */
    buffer_put_text(fields, "Content-Security-Policy: default-src 'none'; script-src 'self'; "
                            "style-src 'self'; img-src 'self' data:; media-src 'self'; "
                            "connect-src 'self'; form-action 'self'; base-uri 'none'; "
                            "frame-ancestors 'none'\r\n"
                            "Referrer-Policy: same-origin\r\n");
}
