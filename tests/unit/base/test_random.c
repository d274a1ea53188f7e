#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/random.h"

/* Every byte is written and no byte past the end: of eight tries, none leaves a place at zero. */
static void fills_all_and_no_more(void **state)
{
    static const size_t lens[] = {0, 1, 16, 255, 257, 4096};
    (void)state;
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        uint8_t seen[4097] = {0}, out[4097];
        size_t len = lens[i];
        for (int try = 0; try < 8; try++) {
            out[len] = 0xA5;
            assert_true(random_fill(out, len));
            assert_int_equal(out[len], 0xA5);
            for (size_t j = 0; j < len; j++)
                seen[j] |= out[j];
        }
        for (size_t j = 0; j < len; j++)
            assert_int_not_equal(seen[j], 0); /* by chance once in 2^64 */
    }
}

/* Makes the kernel refuse getrandom to this process from now on, as a sandbox would. */
static bool forbid_getrandom(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getrandom, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof code[0], code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void a_refusal_is_told(void **state)
{
    enum { TOLD, NOT_TOLD, NO_FILTER };
    int status;
    (void)state;
    pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        static const uint8_t zeros[16];
        uint8_t out[16] = {1, 2, 3};
        if (!forbid_getrandom())
            _exit(NO_FILTER);
        bool told = !random_fill(out, sizeof out) && memcmp(out, zeros, sizeof out) == 0;
        _exit(told ? TOLD : NOT_TOLD);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == NO_FILTER)
        skip();
    assert_int_equal(WEXITSTATUS(status), TOLD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(fills_all_and_no_more),
                                       cmocka_unit_test(a_refusal_is_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
