#include "server/accounts.h"

#include "base/base64.h"
#include "base/bytes_equal.h"
#include "base/pbkdf2.h"
#include "base/utf8.h"

#include <stdlib.h>

static const struct span scheme = {"pbkdf2-sha256", 13};

/* Cuts off what stands before the next separator; *rest has ptr NULL after the last one. Spaces
   stay, and quotes mean nothing: a file name may hold either. */
static struct span cut(struct span *rest, char separator)
{
    struct span first = span_make(rest->ptr, span_find(*rest, separator));

    *rest = first.len < rest->len ? span_make(rest->ptr + first.len + 1, rest->len - first.len - 1)
                                  : SPAN_EMPTY;
    return first;
}

static bool has_control(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7F)
            return true;
    return false;
}

const char *account_name_fault(struct span name)
{
    if (name.len == 0)
        return "has no user name";
    if (name.len > ACCOUNT_NAME_LIMIT)
        return "has a user name of more than 64 bytes";
    if (has_control(name) || !utf8_valid(name))
        return "has a user name that is not plain text";
    if (name.ptr[0] == '#' || span_trim(name).len != name.len)
        return "has a user name that begins with # or has spaces around it";
    if (span_find(name, ':') < name.len || span_find(name, '~') < name.len)
        return "has a user name with : or ~ in it";
    return NULL;
}

static const char *read_hash(struct account *account, struct span text)
{
    uint64_t iterations;
    size_t salt_len, hash_len;

    if (!span_equal(cut(&text, '$'), scheme) || text.ptr == NULL)
        return "has no hash as httpd --passwd makes it (pbkdf2-sha256$...)";
    if (!span_to_u64(cut(&text, '$'), &iterations) || iterations < ACCOUNT_ITERATIONS_LEAST ||
        iterations > ACCOUNT_ITERATIONS_MOST)
        return "has a hash whose iterations are not a number from 1000 to 10000000";
    if (text.ptr == NULL ||
        !base64_decode(cut(&text, '$'), account->salt, sizeof account->salt, &salt_len) ||
        salt_len == 0)
        return "has a hash whose salt is not base64";
    if (text.ptr == NULL || !base64_decode(text, account->hash, sizeof account->hash, &hash_len) ||
        hash_len != sizeof account->hash)
        return "has a hash that is cut off or damaged";
    account->iterations = (uint32_t)iterations;
    account->salt_len = (uint8_t)salt_len;
    return NULL;
}

static const char *read_prefix(struct span text, struct span *prefix)
{
    if (text.len == 0 || text.ptr[0] != '/')
        return "has a path that does not begin with /";
    if (has_control(text))
        return "has a control character in its path";
    text = span_from(text, 1);
    if (text.len > 0 && text.ptr[text.len - 1] == '/')
        text.len--;
    *prefix = span_make(text.ptr, text.len);
    while (text.len > 0) {
        struct span segment = cut(&text, '/');
        if (segment.len == 0 || span_equal(segment, SPAN(".")) || span_equal(segment, SPAN("..")))
            return "has a path with an empty name, . or .. in it";
    }
    return NULL;
}

static bool same_secret(const struct account *a, const struct account *b)
{
    return a->iterations == b->iterations && a->salt_len == b->salt_len &&
           memcmp(a->salt, b->salt, a->salt_len) == 0 &&
           memcmp(a->hash, b->hash, sizeof a->hash) == 0;
}

/* Takes a line's user and hash: a new account, or one that an earlier line made. */
static const char *read_account(struct accounts *accounts, struct span name, struct span hash,
                                unsigned *index)
{
    const struct account *known = accounts_find(accounts, name);
    struct account *fresh = &accounts->list[accounts->count];
    const char *fault = account_name_fault(name);

    if (fault != NULL)
        return fault;
    *index = known != NULL ? (unsigned)(known - accounts->list) : accounts->count;
    if (known != NULL && hash.len == 0)
        return NULL;
    *fresh = (struct account){.name = name};
    if ((fault = read_hash(fresh, hash)) != NULL)
        return fault;
    if (known != NULL)
        return same_secret(known, fresh) ? NULL
                                         : "gives the user another password than a line before it";
    accounts->count++;
    if (fresh->iterations > accounts->most_iterations)
        accounts->most_iterations = fresh->iterations;
    return NULL;
}

