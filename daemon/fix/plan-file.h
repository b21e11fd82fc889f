#pragma once

/* Plans the change of a file as a step "write-file". Returns 1 when a step was added, 0 when the file is as
 * it should be already, -EINVAL and *ret_why when the file is not what the edit needs. Has the plan refused
 * where the file could not be written. Takes over edit (lib/fix/edit.h), also on failure. */

#include "daemon/fix/fix.h"

int plan_write_file(FixPlan *plan, const char *path, json_t *edit, char **ret_why, const char *format, ...)
        _printf_(5, 6);

/* The whole file, NUL-terminated; *ret is NULL when there is none. Links are followed where root made them.
 */
int plan_read_file(const char *path, char **ret, size_t *ret_len);
