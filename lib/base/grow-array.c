#include "lib/base/macro.h"

bool grow_array(void **array, size_t *allocated, size_t n, size_t item_bytes, size_t cap) {
        size_t wanted, bytes;
        void *grown;

        if (n < *allocated)
                return true;
        if (n >= cap)
                return false;

        wanted = *allocated < 4 ? 8 : *allocated * 2;
        if (wanted > cap)
                wanted = cap;
        if (__builtin_mul_overflow(wanted, item_bytes, &bytes))
                return false;

        grown = realloc(*array, bytes);
        if (!grown)
                return false;
        *array = grown;
        *allocated = wanted;
        return true;
}
