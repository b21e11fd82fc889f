/* The journal's message catalog: what `journalctl -x` prints beside an alert. The texts of a rule have
 * variables that no catalog can fill in, so the alert carries them filled in as fields, and the catalog
 * names the fields. Only fields that each alert of the kind has: a missing one would print its name. */

#include "lib/base/buffer.h"
#include "lib/report/report.h"

static const struct {
        const char *message_id, *subject, *text;
} others[] = {
        {MESSAGE_ID_CLEARED, "A problem of this IoT Edge device is over",
                "@EDGEWATCH_SYMPTOM@ of @EDGEWATCH_SUBJECT@ is over.\n"
                "`edgewatchctl explain @EDGEWATCH_INCIDENT@` tells what it was and why it ended.\n"},
        {MESSAGE_ID_SOURCE_DEGRADED, "edgewatch cannot read one of its sources",
                "As long as this lasts, what only this source would tell stays unknown.\n"
                "edgewatch tries again by itself; `edgewatchctl status` shows the state of all sources.\n"},
        {MESSAGE_ID_SOURCE_RESTORED, "edgewatch reads one of its sources again",
                "What it missed meanwhile was looked up where the source keeps it.\n"},
        {MESSAGE_ID_STARTED, "edgewatch has started",
                "It watches this device; `edgewatchctl status` shows with what.\n"},
        {MESSAGE_ID_FIX_PLANNED, "edgewatch knows a repair",
                "`edgewatchctl fix plan @EDGEWATCH_INCIDENT@` shows its steps, `edgewatchctl fix apply\n"
                "@EDGEWATCH_INCIDENT@` carries them out.\n"},
        {MESSAGE_ID_FIX_STEP, "edgewatch changes something on this device",
                "A step of the fix @EDGEWATCH_FIX@ of @EDGEWATCH_SUBJECT@. `edgewatchctl fix history` shows "
                "its end.\n"},
        {MESSAGE_ID_FIX_APPLIED, "edgewatch has repaired this device",
                "The fix @EDGEWATCH_FIX@ of @EDGEWATCH_SUBJECT@ was carried out and verified.\n"
                "`edgewatchctl fix undo` takes it back.\n"},
        {MESSAGE_ID_FIX_FAILED, "A repair failed and is not wholly taken back",
                "The fix @EDGEWATCH_FIX@ of @EDGEWATCH_SUBJECT@ stopped half-way; what is left is taken "
                "back at the\n"
                "next boot, before the next fix, or by `systemctl start edgewatch-fix-recover`.\n"},
        {MESSAGE_ID_FIX_ROLLED_BACK, "A repair was taken back",
                "Everything that the fix @EDGEWATCH_FIX@ of @EDGEWATCH_SUBJECT@ had changed is as it was "
                "before.\n"},
        {MESSAGE_ID_FIX_REFUSED, "A repair was not begun",
                "The fix @EDGEWATCH_FIX@ of @EDGEWATCH_SUBJECT@ was refused; the entry says why.\n"},
};

static void add_head(Buffer *b, const char *message_id, const char *subject, const char *documentation) {
        (void) buffer_append_format(b, "-- %s\nSubject: %s\nDefined-By: edgewatch\n", message_id, subject);
        if (documentation)
                (void) buffer_append_format(b, "Documentation: %s\n", documentation);
        (void) buffer_append_string(b, "\n");
}

char *report_catalog(const RuleSet *rules) {
        Buffer b = {};

        for (size_t i = 0; i < rules->n_rules; i++) {
                const Rule *r = rules->rules[i];

                add_head(&b, r->message_id, r->title, r->documentation);
                (void) buffer_append_string(&b,
                        "@EDGEWATCH_CAUSE@\n\n"
                        "What to do: @EDGEWATCH_REMEDY@\n\n"
                        "Decisive evidence: @EDGEWATCH_EVIDENCE@\n\n"
                        "All of it: `edgewatchctl explain @EDGEWATCH_INCIDENT@`\n\n");
        }
        FOREACH_ARRAY (other, others, ELEMENTSOF(others)) {
                add_head(&b, other->message_id, other->subject, NULL);
                (void) buffer_append_format(&b, "%s\n", other->text);
        }
        return buffer_take(&b);
}
