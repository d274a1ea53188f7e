#include "base/distant.h"

#include <stdint.h>
#include <sys/vfs.h>

bool is_distant(int fd)
{
    enum { NFS = 0x6969, FUSE = 0x65735546, SMB2 = 0xFE534D42 }; /* <linux/magic.h> */
    struct statfs fs;

    return fstatfs(fd, &fs) == 0 && ((uint32_t)fs.f_type == NFS || (uint32_t)fs.f_type == FUSE ||
                                     (uint32_t)fs.f_type == SMB2);
}
