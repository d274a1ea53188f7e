#ifndef FS_RESULT_H
#define FS_RESULT_H

/* What the file system said, in words of this room. Only server/ turns one into a status. */

enum fs_result {
    FS_OK,
    FS_NOT_FOUND,      /* ENOENT, ENOTDIR, ELOOP, a link that leaves the docroot */
    FS_NO_PARENT,      /* what is to be written has no directory to be in */
    FS_NOT_SERVED,     /* it exists and is neither a regular file nor a directory */
    FS_DENIED,         /* EACCES, EPERM */
    FS_EXISTS,         /* EEXIST */
    FS_NOT_EMPTY,      /* ENOTEMPTY: a directory with members */
    FS_IS_DIRECTORY,   /* EISDIR: a file was wanted */
    FS_NOT_DIRECTORY,  /* a path leads through, or ends at, something that is no directory */
    FS_NAME_TOO_LONG,  /* ENAMETOOLONG */
    FS_READ_ONLY,      /* EROFS */
    FS_NO_SPACE,       /* ENOSPC, EDQUOT */
    FS_TOO_LARGE,      /* EFBIG */
    FS_CROSS_DEVICE,   /* EXDEV */
    FS_NO_DESCRIPTORS, /* EMFILE, ENFILE */
    FS_NO_MEMORY,      /* ENOMEM */
    FS_CHANGED,        /* the file is not the one that was meant any more */
    FS_REPLACED,       /* another directory stands where the docroot was (docroot_bind) */
    FS_BUSY,           /* a staged file that another request is writing */
    FS_IO,             /* EIO and whatever has no word here */
};

/* The word for an errno. EINTR and EAGAIN are for the caller to handle and count as FS_IO here. */
enum fs_result fs_result_of_errno(int error);

/* "no such file", for log lines. Static. */
const char *fs_result_text(enum fs_result result);

#endif
