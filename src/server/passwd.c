#include "server/passwd.h"

#include "base/log.h"
#include "base/random.h"
#include "http/authorization.h"
#include "server/accounts.h"

#include <stdio.h>
#include <termios.h>
#include <unistd.h>

enum {
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    PASSWORD_LIMIT = AUTHORIZATION_LIMIT - ACCOUNT_NAME_LIMIT - 1, /* what a request can carry */
    LINE_LIMIT = 512,
};

/* Reads a line by system calls alone, so that the password is in no other memory. NULL, or what is
   wrong with it. */
static const char *read_password(char password[static PASSWORD_LIMIT], size_t *len)
{
    char c;
    ssize_t n;

    *len = 0;
    while ((n = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n') {
        if ((unsigned char)c < 0x20 || c == 0x7F)
            return "a password has no control characters";
        if (*len == PASSWORD_LIMIT)
            return "the password is too long";
        password[(*len)++] = c;
    }
    if (n == -1)
        return "the password cannot be read";
    return *len == 0 ? "the password is empty" : NULL;
}

/* The same, from a terminal: asks for it, and shows neither the password nor reacts to keys that
   would end the program and leave the terminal mute. */
static const char *ask(const char *prompt, char password[static PASSWORD_LIMIT], size_t *len)
{
    struct termios shown, mute;
    const char *fault;

    if (tcgetattr(STDIN_FILENO, &shown) == -1)
        return read_password(password, len);
    mute = shown;
    mute.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
    fputs(prompt, stderr);
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &mute) == -1)
        return "the terminal cannot be made to hide the password";
    fault = read_password(password, len);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    fputs("\n", stderr);
    return fault;
}

static const char *ask_twice(char password[static PASSWORD_LIMIT], size_t *len)
{
    char again[PASSWORD_LIMIT];
    size_t again_len;
    const char *fault = ask("Password: ", password, len);

    if (fault != NULL || isatty(STDIN_FILENO) == 0)
        return fault;
    fault = ask("Again: ", again, &again_len);
    if (fault == NULL && !span_equal(span_make(password, *len), span_make(again, again_len)))
        fault = "the two passwords are not the same";
    explicit_bzero(again, sizeof again);
    return fault;
}

int passwd_run(const char *user)
{
    char password[PASSWORD_LIMIT], salt[ACCOUNT_SALT_LEN], bytes[LINE_LIMIT];
    struct buffer line = BUFFER_OVER(bytes);
    size_t len;
    const char *fault = account_name_fault(span_of(user));

    if (fault != NULL) {
        log_error("--passwd: that %s", fault);
        return EXIT_USAGE;
    }
    fault = ask_twice(password, &len);
    if (fault == NULL && !random_fill(salt, sizeof salt))
        fault = "there are no random bytes to be had";
    if (fault == NULL)
        account_put(&line, span_of(user), span_make(password, len), span_make(salt, sizeof salt),
                    ACCOUNT_ITERATIONS);
    explicit_bzero(password, sizeof password);
    if (fault != NULL) {
        log_error("%s", fault);
        return EXIT_FAILED;
    }
    printf(SPAN_FMT "\n", SPAN_ARG(buffer_span(&line)));
    return fflush(stdout) == 0 ? 0 : EXIT_FAILED;
}
