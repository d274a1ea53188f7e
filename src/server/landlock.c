#include "server/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Declared here, since musl brings no kernel headers, and those of a distribution are often older
 * than the kernel that runs. The numbers are the same on every machine.
 */
enum {
    CALL_CREATE_RULESET = 444,
    CALL_ADD_RULE = 445,
    CALL_RESTRICT_SELF = 446,

    CREATE_RULESET_VERSION = 1, /* a flag: only tell the version */
    RULE_PATH_BENEATH = 1,
};

#define FS_EXECUTE     (UINT64_C(1) << 0)
#define FS_WRITE_FILE  (UINT64_C(1) << 1)
#define FS_READ_FILE   (UINT64_C(1) << 2)
#define FS_READ_DIR    (UINT64_C(1) << 3)
#define FS_REMOVE_DIR  (UINT64_C(1) << 4)
#define FS_REMOVE_FILE (UINT64_C(1) << 5)
#define FS_MAKE_DIR    (UINT64_C(1) << 7)
#define FS_MAKE_REG    (UINT64_C(1) << 8)
#define FS_REFER       (UINT64_C(1) << 13) /* rename to another directory */
#define FS_TRUNCATE    (UINT64_C(1) << 14)

/* Of what a directory can be asked, a file knows these. */
#define FS_OF_A_FILE (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE)

/* The rights that versions 1, 2, 3 and 5 know: 5 has ioctl on devices. */
#define FS_ALL_1 ((UINT64_C(1) << 13) - 1)
#define FS_ALL_2 ((UINT64_C(1) << 14) - 1)
#define FS_ALL_3 ((UINT64_C(1) << 15) - 1)
#define FS_ALL_5 ((UINT64_C(1) << 16) - 1)

#define NET_TCP   UINT64_C(3) /* version 4: bind and connect */
#define SCOPE_ALL UINT64_C(3) /* version 6: abstract Unix sockets, and signals to others */

struct ruleset {
    uint64_t fs;
    uint64_t net;
    uint64_t scope;
};

/* As the kernel lays it out, without the padding that the compiler would add. */
struct path_beneath {
    uint64_t allowed;
    int32_t fd;
} __attribute__((packed));

static uint64_t fs_known(unsigned abi)
{
    return abi >= 5 ? FS_ALL_5 : abi >= 3 ? FS_ALL_3 : abi == 2 ? FS_ALL_2 : FS_ALL_1;
}

static uint64_t rights_for(enum landlock_need need)
{
    switch (need) {
    case LANDLOCK_READ: return FS_READ_FILE | FS_READ_DIR;
    case LANDLOCK_FILES: return FS_READ_FILE;
    case LANDLOCK_CHANGE:
        return FS_READ_FILE | FS_READ_DIR | FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE |
               FS_MAKE_DIR | FS_MAKE_REG | FS_REFER | FS_TRUNCATE;
    case LANDLOCK_APPEND: return FS_WRITE_FILE | FS_MAKE_REG;
    case LANDLOCK_REMOVE: return FS_REMOVE_FILE;
    }
    return 0;
}

unsigned landlock_abi(void)
{
    long version = syscall(CALL_CREATE_RULESET, NULL, (size_t)0, CREATE_RULESET_VERSION);

    return version > 0 ? (unsigned)version : 0;
}

int landlock_open(unsigned abi)
{
    struct ruleset handled = {
        .fs = fs_known(abi),
        .net = abi >= 4 ? NET_TCP : 0,
        .scope = abi >= 6 ? SCOPE_ALL : 0,
    };
    /* An older kernel takes a longer structure too, if the rest is zero. */
    return (int)syscall(CALL_CREATE_RULESET, &handled, sizeof handled, 0);
}

bool landlock_allow(int ruleset_fd, unsigned abi, int fd, enum landlock_need need)
{
    struct path_beneath rule = {.allowed = rights_for(need) & fs_known(abi), .fd = fd};
    struct stat st;

    if (fstat(fd, &st) == -1)
        return false;
    if (!S_ISDIR(st.st_mode))
        rule.allowed &= FS_OF_A_FILE;
    /* The kernel takes no rule that allows nothing. */
    return rule.allowed == 0 ||
           syscall(CALL_ADD_RULE, ruleset_fd, RULE_PATH_BENEATH, &rule, 0) == 0;
}

bool landlock_allow_path(int ruleset_fd, unsigned abi, const char *path, enum landlock_need need)
{
    int fd = open(path, O_PATH | O_CLOEXEC);

    if (fd == -1)
        return false;
    bool allowed = landlock_allow(ruleset_fd, abi, fd, need);
    int error = errno;
    close(fd);
    errno = error;
    return allowed;
}

bool landlock_enter(int ruleset_fd)
{
    return syscall(CALL_RESTRICT_SELF, ruleset_fd, 0) == 0;
}
