#include "client/command.h"

#include <stdlib.h>

#include "http/field.h"

enum { DAY_MS = 24 * 3600 * 1000 };

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Copies one word down to *to, quotes taken off: where the text goes on, NULL for an open quote. */
static char *split_word(char *from, char **to)
{
    char quote = '\0', *out = *to;
    for (; *from != '\0' && (quote != '\0' || !is_space(*from)); from++) {
        bool escapes = *from == '\\' && quote != '\'' && from[1] != '\0' &&
                       (quote == '\0' || from[1] == '"' || from[1] == '\\');
        if (escapes)
            *out++ = *++from;
        else if (quote != '\0' && *from == quote)
            quote = '\0';
        else if (quote == '\0' && (*from == '\'' || *from == '"'))
            quote = *from;
        else
            *out++ = *from;
    }
    *to = out;
    return quote == '\0' ? from : NULL;
}

int command_split(char *text, char **words, int cap)
{
    int count = 0;
    for (;;) {
        while (is_space(*text))
            text++;
        if (*text == '\0')
            return count;
        if (count == cap)
            return -1;
        char *out = text, *next = split_word(text, &out);
        if (next == NULL)
            return -1;
        words[count++] = text;
        /* The word is never longer than what it was made of: its end may stand on the space. */
        text = *next == '\0' ? next : next + 1;
        *out = '\0';
    }
}

bool command_seconds(const char *text, int *ms)
{
    struct span whole = span_of(text);
    size_t dot = span_find(whole, '.');
    uint64_t seconds, thousandths = 0;
    if (dot < whole.len) {
        struct span part = span_from(whole, dot + 1);
        whole.len = dot;
        if (part.len < 1 || part.len > 3 || !span_to_u64(part, &thousandths))
            return false;
        for (size_t i = part.len; i < 3; i++)
            thousandths *= 10;
    }
    if (!span_to_u64(whole, &seconds) || seconds > DAY_MS / 1000)
        return false;
    uint64_t all = seconds * 1000 + thousandths;
    if (all == 0 || all > DAY_MS)
        return false;
    *ms = (int)all;
    return true;
}

/* The lines of the fields, one after the other; each time without its CRLF. */
static struct span next_line(struct span *rest)
{
    struct span line = span_make(rest->ptr, span_find(*rest, '\r'));
    *rest = span_from(*rest, line.len + 2);
    return line;
}

bool command_has_field(const struct command *command, struct span name)
{
    struct span rest = span_make(command->fields, command->fields_len);
    while (rest.len > 0) {
        struct span line = next_line(&rest);
        if (span_equal_nocase(span_make(line.ptr, span_find(line, ':')), name))
            return true;
    }
    return false;
}

/* A field as it goes on the wire. What frames the message is this program's to say. */
static bool add_field(struct command *command, const char *text, struct failure *failure)
{
    struct span line = span_of(text);
    struct span name = span_make(line.ptr, span_find(line, ':'));
    if (name.len == line.len || !field_is_token(name))
        return failure_set(failure, FAILURE_USAGE, "-H '%s': not of the form 'Name: value'", text);
    struct span value = span_trim(span_from(line, name.len + 1));
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if ((c < ' ' && c != '\t') || c == 0x7F)
            return failure_set(failure, FAILURE_USAGE, "-H '" SPAN_FMT "': a control character",
                               SPAN_ARG(name));
    }
    if (span_equal_nocase(name, SPAN("Content-Length")) ||
        span_equal_nocase(name, SPAN("Transfer-Encoding")))
        return failure_set(failure, FAILURE_USAGE, "-H '" SPAN_FMT "': it follows from -d",
                           SPAN_ARG(name));
    struct buffer out = buffer_make(command->fields + command->fields_len,
                                    COMMAND_FIELDS_LIMIT - command->fields_len);
    buffer_put_span(&out, name);
    buffer_put_text(&out, ": ");
    buffer_put_span(&out, value);
    buffer_put_text(&out, "\r\n");
    if (out.overflowed)
        return failure_set(failure, FAILURE_USAGE, "more than %d bytes of -H",
                           COMMAND_FIELDS_LIMIT);
    command->fields_len += out.len;
    return true;
}