/* user:hash[:path-prefix[:r|rw]] */
static const char *read_line(struct accounts *accounts, struct span line)
{
    struct grant *grant = &accounts->grants[accounts->grant_count];
    struct span name = cut(&line, ':');

    if (line.ptr == NULL)
        return "is not user:hash, user:hash:path or user:hash:path:r";
    const char *fault = read_account(accounts, name, cut(&line, ':'), &grant->account);
    if (fault != NULL)
        return fault;
    grant->writes = true;
    if (line.ptr != NULL && (fault = read_prefix(cut(&line, ':'), &grant->prefix)) != NULL)
        return fault;
    if (line.ptr != NULL) {
        grant->writes = span_equal(line, SPAN("rw"));
        if (!grant->writes && !span_equal(line, SPAN("r")))
            return "ends in something else than r or rw";
    }
    accounts->grant_count++;
    return NULL;
}

bool accounts_parse(struct accounts *accounts, char *text, size_t len, struct accounts_fault *fault)
{
    struct span rest = span_make(text, len);
    size_t lines = 1;

    for (size_t i = 0; i < len; i++)
        lines += text[i] == '\n';
    *accounts = (struct accounts){.text = text};
    *fault = (struct accounts_fault){0, "does not fit into memory"};
    /* One place more than lines: the account of a further line of a user is read to be compared. */
    accounts->list = calloc(lines + 1, sizeof *accounts->list);
    accounts->grants = calloc(lines, sizeof *accounts->grants);
    if (accounts->list == NULL || accounts->grants == NULL) {
        accounts_free(accounts);
        return false;
    }
    while (rest.len > 0) {
        struct span line = cut(&rest, '\n');
        fault->line++;
        if (line.len > 0 && line.ptr[line.len - 1] == '\r')
            line.len--;
        if (span_trim(line).len == 0 || line.ptr[0] == '#')
            continue;
        if ((fault->what = read_line(accounts, line)) != NULL) {
            accounts_free(accounts);
            return false;
        }
    }
    return true;
}

void accounts_free(struct accounts *accounts)
{
    free(accounts->text);
    free(accounts->list);
    free(accounts->grants);
    *accounts = (struct accounts){0};
}

const struct account *accounts_find(const struct accounts *accounts, struct span name)
{
    for (unsigned i = 0; i < accounts->count; i++)
        if (span_equal(accounts->list[i].name, name))
            return &accounts->list[i];
    return NULL;
}

bool accounts_verify(const struct accounts *accounts, const struct account *account,
                     struct span password)
{
    static const struct account nobody = {.salt_len = ACCOUNT_SALT_LEN};
    const struct account *a = account != NULL ? account : &nobody;
    struct span salt = span_make((const char *)a->salt, a->salt_len);
    uint32_t left = accounts->most_iterations - a->iterations;
    uint8_t hash[SHA256_LEN];
    bool same = false;

    if (account != NULL) {
        pbkdf2_hmac_sha256(password, salt, a->iterations, hash, sizeof hash);
        same = bytes_equal(hash, a->hash, sizeof hash);
    }
    if (left > 0)
        pbkdf2_hmac_sha256(password, salt, left, hash, sizeof hash);
    explicit_bzero(hash, sizeof hash);
    return same;
}

/* Whole names: "a/b" covers "a/b" and "a/b/c", and not "a/bc". */
static bool covers(struct span prefix, struct span path)
{
    return prefix.len == 0 || (span_starts_with(path, prefix) &&
                               (path.len == prefix.len || path.ptr[prefix.len] == '/'));
}

bool accounts_permit(const struct accounts *accounts, const struct account *account,
                     struct span path, bool writes)
{
    for (unsigned i = 0; i < accounts->grant_count; i++) {
        const struct grant *grant = &accounts->grants[i];
        if (&accounts->list[grant->account] == account && (grant->writes || !writes) &&
            covers(grant->prefix, path))
            return true;
    }
    return false;
}

static void put_base64(struct buffer *out, const void *bytes, size_t len)
{
    if (base64_encoded_len(len) > buffer_free(out)) {
        out->overflowed = true;
        return;
    }
    out->len += base64_encode(out->data + out->len, bytes, len);
}

void account_put(struct buffer *out, struct span name, struct span password, struct span salt,
                 uint32_t iterations)
{
    uint8_t hash[SHA256_LEN];

    pbkdf2_hmac_sha256(password, salt, iterations, hash, sizeof hash);
    buffer_put_span(out, name);
    buffer_put_char(out, ':');
    buffer_put_span(out, scheme);
    buffer_put_char(out, '$');
    buffer_put_u64(out, iterations);
    buffer_put_char(out, '$');
    put_base64(out, salt.ptr, salt.len);
    buffer_put_char(out, '$');
    put_base64(out, hash, sizeof hash);
}
