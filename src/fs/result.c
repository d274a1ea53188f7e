#include "fs/result.h"

#include <errno.h>

enum fs_result fs_result_of_errno(int error)
{
    switch (error) {
    case 0: return FS_OK;
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case ESTALE: return FS_NOT_FOUND; /* gone on the file server while we held its handle */
    case ENXIO:                       /* a socket, or a FIFO nobody has open */
    case ENODEV: return FS_NOT_SERVED;
    case EACCES:
    case EPERM:
    case EBUSY: return FS_DENIED; /* a mount point cannot be removed or renamed */
    case EEXIST: return FS_EXISTS;
    case ENOTEMPTY: return FS_NOT_EMPTY;
    case EISDIR: return FS_IS_DIRECTORY;
    case ENAMETOOLONG: return FS_NAME_TOO_LONG;
    case EROFS: return FS_READ_ONLY;
    case ENOSPC:
    case EDQUOT:
    case EMLINK: return FS_NO_SPACE; /* a directory that cannot take one more subdirectory */
    case EFBIG: return FS_TOO_LARGE;
    case EXDEV: return FS_CROSS_DEVICE;
    case EMFILE:
    case ENFILE: return FS_NO_DESCRIPTORS;
    case ENOMEM: return FS_NO_MEMORY;
    default: return FS_IO;
    }
}

const char *fs_result_text(enum fs_result result)
{
    switch (result) {
    case FS_OK: return "all is well";
    case FS_NOT_FOUND: return "no such file";
    case FS_NO_PARENT: return "no such directory";
    case FS_NOT_SERVED: return "neither a file nor a directory";
    case FS_DENIED: return "permission denied";
    case FS_EXISTS: return "it exists already";
    case FS_NOT_EMPTY: return "directory not empty";
    case FS_IS_DIRECTORY: return "it is a directory";
    case FS_NOT_DIRECTORY: return "not a directory";
    case FS_NAME_TOO_LONG: return "name too long";
    case FS_READ_ONLY: return "read-only file system";
    case FS_NO_SPACE: return "no space left";
    case FS_TOO_LARGE: return "file too large";
    case FS_CROSS_DEVICE: return "on another file system";
    case FS_NO_DESCRIPTORS: return "out of file descriptors";
    case FS_NO_MEMORY: return "out of memory";
    case FS_CHANGED: return "the file has changed meanwhile";
    case FS_REPLACED: return "another directory stands where the served one was";
    case FS_BUSY: return "in use by another request";
    case FS_IO: break;
    }
    return "input/output error";
}
