#ifndef BASE_DISTANT_H
#define BASE_DISTANT_H

#include <stdbool.h>

/*
 * Whether the file is on a file system that other machines change without this kernel being told:
 * what it remembers of a file may be old then, and to open the file anew is the least it takes to
 * ask. NFS, SMB and FUSE. False also when it cannot be told. Any thread.
 */
bool is_distant(int fd);

#endif
