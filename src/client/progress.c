#include "client/progress.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"

enum {
    DEFAULT_COLUMNS = 80,
    NAME_COLUMNS = 24,
    FIXED_COLUMNS = 46, /* all of the line but the name and the inside of the bar */
    BAR_COLUMNS = 40,
};

void progress_begin(struct progress *progress, int fd, struct span name, uint64_t total)
{
    const char *no_color = getenv("NO_COLOR");
    *progress = (struct progress){.fd = isatty(fd) ? fd : -1,
                                  .color = no_color == NULL || no_color[0] == '\0',
                                  .name = name,
                                  .total = total};
    if (progress->fd != -1)
        progress->started_ms = progress->drawn_ms = clock_ms();
}

void progress_put_bytes(struct buffer *out, uint64_t bytes)
{
    static const char units[] = "kMGTPE";
    if (bytes < 1000) {
        buffer_put_format(out, "%u B", (unsigned)bytes);
        return;
    }
    size_t unit = 0;
    double value = (double)bytes / 1000;
    /* 999.5 would be rounded to four digits. */
    while (value >= 999.5 && unit < sizeof units - 2) {
        value /= 1000;
        unit++;
    }
    buffer_put_format(out,
                      value < 9.995   ? "%.2f %cB"
                      : value < 99.95 ? "%.1f %cB"
                                      : "%.0f %cB",
                      value, units[unit]);
}

static void put_time(struct buffer *out, uint64_t seconds)
{
    if (seconds >= 3600)
        buffer_put_format(out, "%llu:%02u:%02u", (unsigned long long)(seconds / 3600),
                          (unsigned)(seconds / 60 % 60), (unsigned)(seconds % 60));
    else
        buffer_put_format(out, "%u:%02u", (unsigned)(seconds / 60), (unsigned)(seconds % 60));
}

static void put_bar(struct buffer *out, const struct progress *progress, uint64_t done,
                    unsigned width)
{
    double share = (double)done / (double)progress->total;
    if (share > 1)
        share = 1;
    unsigned filled = (unsigned)(share * width);
    buffer_put_format(out, " %3u%%", (unsigned)(share * 100));
    if (width == 0)
        return;
    buffer_put_text(out, " [");
    if (progress->color)
        buffer_put_text(out, "\x1b[32m");
    for (unsigned i = 0; i < width; i++)
        buffer_put(out, i < filled ? "=" : i == filled ? ">" : " ", 1);
    if (progress->color)
        buffer_put_text(out, "\x1b[0m");
    buffer_put_char(out, ']');
}

void progress_line(struct buffer *out, const struct progress *progress, uint64_t done,
                   int64_t elapsed_ms, unsigned columns)
{
    struct span name = progress->name;
    char memory[64];
    struct buffer words = BUFFER_OVER(memory);
    uint64_t moved = done > progress->from ? done - progress->from : 0;
    uint64_t rate = elapsed_ms > 0 ? (uint64_t)((double)moved * 1000 / (double)elapsed_ms) : 0;

    if (name.len > NAME_COLUMNS)
        name.len = NAME_COLUMNS;
    buffer_put_span(out, name);
    if (progress->total > 0) {
        size_t taken = FIXED_COLUMNS + name.len;
        size_t width = columns > taken ? columns - taken : 0;
        put_bar(out, progress, done, width < BAR_COLUMNS ? (unsigned)width : BAR_COLUMNS);
    }
    progress_put_bytes(&words, done);
    buffer_put_format(out, "  %7.*s", (int)words.len, memory);
    words.len = 0;
    progress_put_bytes(&words, rate);
    buffer_put_format(out, "  %7.*s/s", (int)words.len, memory);
    if (progress->total > done && rate > 0) {
        buffer_put_text(out, "  ");
        put_time(out, (progress->total - done + rate - 1) / rate);
        buffer_put_text(out, " left");
    }
}

static unsigned columns_of(int fd)
{
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : DEFAULT_COLUMNS;
}

static void put_on_screen(const struct progress *progress, const struct buffer *line)
{
    /* A terminal that takes no more is no reason to stop a transfer. */
    if (write(progress->fd, line->data, line->len) == -1)
        return;
}

void progress_update(struct progress *progress, uint64_t done)
{
    char memory[PROGRESS_LINE_LIMIT];
    struct buffer line = BUFFER_OVER(memory);
    if (progress->fd == -1)
        return;
    int64_t now = clock_ms();
    if (now - progress->drawn_ms < (progress->drawn ? PROGRESS_EVERY_MS : PROGRESS_DELAY_MS))
        return;
    buffer_put_text(&line, "\r");
    progress_line(&line, progress, done, now - progress->started_ms, columns_of(progress->fd) - 1);
    buffer_put_text(&line, "\x1b[K");
    put_on_screen(progress, &line);
    progress->drawn_ms = now;
    progress->drawn = true;
}

void progress_end(struct progress *progress)
{
    char memory[] = "\r\x1b[K";
    struct buffer line = {memory, sizeof memory, sizeof memory - 1, false};
    if (progress->drawn)
        put_on_screen(progress, &line);
    progress->drawn = false;
}
