#include "hftp/command.h"

/* What an argument has to be. */
enum argument {
    ARGUMENT_NONE, /* none more is taken */
    ARGUMENT_NAME,
    ARGUMENT_OFFSET,
    ARGUMENT_SIZE,
    ARGUMENT_RAW, /* the word "raw" */
};

enum { ARGUMENTS_MAX = 4 };

static const struct {
    struct span text;
    unsigned least, most; /* arguments */
    enum argument arguments[ARGUMENTS_MAX];
} verbs[] = {
    [HFTP_VERB_NONE] = {{"", 0}, 0, 0, {ARGUMENT_NONE}},
    [HFTP_GET_FILE_LISTING] = {{"get_file_listing", 16}, 0, 0, {ARGUMENT_NONE}},
    [HFTP_GET_METADATA] = {{"get_metadata", 12}, 1, 1, {ARGUMENT_NAME}},
    [HFTP_GET_SLICE] = {{"get_slice", 9},
                        3,
                        4,
                        {ARGUMENT_NAME, ARGUMENT_OFFSET, ARGUMENT_SIZE, ARGUMENT_RAW}},
    [HFTP_HELP] = {{"help", 4}, 0, 0, {ARGUMENT_NONE}},
    [HFTP_QUIT] = {{"quit", 4}, 0, 0, {ARGUMENT_NONE}},
};

struct span hftp_verb_at(size_t index)
{
    return index + 1 < sizeof verbs / sizeof *verbs ? verbs[index + 1].text : SPAN_EMPTY;
}

bool hftp_is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
}

void hftp_command_begin(struct hftp_command *command)
{
    command->code = HFTP_OK;
    command->verb = HFTP_VERB_NONE;
    command->name_at = command->name_len = 0;
    command->offset = command->size = 0;
    command->raw = false;
    command->len = 0;
    command->word_ = 0;
    command->word_len_ = 0;
    command->invalid_ = false;
    command->cr_ = false;
}

static enum argument argument_at(const struct hftp_command *command)
{
    if (command->word_ == 0 || command->word_ > verbs[command->verb].most)
        return ARGUMENT_NONE;
    return verbs[command->verb].arguments[command->word_ - 1];
}

/* Any count of digits is a number; what does not fit is larger than any file. */
static bool take_digit(uint64_t *number, char c)
{
    if (c < '0' || c > '9')
        return false;
    uint64_t digit = (uint64_t)(c - '0');
    *number = *number > (UINT64_MAX - digit) / 10 ? UINT64_MAX : *number * 10 + digit;
    return true;
}

static void take_word_byte(struct hftp_command *command, char c)
{
    static const char raw[] = "raw";
    bool valid = true;

    switch (argument_at(command)) {
    case ARGUMENT_NONE: break; /* the verb is looked up when it ends; the rest is too many */
    case ARGUMENT_NAME:
        if (command->word_len_ == 0)
            command->name_at = command->len;
        command->name_len++;
        valid = hftp_is_name_char(c);
        break;
    case ARGUMENT_OFFSET: valid = take_digit(&command->offset, c); break;
    case ARGUMENT_SIZE: valid = take_digit(&command->size, c); break;
    case ARGUMENT_RAW:
        valid = command->word_len_ < sizeof raw - 1 && c == raw[command->word_len_];
        command->raw = valid && command->word_len_ == sizeof raw - 2;
        break;
    }
    command->invalid_ |= !valid;
    command->word_len_++;
}

static void end_word(struct hftp_command *command)
{
    if (command->word_ == 0) {
        struct span word = span_make(command->line, command->word_len_);
        for (enum hftp_verb verb = HFTP_GET_FILE_LISTING; verb <= HFTP_QUIT; verb++)
            if (span_equal(word, verbs[verb].text))
                command->verb = verb;
    } else if (command->word_len_ == 0 || (argument_at(command) == ARGUMENT_RAW && !command->raw)) {
        command->invalid_ = true;
    }
}

static void take_byte(struct hftp_command *command, char c)
{
    if (c == ' ') {
        end_word(command);
        command->word_++;
        command->word_len_ = 0;
    } else {
        take_word_byte(command, c);
    }
    if (command->len < HFTP_LINE_KEPT)
        command->line[command->len] = c;
    command->len++;
}

/* CRLF has come. */
static enum hftp_code end_line(struct hftp_command *command)
{
    if (command->len == 0)
        return HFTP_BAD_REQUEST;
    end_word(command);
    if (command->verb == HFTP_VERB_NONE)
        return HFTP_NO_SUCH_COMMAND;
    if (command->invalid_ || command->word_ < verbs[command->verb].least ||
        command->word_ > verbs[command->verb].most)
        return HFTP_INVALID_ARGUMENTS;
    return HFTP_OK;
}

bool hftp_command_take(struct hftp_command *command, struct span *input)
{
    const char *at = input->ptr;
    const char *end = input->ptr + input->len;
    bool whole = false;

    while (at < end && !whole) {
        char c = *at++;
        whole = true;
        if (c == '\n') {
            command->code = command->cr_ ? end_line(command) : HFTP_BAD_EOL;
            break;
        }
        /* It did not end the line, so it is part of it. */
        if (command->cr_)
            take_byte(command, '\r');
        command->cr_ = c == '\r';
        if ((unsigned char)c > 0x7f)
            command->code = HFTP_BAD_REQUEST;
        else if (command->len >= HFTP_LINE_LIMIT && !command->cr_)
            command->code = HFTP_BAD_REQUEST;
        else {
            if (!command->cr_)
                take_byte(command, c);
            whole = false;
        }
    }
    *input = span_make(at, (size_t)(end - at));
    return whole;
}
