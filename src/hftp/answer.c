#include "hftp/answer.h"

#include "base/base64.h"
#include "base/whole.h"

#include <errno.h>
#include <unistd.h>

enum {
    /* Base64 in several lines, as clients look through the whole line again whenever a part of it
       comes; but few lines, as some read only one where a slice is small. */
    LINE_PLAIN = 49152,
    PIECE_PLAIN = WORKER_INLINE / 4 * 3, /* encoded at a time: a multiple of 3, as LINE_PLAIN */
    PIECE_ROOM = WORKER_INLINE + 2,
    NAME_ROOM = HFTP_NAME_MAX + 2,
};

static enum hftp_code code_of_fs_result(enum fs_result result)
{
    switch (result) {
    case FS_OK: return HFTP_OK;
    case FS_NOT_FOUND:
    case FS_NO_PARENT:
    case FS_NOT_SERVED:
    case FS_IS_DIRECTORY:
    case FS_NOT_DIRECTORY:
    case FS_NAME_TOO_LONG: return HFTP_FILE_NOT_FOUND;
    default: return HFTP_INTERNAL_ERROR;
    }
}

/* Opens the file that the command names. On any code but HFTP_OK file->fd is -1. */
static enum hftp_code open_file(const struct worker *w, const struct hftp_command *command,
                                struct file *file)
{
    char path[HFTP_NAME_MAX + 1];
    struct span name = hftp_command_name(command);

    *file = FILE_NONE;
    if (name.len > HFTP_NAME_MAX || name.ptr[0] == '.')
        return HFTP_FILE_NOT_FOUND;
    memcpy(path, name.ptr, name.len);
    path[name.len] = '\0';
    enum hftp_code code = code_of_fs_result(docroot_lookup(&w->docroot, path, file));
    if (code == HFTP_OK && file->directory) {
        close(file->fd);
        *file = FILE_NONE;
        return HFTP_FILE_NOT_FOUND;
    }
    return code;
}

static enum hftp_code begin_listing(struct hftp_answer *a, struct worker *w)
{
    struct file top;
    enum fs_result result = docroot_lookup(&w->docroot, "", &top);

    if (result == FS_OK) {
        /* A large directory takes a while; the others should not wait for it. */
        queue_step_aside(&w->server->queue);
        result = listing_read(&a->listing, &w->docroot, "", top.fd);
        close(top.fd);
    }
    /* The docroot has been removed, and may come back: until then there are no files in it. */
    if (result != FS_OK && result != FS_NOT_FOUND)
        return code_of_fs_result(result);
    hftp_code_put(&w->out, HFTP_OK);
    a->content = HFTP_CONTENT_LISTING;
    return HFTP_OK;
}

/* Whether the first byte of the slice can be read: after "0 OK" there is no way to say otherwise.
 */
static bool is_readable(const struct file *file, uint64_t offset, uint64_t size)
{
    char byte;
    ssize_t n;

    do
        n = pread(file->fd, &byte, 1, (off_t)offset);
    while (n == -1 && errno == EINTR);
    return size == 0 ? n != -1 : n == 1;
}

static enum hftp_code begin_slice(struct hftp_answer *a, struct worker *w,
                                  const struct hftp_command *command)
{
    struct file file;
    enum hftp_code code = open_file(w, command, &file);

    if (code == HFTP_OK &&
        (command->offset > file.size || command->size > file.size - command->offset))
        code = HFTP_OFFSET_EXCEEDS_SIZE;
    else if (code == HFTP_OK && !is_readable(&file, command->offset, command->size))
        code = HFTP_INTERNAL_ERROR;
    if (code != HFTP_OK) {
        if (file.fd != -1)
            close(file.fd);
        return code;
    }
    a->slice = (struct file_run){file.fd, (off_t)command->offset, command->size};
    a->line_left = LINE_PLAIN;
    hftp_code_put(&w->out, HFTP_OK);
    if (!command->raw) {
        a->content = HFTP_CONTENT_BASE64;
        return HFTP_OK;
    }
    a->content = HFTP_CONTENT_RAW;
    buffer_put_text(&w->out, "Content-Length: ");
    buffer_put_u64(&w->out, command->size);
    buffer_put_text(&w->out, "\r\n\r\n");
    return HFTP_OK;
}

static enum hftp_code answer_metadata(struct worker *w, const struct hftp_command *command)
{
    struct file file;
    enum hftp_code code = open_file(w, command, &file);

    if (code != HFTP_OK)
        return code;
    close(file.fd);
    hftp_code_put(&w->out, HFTP_OK);
    buffer_put_u64(&w->out, file.size);
    buffer_put_text(&w->out, "\r\n");
    return HFTP_OK;
}

static enum hftp_code answer_help(struct worker *w)
{
    hftp_code_put(&w->out, HFTP_OK);
    for (size_t i = 0; hftp_verb_at(i).ptr != NULL; i++) {
        buffer_put_span(&w->out, hftp_verb_at(i));
        buffer_put_text(&w->out, "\r\n");
    }
    buffer_put_text(&w->out, "\r\n");
    return HFTP_OK;
}

