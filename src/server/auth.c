#include "server/auth.h"

#include "base/bytes_equal.h"
#include "base/hmac.h"
#include "base/log.h"
#include "base/random.h"
#include "http/authorization.h"
#include "server/throttle.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    CACHE_SETS = 64,
    CACHE_WAYS = 4,
    CHECKS_MOST = 8, /* password checks at the same time, and half of the workers at most */
    LOG_LINES = 20,  /* about failures, in LOG_WINDOW_MS */
    LOG_WINDOW_MS = 60000,
};

/* The accounts of one reading of the file, kept as long as somebody looks at them. */
struct edition {
    struct accounts accounts;
    unsigned users; /* guarded by auth->lock; auth->current is one */
};

/* HMAC of the credentials under the key of this process. */
struct code {
    uint8_t bytes[HMAC_SHA256_LEN];
};

struct check {
    struct code code;
    const struct edition *edition;
    unsigned waiting; /* 0 and not running: the place is free */
    bool running, good;
};

struct auth {
    const char *path;
    uint8_t key[SHA256_LEN];

    pthread_mutex_t lock; /* guards what follows; never held for long */
    pthread_cond_t checked;
    struct edition *current;
    struct cached {
        struct code code;
        const struct account *account; /* NULL: empty; of the current edition */
    } cache[CACHE_SETS][CACHE_WAYS];
    unsigned next_way;
    struct check checks[CHECKS_MOST];
    unsigned checks_most;
    struct throttle throttle;
    int64_t log_since_ms;
    unsigned log_lines, log_left_out;
};

/* --- The file ----------------------------------------------------------------------------------
 */

/* Reads all of it. NULL with errno set; memory from malloc otherwise. */
static char *read_file(const char *path, size_t *len)
{
    struct stat st;
    char *text = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    *len = 0;
    if (fd == -1)
        return NULL;
    if (fstat(fd, &st) == -1) {
        text = NULL;
    } else if (!S_ISREG(st.st_mode) || st.st_size > ACCOUNTS_TEXT_LIMIT) {
        errno = S_ISREG(st.st_mode) ? EFBIG : EINVAL;
    } else if ((text = malloc((size_t)st.st_size + 1)) != NULL) {
        ssize_t n = read(fd, text, (size_t)st.st_size);
        if (n == -1) {
            free(text);
            text = NULL;
        } else {
            *len = (size_t)n;
        }
        if ((st.st_mode & (S_IROTH | S_IWOTH)) != 0)
            log_warning("everybody on this machine can get at '%s': chmod 600 would keep it", path);
    }
    int saved = errno;
    close(fd);
    errno = saved;
    return text;
}

/* NULL after a line that says why, ended by `consequence`. */
static struct edition *read_edition(const char *path, const char *consequence)
{
    struct accounts_fault fault;
    size_t len;
    char *text = read_file(path, &len);
    struct edition *edition = text != NULL ? calloc(1, sizeof *edition) : NULL;

    if (edition == NULL) {
        log_error("cannot read the accounts in '%s': %m%s", path, consequence);
        free(text);
        return NULL;
    }
    if (!accounts_parse(&edition->accounts, text, len, &fault)) {
        log_error("%s: line %u %s%s", path, fault.line, fault.what, consequence);
        free(edition);
        return NULL;
    }
    if (edition->accounts.count == 0)
        log_warning("'%s' holds no account: nobody can log in", path);
    edition->users = 1;
    return edition;
}

static struct edition *hold(struct auth *auth)
{
    auth->current->users++;
    return auth->current;
}

static void let_go(struct auth *auth, struct edition *edition)
{
    pthread_mutex_lock(&auth->lock);
    bool last = --edition->users == 0;
    pthread_mutex_unlock(&auth->lock);
    if (last) {
        accounts_free(&edition->accounts);
        free(edition);
    }
}

struct auth *auth_open(const char *path, unsigned threads)
{
    struct edition *edition = read_edition(path, "");
    struct auth *auth = edition != NULL ? calloc(1, sizeof *auth) : NULL;

    if (auth == NULL) {
        if (edition != NULL) {
            accounts_free(&edition->accounts);
            log_error("no memory for the accounts");
        }
        free(edition);
        return NULL;
    }
    auth->path = path;
    auth->current = edition;
    auth->checks_most = threads / 2 < CHECKS_MOST ? threads / 2 : CHECKS_MOST;
    if (auth->checks_most == 0)
        auth->checks_most = 1;
    if (pthread_mutex_init(&auth->lock, NULL) == 0) {
        if (pthread_cond_init(&auth->checked, NULL) == 0) {
            if (random_fill(auth->key, sizeof auth->key) && throttle_init(&auth->throttle))
                return auth;
            pthread_cond_destroy(&auth->checked);
        }
        pthread_mutex_destroy(&auth->lock);
    }
    log_error("cannot set up logins");
    accounts_free(&edition->accounts);
    free(edition);
    free(auth);
    return NULL;
}

