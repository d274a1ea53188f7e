/*
 * oldkernel CALL[,CALL...] COMMAND... : runs the command on a kernel that does not have these
 * system calls (landlock, seccomp, openat2): they fail with ENOSYS, as on an older one, or in a
 * container whose runtime does not let them through.
 */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct instruction {
    uint16_t code;
    uint8_t if_true, if_false;
    uint32_t operand;
};

struct program {
    uint16_t len;
    const struct instruction *first;
};

enum { LOAD = 0x20, IF_EQUAL = 0x15, RETURN = 0x06, MODE_FILTER = 1, MOST = 16 };
#define ALLOW 0x7fff0000u
#define FAIL  0x00050000u

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        uint32_t number;
    } calls[] = {{"landlock", 444}, {"seccomp", SYS_seccomp}, {"openat2", 437}};
    struct instruction to[MOST] = {{LOAD, 0, 0, 0}};
    struct program program = {.len = 1, .first = to};

    if (argc < 3) {
        fprintf(stderr, "usage: oldkernel landlock,seccomp,openat2 COMMAND...\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        if (strstr(argv[1], calls[i].name) == NULL)
            continue;
        to[program.len++] = (struct instruction){IF_EQUAL, 0, 1, calls[i].number};
        to[program.len++] = (struct instruction){RETURN, 0, 0, FAIL | ENOSYS};
    }
    to[program.len++] = (struct instruction){RETURN, 0, 0, ALLOW};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
        syscall(SYS_seccomp, MODE_FILTER, 0, &program) == -1) {
        perror("oldkernel");
        return 77;
    }
    execvp(argv[2], argv + 2);
    perror(argv[2]);
    return 1;
}
