#pragma once

/* Ownership and small language helpers used everywhere: automatic clean-up, taking a pointer or descriptor,
 * checked sizes. Nothing in here has state or can fail. */

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f)        __attribute__((cleanup(f)))
#define _unused_            __attribute__((unused))
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))

#define ELEMENTSOF(array)   (sizeof(array) / sizeof((array)[0]))

/* An array of none may be NULL, to which nothing may be added, not even 0. */
#define FOREACH_ARRAY(item, array, n)                                                                       \
        for (typeof((array)[0]) *item = (array); item < ((n) > 0 ? (array) + (n) : (array)); item++)

/* The value of a variable that is about to go out of scope; the variable is emptied. */
#define TAKE_PTR(pointer)                                                                                   \
        ({                                                                                                  \
                typeof(pointer) *_taken_from = &(pointer);                                                  \
                typeof(pointer) _taken = *_taken_from;                                                      \
                *_taken_from = NULL;                                                                        \
                _taken;                                                                                     \
        })

static inline int take_fd(int *fd) {
        int taken = *fd;
        *fd = -EBADF;
        return taken;
}
#define TAKE_FD(fd) take_fd(&(fd))

/* Defines fp(), a clean-up for a `type *` local, from a destructor that takes and returns `type *`. */
#define DEFINE_CLEANUP(type, destructor)                                                                    \
        static inline void destructor##p(type **pointer) {                                                  \
                if (*pointer)                                                                               \
                        *pointer = destructor(*pointer);                                                    \
        }

static inline void freep(void *pointer) {
        free(*(void **) pointer);
}

static inline void closep(int *fd) {
        if (*fd >= 0)
                (void) close(*fd);
}

/* Makes room for one more item at array[n], growing by doubling, never past `cap` items.
 * Returns false when the cap is reached or memory is out; the array is then as it was. */
bool grow_array(void **array, size_t *allocated, size_t n, size_t item_bytes, size_t cap);
#define GROW_ARRAY(array, allocated, n, cap)                                                                \
        grow_array((void **) &(array), &(allocated), (n), sizeof((array)[0]), (cap))