static enum hftp_code carry_out(struct hftp_answer *a, struct worker *w,
                                const struct hftp_command *command)
{
    if (command->code != HFTP_OK)
        return command->code;
    switch (command->verb) {
    case HFTP_GET_FILE_LISTING: return begin_listing(a, w);
    case HFTP_GET_METADATA: return answer_metadata(w, command);
    case HFTP_GET_SLICE: return begin_slice(a, w, command);
    case HFTP_HELP: return answer_help(w);
    case HFTP_QUIT: hftp_code_put(&w->out, HFTP_OK); return HFTP_OK;
    case HFTP_VERB_NONE: break;
    }
    return HFTP_NO_SUCH_COMMAND;
}

void hftp_answer_begin(struct hftp_answer *a, struct worker *w, const struct hftp_command *command)
{
    size_t before = w->out.len, code_len;

    a->content = HFTP_CONTENT_NONE;
    a->listed = 0;
    a->sent = 0;
    a->code = carry_out(a, w, command);
    if (a->code != HFTP_OK)
        hftp_code_put(&w->out, a->code);
    code_len = span_find(span_from(buffer_span(&w->out), before), '\n') + 1;
    a->sent = w->out.len - before - code_len;
}

/* Puts names while there is room, and an empty line after the last. */
static void put_names(struct hftp_answer *a, struct buffer *out)
{
    for (; a->listed < a->listing.count; a->listed++) {
        struct span name = listing_name(&a->listing, a->listed);
        bool askable = !a->listing.entries[a->listed].directory;

        if (buffer_free(out) < NAME_ROOM)
            return;
        /* What cannot be asked for is not shown: a line break in a name would even be two. */
        for (size_t i = 0; i < name.len && askable; i++)
            askable = hftp_is_name_char(name.ptr[i]);
        if (!askable)
            continue;
        buffer_put_span(out, name);
        buffer_put_text(out, "\r\n");
    }
    if (buffer_free(out) < NAME_ROOM)
        return;
    buffer_put_text(out, "\r\n");
    a->content = HFTP_CONTENT_NONE;
}

/* Reads the next bytes of the slice. False when the file does not have them any more. */
static bool read_piece(struct file_run *slice, char *bytes, size_t len)
{
    if (!whole_read(slice->fd, bytes, len, slice->at))
        return false;
    slice->at += (off_t)len;
    slice->left -= len;
    return true;
}

/* Puts the next piece of the slice; there is room for it. */
static enum step put_base64(struct hftp_answer *a, struct worker *w)
{
    struct buffer *out = &w->out;
    size_t len = a->line_left < PIECE_PLAIN ? a->line_left : PIECE_PLAIN;

    if (a->slice.left < len)
        len = (size_t)a->slice.left;
    if (!read_piece(&a->slice, w->page, len))
        return STEP_CLOSE;
    out->len += base64_encode(out->data + out->len, w->page, len);
    a->line_left -= len;
    if (a->line_left == 0 || a->slice.left == 0) {
        buffer_put_text(out, "\r\n");
        a->line_left = LINE_PLAIN;
    }
    if (a->slice.left == 0)
        a->content = HFTP_CONTENT_NONE;
    return STEP_DONE;
}

static enum step send_raw(struct hftp_answer *a, struct worker *w, struct connection *c)
{
    enum step step = a->slice.left > 0 ? channel_flush(w, c, true) : STEP_DONE;

    if (step == STEP_DONE)
        step = channel_send_run(w, c, &a->slice, &a->sent);
    if (step == STEP_DONE)
        a->content = HFTP_CONTENT_NONE;
    return step;
}

/* Composes the next piece of a listing or of base64. */
static enum step compose(struct hftp_answer *a, struct worker *w, struct connection *c)
{
    enum step step = STEP_DONE;

    if (buffer_free(&w->out) < PIECE_ROOM)
        step = channel_flush(w, c, true);
    if (step != STEP_DONE)
        return step;
    size_t before = w->out.len;
    if (a->content == HFTP_CONTENT_LISTING)
        put_names(a, &w->out);
    else
        step = put_base64(a, w);
    a->sent += w->out.len - before;
    if (step == STEP_DONE && w->moved > CHANNEL_TURN_BYTES && queue_has_waiting(&w->server->queue))
        step = STEP_AGAIN;
    return step;
}

enum step hftp_answer_send(struct hftp_answer *a, struct worker *w, struct connection *c)
{
    while (a->content != HFTP_CONTENT_NONE) {
        enum step step = a->content == HFTP_CONTENT_RAW ? send_raw(a, w, c) : compose(a, w, c);
        if (step != STEP_DONE)
            return step;
    }
    return buffer_free(&w->out) < HFTP_ANSWER_ROOM ? channel_flush(w, c, false) : STEP_DONE;
}

void hftp_answer_free(struct hftp_answer *a)
{
    if (a->slice.fd != -1)
        close(a->slice.fd);
    listing_free(&a->listing);
    a->slice.fd = -1;
}