void auth_set_path(struct auth *auth, const char *path)
{
    auth->path = path;
}

void auth_reload(struct auth *auth)
{
    struct edition *fresh = read_edition(auth->path, "; going on with those read before"), *old;

    if (fresh == NULL)
        return;
    pthread_mutex_lock(&auth->lock);
    old = auth->current;
    auth->current = fresh;
    memset(auth->cache, 0, sizeof auth->cache);
    pthread_mutex_unlock(&auth->lock);
    let_go(auth, old);
    log_notice("read '%s' again: %u accounts", auth->path, fresh->accounts.count);
}

void auth_close(struct auth *auth)
{
    if (auth == NULL)
        return;
    let_go(auth, auth->current);
    pthread_cond_destroy(&auth->checked);
    pthread_mutex_destroy(&auth->lock);
    explicit_bzero(auth, sizeof *auth);
    free(auth);
}

/* --- What is known already ---------------------------------------------------------------------
 */

static struct code code_of(const struct auth *auth, struct span user, struct span password)
{
    struct hmac_sha256 h;
    struct code code = {{0}};

    /* No name holds a NUL, so no two pairs are one run of bytes. */
    hmac_sha256_init(&h, auth->key, sizeof auth->key);
    hmac_sha256_update(&h, user.ptr, user.len);
    hmac_sha256_update(&h, "", 1);
    hmac_sha256_update(&h, password.ptr, password.len);
    hmac_sha256_final(&h, code.bytes);
    return code;
}

static bool same_code(const struct code *a, const struct code *b)
{
    return bytes_equal(a->bytes, b->bytes, sizeof a->bytes);
}

static const struct account *cache_find(struct auth *auth, const struct code *code)
{
    struct cached *set = auth->cache[code->bytes[0] % CACHE_SETS];

    for (unsigned i = 0; i < CACHE_WAYS; i++)
        if (set[i].account != NULL && same_code(&set[i].code, code))
            return set[i].account;
    return NULL;
}

static void cache_add(struct auth *auth, const struct code *code, const struct account *account)
{
    struct cached *set = auth->cache[code->bytes[0] % CACHE_SETS];

    if (cache_find(auth, code) == NULL)
        set[auth->next_way++ % CACHE_WAYS] = (struct cached){*code, account};
}

/* --- Checking a password -----------------------------------------------------------------------
 */

/* A place to check these credentials in: one where they are being checked, else a free one, else
   NULL. */
static struct check *find_check(struct auth *auth, const struct code *code,
                                const struct edition *edition)
{
    struct check *place = NULL;
    unsigned taken = 0;

    for (unsigned i = 0; i < auth->checks_most; i++) {
        struct check *check = &auth->checks[i];
        if (!check->running && check->waiting == 0) {
            place = check;
            continue;
        }
        taken++;
        if (check->edition == edition && same_code(&check->code, code))
            return check;
    }
    return taken < auth->checks_most ? place : NULL;
}

/* Checks a password, or waits for another worker that is checking the same one. */
static enum auth_result check_password(struct auth *auth, const struct edition *edition,
                                       const struct code *code, const struct account *account,
                                       struct span password)
{
    bool good;

    pthread_mutex_lock(&auth->lock);
    struct check *check = find_check(auth, code, edition);
    if (check == NULL) {
        pthread_mutex_unlock(&auth->lock);
        return AUTH_BUSY;
    }
    if (check->running || check->waiting > 0) {
        check->waiting++;
        while (check->running)
            pthread_cond_wait(&auth->checked, &auth->lock);
        check->waiting--;
        good = check->good;
    } else {
        *check = (struct check){.code = *code, .edition = edition, .running = true};
        pthread_mutex_unlock(&auth->lock);
        good = accounts_verify(&edition->accounts, account, password);
        pthread_mutex_lock(&auth->lock);
        check->running = false;
        check->good = good;
        if (good && edition == auth->current)
            cache_add(auth, code, account);
        pthread_cond_broadcast(&auth->checked);
    }
    pthread_mutex_unlock(&auth->lock);
    return good ? AUTH_ALLOWED : AUTH_UNKNOWN;
}

/* Whether one more line about failures may be written; *left_out is what this one makes up for. */
static bool may_log(struct auth *auth, int64_t now_ms, unsigned *left_out)
{
    *left_out = 0;
    if (auth->log_lines == 0 || now_ms - auth->log_since_ms >= LOG_WINDOW_MS) {
        *left_out = auth->log_left_out;
        auth->log_since_ms = now_ms;
        auth->log_lines = auth->log_left_out = 0;
    }
    if (auth->log_lines == LOG_LINES) {
        auth->log_left_out++;
        return false;
    }
    auth->log_lines++;
    return true;
}