enum option {
    OPTION_NONE,
    OPTION_BAD,
    OPTION_OUTPUT,
    OPTION_DATA,
    OPTION_FIELD,
    OPTION_INCLUDE,
    OPTION_FOLLOW,
    OPTION_RESUME,
    OPTION_JSON,
    OPTION_TRIES,
    OPTION_HOST,
    OPTION_TIMEOUT,
    OPTION_HELP,
    OPTION_VERSION
};

static enum option option_of(const char *word)
{
    static const struct {
        const char *brief, *full;
        enum option option;
    } options[] = {
        {"-o", "--output", OPTION_OUTPUT},   {"-d", "--data", OPTION_DATA},
        {"-H", "--header", OPTION_FIELD},    {"-i", "--include", OPTION_INCLUDE},
        {"-L", "--location", OPTION_FOLLOW}, {"-h", "--host", OPTION_HOST},
        {"-V", "--version", OPTION_VERSION}, {"--timeout", "--timeout", OPTION_TIMEOUT},
        {"--help", "--help", OPTION_HELP},   {"--resume", "--resume", OPTION_RESUME},
        {"--json", "--json", OPTION_JSON},   {"--tries", "--tries", OPTION_TRIES},
    };
    if (word[0] != '-' || word[1] == '\0')
        return OPTION_NONE;
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (strcmp(word, options[i].brief) == 0 || strcmp(word, options[i].full) == 0)
            return options[i].option;
    return OPTION_BAD;
}

static bool option_has_value(enum option option)
{
    return option == OPTION_OUTPUT || option == OPTION_DATA || option == OPTION_FIELD ||
           option == OPTION_HOST || option == OPTION_TIMEOUT || option == OPTION_TRIES;
}

static bool set_tries(struct command *command, const char *value, struct failure *failure)
{
    uint64_t tries;
    if (!span_to_u64(span_of(value), &tries) || tries == 0 || tries > COMMAND_TRIES_LIMIT)
        return failure_set(failure, FAILURE_USAGE, "--tries '%s': not a count", value);
    command->tries = (unsigned)tries;
    return true;
}

static bool apply(struct command *command, enum option option, const char *value,
                  struct failure *failure)
{
    switch (option) {
    case OPTION_OUTPUT: command->output = value; return true;
    case OPTION_DATA: command->data = value; return true;
    case OPTION_FIELD: return add_field(command, value, failure);
    case OPTION_INCLUDE: command->include = true; return true;
    case OPTION_FOLLOW: command->follow = true; return true;
    case OPTION_RESUME: command->resume = true; return true;
    case OPTION_JSON: command->json = true; return true;
    case OPTION_TRIES: return set_tries(command, value, failure);
    default: return true;
    }
}

static bool is_target(const char *word)
{
    return word[0] == '/' || strcmp(word, "*") == 0 || url_is_absolute(span_of(word));
}

/* What resuming needs, and what it says itself. */
static bool check_resume(const struct command *command, struct failure *failure)
{
    static const struct span taken[] = {{"Range", 5}, {"If-Range", 8}, {"Content-Range", 13}};
    bool get = span_equal(command->method, SPAN("GET"));
    const char *data = command->data, *output = command->output;
    if (!command->resume)
        return true;
    if (!get && !span_equal(command->method, SPAN("PUT")))
        return failure_set(failure, FAILURE_USAGE, "--resume is for GET and PUT");
    if (get && (output == NULL || strcmp(output, "-") == 0 || data != NULL))
        return failure_set(failure, FAILURE_USAGE, "GET --resume needs -o FILE, and no -d");
    if (!get && (data == NULL || data[0] != '@' || strcmp(data, "@-") == 0 || output != NULL))
        return failure_set(failure, FAILURE_USAGE, "PUT --resume needs -d @FILE, and no -o");
    if (command->include)
        return failure_set(failure, FAILURE_USAGE, "--resume has no head to show with -i");
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        if (command_has_field(command, taken[i]))
            return failure_set(failure, FAILURE_USAGE, "-H '" SPAN_FMT "': --resume says it",
                               SPAN_ARG(taken[i]));
    return true;
}

