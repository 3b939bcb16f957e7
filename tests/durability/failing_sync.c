/* Preloaded into the server: while the file named by FAIL_SYNC_WHILE exists, every sync fails with EIO, as a dying disk's would. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static int failing(void) {
    const char *flag = getenv("FAIL_SYNC_WHILE");
    return flag && access(flag, F_OK) == 0;
}

#define SYNC(name)                                                     \
    int name(int descriptor) {                                         \
        static int (*real)(int);                                       \
        if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, #name);       \
        if (failing()) { errno = EIO; return -1; }                     \
        return real(descriptor);                                       \
    }

SYNC(fsync)
SYNC(fdatasync)
