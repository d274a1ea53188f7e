#ifndef SERVER_LANDLOCK_H
#define SERVER_LANDLOCK_H

/*
 * Landlock: what the threads of a process may still reach in the file system and on the network,
 * decided by the process itself, without root (Linux 5.13). A ruleset names what is allowed below
 * some directories; everything of the kinds that this module knows is refused elsewhere. Which
 * kinds the kernel knows depends on its ABI version; what it does not know stays allowed.
 *
 * Not covered by any version: looking (stat), changing mode, owner or times by path, and what is
 * open already. The system call filter is for these (server/syscall_filter.h).
 */

#include <stdbool.h>

enum landlock_need {
    LANDLOCK_READ,   /* read files and directories */
    LANDLOCK_FILES,  /* read files, but list nothing */
    LANDLOCK_CHANGE, /* read, write, make, rename and remove files and directories */
    LANDLOCK_APPEND, /* write files and make new ones, but read none */
    LANDLOCK_REMOVE, /* remove files */
};

/* Before this version no file could be renamed into another directory, and so none be published. */
enum { LANDLOCK_ABI_LEAST = 2 };

/* The kernel's version; 0 when it has no Landlock, or was started without. */
unsigned landlock_abi(void);

/* A new ruleset, which allows nothing; the caller closes it. -1 with errno. Binding and connecting
   TCP sockets, and signals to others, are refused as well where the version knows how. */
int landlock_open(unsigned abi);

/* Allows more: at `fd`, a file or a directory with all that is below it, O_PATH or not. */
bool landlock_allow(int ruleset_fd, unsigned abi, int fd, enum landlock_need need);

/* The same by path. */
bool landlock_allow_path(int ruleset_fd, unsigned abi, const char *path, enum landlock_need need);

/* Holds the calling thread, and those that it starts from now on, to the ruleset for good. Needs
   no_new_privs. */
bool landlock_enter(int ruleset_fd);

#endif