/* METHOD TARGET and options in any order. */
static bool parse_words(struct command *command, bool has_host, int count, char *const *words,
                        struct failure *failure)
{
    const char *plain[2] = {NULL, NULL};
    size_t plain_count = 0;
    for (int i = 0; i < count; i++) {
        enum option option = option_of(words[i]);
        if (option == OPTION_NONE && plain_count == 2)
            return failure_set(failure, FAILURE_USAGE,
                               "'%s': one word too many (quote each command if there are several)",
                               words[i]);
        if (option == OPTION_NONE) {
            plain[plain_count++] = words[i];
            continue;
        }
        if (option == OPTION_BAD || option >= OPTION_HOST)
            return failure_set(failure, FAILURE_USAGE, "'%s': no such option in a command",
                               words[i]);
        if (option_has_value(option) && i + 1 == count)
            return failure_set(failure, FAILURE_USAGE, "'%s' needs a value", words[i]);
        const char *value = option_has_value(option) ? words[++i] : NULL;
        if (!apply(command, option, value, failure))
            return false;
    }
    if (plain[1] == NULL)
        return failure_set(failure, FAILURE_USAGE, "a command is METHOD TARGET, as 'GET /'");
    command->method = span_of(plain[0]);
    command->target = plain[1];
    if (!field_is_token(command->method))
        return failure_set(failure, FAILURE_USAGE, "'%s': not a method", plain[0]);
    if (!is_target(command->target))
        return failure_set(failure, FAILURE_USAGE, "'%s': a target begins with '/' or 'http://'",
                           plain[1]);
    if (!has_host && !url_is_absolute(span_of(command->target)))
        return failure_set(failure, FAILURE_USAGE, "which host? give -h HOST[:PORT]");
    if (command->tries == 0)
        command->tries = COMMAND_TRIES;
    return check_resume(command, failure);
}

/* The words of all arguments, sorted into what is for the whole run and what is a command. */
struct sorted {
    int plain_count, loose_count;
    char **plain; /* no options: commands, or the words of the one command */
    char **loose; /* options of commands, with their values */
};

static bool take_global(struct invocation *invocation, enum option option, const char *value,
                        struct failure *failure)
{
    enum url_result result;
    switch (option) {
    case OPTION_HOST:
        result = origin_parse(&invocation->origin, span_of(value));
        if (result != URL_OK)
            return failure_set(failure, FAILURE_USAGE, "-h '%s' %s", value,
                               url_result_text(result));
        invocation->has_origin = true;
        return true;
    case OPTION_TIMEOUT:
        if (!command_seconds(value, &invocation->timeout_ms))
            return failure_set(failure, FAILURE_USAGE, "--timeout '%s': not a count of seconds",
                               value);
        return true;
    case OPTION_HELP: invocation->wish = INVOCATION_HELP; return true;
    case OPTION_VERSION: invocation->wish = INVOCATION_VERSION; return true;
    default: return true;
    }
}

static bool sort_words(struct invocation *invocation, struct sorted *sorted, int argc,
                       char *const *argv, struct failure *failure)
{
    for (int i = 0; i < argc; i++) {
        enum option option = option_of(argv[i]);
        bool has_value = option_has_value(option);
        if (option == OPTION_BAD)
            return failure_set(failure, FAILURE_USAGE, "'%s': no such option", argv[i]);
        if (has_value && i + 1 == argc)
            return failure_set(failure, FAILURE_USAGE, "'%s' needs a value", argv[i]);
        if (option == OPTION_NONE) {
            sorted->plain[sorted->plain_count++] = argv[i];
        } else if (option >= OPTION_HOST) {
            if (!take_global(invocation, option, has_value ? argv[++i] : NULL, failure))
                return false;
        } else {
            sorted->loose[sorted->loose_count++] = argv[i];
            if (has_value)
                sorted->loose[sorted->loose_count++] = argv[++i];
        }
    }
    return true;
}

