/* A PKCS#11 module that fails when it is told to, in front of SoftHSM's: for tests alone.
 *
 * PKCS11_REAL names the module behind it, PKCS11_FAULTS a folder. A file there named after a function, C_Sign say, holds what
 * the function does: "hang" until the file is gone, or the code to return, in hexadecimal. Each call of a function that can
 * fail so adds a line with its name to the file "calls". Numbers and pointers have one size here (LP64).
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long word;
/* CK_FUNCTION_LIST of version 2.40: a version of two bytes, padded, and 68 functions. */
struct list {
    unsigned char version[8];
    void *function[68];
};

static struct list *real, ours;

static word fault(const char *name) {
    char path[4096], text[32];
    const char *folder = getenv("PKCS11_FAULTS");
    snprintf(path, sizeof path, "%s/calls", folder);
    int calls = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    int len = snprintf(text, sizeof text, "%s\n", name);
    if (calls < 0 || write(calls, text, len) != len) abort();
    close(calls);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (;;) {
        int file = open(path, O_RDONLY);
        if (file < 0) return 0;
        len = read(file, text, sizeof text - 1);
        close(file);
        if (len < 0) abort();
        text[len] = 0;
        if (strncmp(text, "hang", 4) != 0) return strtoul(text, NULL, 16);
        usleep(5000);
    }
}

#define GUARD(index, name, parameters, arguments)                  \
    static word name##_guarded parameters {                        \
        word code = fault(#name);                                  \
        if (code != 0) return code;                                \
        return ((word(*) parameters)real->function[index])arguments; \
    }
#define GUARDED                                                                                          \
    GUARD(0, C_Initialize, (word a), (a))                                                                \
    GUARD(6, C_GetTokenInfo, (word a, word b), (a, b))                                                   \
    GUARD(12, C_OpenSession, (word a, word b, word c, word d, word e), (a, b, c, d, e))                  \
    GUARD(18, C_Login, (word a, word b, word c, word d), (a, b, c, d))                                   \
    GUARD(22, C_DestroyObject, (word a, word b), (a, b))                                                 \
    GUARD(26, C_FindObjectsInit, (word a, word b, word c), (a, b, c))                                    \
    GUARD(43, C_Sign, (word a, word b, word c, word d, word e), (a, b, c, d, e))                         \
    GUARD(64, C_GenerateRandom, (word a, word b, word c), (a, b, c))
GUARDED

/* A key that was made although the caller hears of a failure. */
static word C_GenerateKey_guarded(word a, word b, word c, word d, word e) {
    word made = ((word(*)(word, word, word, word, word))real->function[58])(a, b, c, d, e);
    word code = fault("C_GenerateKey");
    return code != 0 ? code : made;
}

word C_GetFunctionList(struct list **given) {
    if (real == NULL) {
        void *library = dlopen(getenv("PKCS11_REAL"), RTLD_NOW | RTLD_LOCAL);
        if (library == NULL) return 5; /* CKR_GENERAL_ERROR */
        word (*list)(struct list **) = (word(*)(struct list **))dlsym(library, "C_GetFunctionList");
        if (list == NULL || list(&real) != 0) return 5;
        ours = *real;
#undef GUARD
#define GUARD(index, name, parameters, arguments) ours.function[index] = (void *)name##_guarded;
        GUARDED
        ours.function[58] = (void *)C_GenerateKey_guarded;
    }
    *given = &ours;
    return 0;
}