/* Counts a failure, and says so. A name that no account has is not repeated: now and then it is a
   password that was typed in the wrong place. */
static void note_failure(struct auth *auth, const struct auth_question *q,
                         const struct account *account)
{
    char bytes[ADDRESS_TEXT_LIMIT];
    struct buffer who = BUFFER_OVER(bytes);
    unsigned left_out;

    pthread_mutex_lock(&auth->lock);
    unsigned failures = throttle_failed(&auth->throttle, q->peer, q->now_ms);
    bool log = may_log(auth, q->now_ms, &left_out);
    pthread_mutex_unlock(&auth->lock);
    if (!log)
        return;
    address_put_host(&who, q->peer);
    if (left_out > 0)
        log_warning("%u more failed logins were not written here", left_out);
    if (account != NULL)
        log_warning("login failed: wrong password for '" SPAN_FMT "' from " SPAN_FMT,
                    SPAN_ARG(account->name), SPAN_ARG(buffer_span(&who)));
    else
        log_warning("login failed: unknown user from " SPAN_FMT, SPAN_ARG(buffer_span(&who)));
    if (failures == THROTTLE_FAILURES)
        log_warning("login failed %u times within a minute from " SPAN_FMT
                    ": it has to wait until that is over",
                    failures, SPAN_ARG(buffer_span(&who)));
}

/* --- Deciding ----------------------------------------------------------------------------------
 */

/* User and password out of the field: those of Basic, or the two halves of a Bearer token. */
static enum auth_result read_credentials(struct span field, struct authorization *credentials,
                                         char text[static AUTHORIZATION_LIMIT])
{
    struct span token;
    size_t tilde;

    switch (authorization_parse(field, credentials, text)) {
    case AUTHORIZATION_BASIC: return AUTH_ALLOWED;
    case AUTHORIZATION_BEARER:
        token = credentials->token;
        tilde = span_find(token, '~');
        if (tilde == token.len)
            return AUTH_UNKNOWN;
        credentials->user = span_make(token.ptr, tilde);
        credentials->password = span_from(token, tilde + 1);
        return AUTH_ALLOWED;
    case AUTHORIZATION_MALFORMED: return AUTH_MALFORMED;
    default: return AUTH_UNKNOWN;
    }
}

static void name(struct auth_verdict *verdict, const struct account *account)
{
    memcpy(verdict->user, account->name.ptr, account->name.len);
    verdict->user_len = account->name.len;
}

static enum auth_result decide(struct auth *auth, struct edition *edition,
                               const struct account *account, const struct auth_question *q,
                               const struct authorization *credentials, const struct code *code,
                               struct auth_verdict *verdict)
{
    const struct accounts *accounts = &edition->accounts;

    if (account == NULL) {
        account = accounts_find(accounts, credentials->user);
        enum auth_result result =
            check_password(auth, edition, code, account, credentials->password);
        if (result == AUTH_UNKNOWN)
            note_failure(auth, q, account);
        if (result != AUTH_ALLOWED)
            return result;
    }
    name(verdict, account);
    return q->anywhere || accounts_permit(accounts, account, q->path, q->writes) ? AUTH_ALLOWED
                                                                                 : AUTH_FORBIDDEN;
}

enum auth_result auth_decide(struct auth *auth, const struct auth_question *question,
                             struct auth_verdict *verdict)
{
    char text[AUTHORIZATION_LIMIT];
    struct authorization credentials;
    enum auth_result result = read_credentials(question->authorization, &credentials, text);

    verdict->user_len = 0;
    verdict->retry_s = 0;
    if (result == AUTH_ALLOWED) {
        struct code code = code_of(auth, credentials.user, credentials.password);
        pthread_mutex_lock(&auth->lock);
        struct edition *edition = hold(auth);
        const struct account *account = cache_find(auth, &code);
        /* Who has the right password already is not locked out by a neighbour who guesses. */
        if (account == NULL)
            verdict->retry_s = throttle_wait_s(&auth->throttle, question->peer, question->now_ms);
        pthread_mutex_unlock(&auth->lock);
        result = verdict->retry_s > 0
                     ? AUTH_SLOWED
                     : decide(auth, edition, account, question, &credentials, &code, verdict);
        let_go(auth, edition);
    }
    explicit_bzero(text, sizeof text);
    return result;
}

void auth_recall(struct auth *auth, struct span authorization, struct auth_verdict *verdict)
{
    char text[AUTHORIZATION_LIMIT];
    struct authorization credentials;

    verdict->user_len = 0;
    if (read_credentials(authorization, &credentials, text) == AUTH_ALLOWED) {
        struct code code = code_of(auth, credentials.user, credentials.password);
        pthread_mutex_lock(&auth->lock);
        const struct account *account = cache_find(auth, &code);
        if (account != NULL)
            name(verdict, account);
        pthread_mutex_unlock(&auth->lock);
    }
    explicit_bzero(text, sizeof text);
}