static bool has_space(const char *word)
{
    while (*word != '\0' && !is_space(*word))
        word++;
    return *word != '\0';
}

/* One argument that is a whole command; the options outside of all commands are for each. */
static bool parse_quoted(struct command *command, bool has_host, const char *text,
                         const struct sorted *sorted, struct failure *failure)
{
    char *words[COMMAND_WORDS_LIMIT];
    command->memory = strdup(text);
    if (command->memory == NULL)
        return failure_set(failure, FAILURE_LOCAL, "%m");
    int count = command_split(command->memory, words, COMMAND_WORDS_LIMIT);
    if (count == -1)
        return failure_set(failure, FAILURE_USAGE, "'%s': a quote is not closed", text);
    for (int i = 0; i < sorted->loose_count; i++) {
        enum option option = option_of(sorted->loose[i]);
        if (option == OPTION_OUTPUT || option == OPTION_DATA)
            return failure_set(failure, FAILURE_USAGE, "'%s' belongs inside a quoted command",
                               sorted->loose[i]);
        const char *value = option_has_value(option) ? sorted->loose[++i] : NULL;
        if (!apply(command, option, value, failure))
            return false;
    }
    return parse_words(command, has_host, count, words, failure);
}

static bool parse_commands(struct invocation *invocation, struct sorted *sorted,
                           struct failure *failure)
{
    bool quoted = sorted->plain_count > 0 && has_space(sorted->plain[0]);
    if (sorted->plain_count == 0)
        return failure_set(failure, FAILURE_USAGE, "nothing to do: give a command, as 'GET /'");
    invocation->count = quoted ? (size_t)sorted->plain_count : 1;
    invocation->commands = calloc(invocation->count, sizeof *invocation->commands);
    if (invocation->commands == NULL)
        return failure_set(failure, FAILURE_LOCAL, "%m");
    if (!quoted) {
        /* plain and loose are one array with room for both: the words of the one command. */
        memmove(sorted->plain + sorted->plain_count, sorted->loose,
                (size_t)sorted->loose_count * sizeof *sorted->loose);
        return parse_words(invocation->commands, invocation->has_origin,
                           sorted->plain_count + sorted->loose_count, sorted->plain, failure);
    }
    for (int i = 0; i < sorted->plain_count; i++)
        if (!parse_quoted(&invocation->commands[i], invocation->has_origin, sorted->plain[i],
                          sorted, failure))
            return false;
    return true;
}

bool invocation_parse(struct invocation *invocation, int argc, char *const *argv,
                      struct failure *failure)
{
    *invocation = (struct invocation){.timeout_ms = COMMAND_TIMEOUT_MS};
    char **room = calloc(2 * (size_t)argc + 2, sizeof *room);
    if (room == NULL)
        return failure_set(failure, FAILURE_LOCAL, "%m");
    struct sorted sorted = {.plain = room, .loose = room + argc + 1};
    bool good = sort_words(invocation, &sorted, argc, argv, failure);
    if (good && invocation->wish == INVOCATION_RUN)
        good = parse_commands(invocation, &sorted, failure);
    free(room);
    if (!good)
        invocation_free(invocation);
    return good;
}

void invocation_free(struct invocation *invocation)
{
    for (size_t i = 0; i < invocation->count && invocation->commands != NULL; i++)
        free(invocation->commands[i].memory);
    free(invocation->commands);
    invocation->commands = NULL;
    invocation->count = 0;
}
