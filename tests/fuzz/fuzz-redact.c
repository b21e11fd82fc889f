/* Any text: what is redacted stays so, and what is printable has no control character left. */

#include "lib/base/printable.h"
#include "lib/base/redact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(freep) char *redacted = redact_text((Text){(const char *) data, size});
        _cleanup_(freep) char *printable = redacted ? printable_text(text_of(redacted), 4096) : NULL;

        if (!printable)
                return 0;
        if (strlen(printable) > 4096)
                abort();
        for (const char *s = printable; *s; s++)
                if (((unsigned char) *s < 0x20 && *s != '\t') || *s == 0x7F)
                        abort();
        return 0;
}
