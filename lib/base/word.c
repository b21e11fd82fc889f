#include "lib/base/word.h"

int word_find(const char *const *words, size_t n, Text text) {
        for (size_t i = 0; i < n; i++)
                if (words[i] && text_is(text, words[i]))
                        return (int) i;
        return -EINVAL;
}
