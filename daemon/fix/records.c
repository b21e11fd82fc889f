/* The trap: between two system calls the power may go. Whatever is written goes beside, is synced and
 * renamed; a pending record is removed only after its successor in done/ is safe. */

#include "daemon/fix/records.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>

#include "daemon/base/atomic-file.h"
#include "daemon/base/log.h"
#include "lib/base/word.h"

#define RECORD_VERSION 1
#define LEDGER_NAME    "ledger.json"
#define SUFFIX         ".json"

struct Records {
        int directory, pending, done, lock; /* descriptors */
        FixLedger ledger;
};

static const char *const phases[RUN_PHASE_X_MAX] = {
        [RUN_PHASE_PREPARING] = "preparing",
        [RUN_PHASE_APPLYING] = "applying",
        [RUN_PHASE_VERIFYING] = "verifying",
        [RUN_PHASE_UNDOING] = "undoing",
};

void run_record_done(RunRecord *r) {
        free(r->because);
        fix_plan_free(r->plan);
        *r = (RunRecord){};
}

Records *records_close(Records *r) {
        if (!r)
                return NULL;
        closep(&r->lock);
        closep(&r->done);
        closep(&r->pending);
        closep(&r->directory);
        fix_ledger_done(&r->ledger);
        free(r);
        return NULL;
}

static int open_folder(int parent, const char *name, int *ret) {
        int fd;

        if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
                return -errno;
        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return -errno;
        *ret = fd;
        return fsync(parent) < 0 ? -errno : 0;
}

static int set_aside(int directory, const char *name) {
        _cleanup_(freep) char *other = NULL;

        if (asprintf(&other, "%s.unreadable", name) < 0) {
                other = NULL;
                return -ENOMEM;
        }
        if (renameat(directory, name, directory, other) < 0)
                return -errno;
        log_error("%s of the fixer cannot be understood; it is kept as %s.", name, other);
        return 0;
}

/* Returns NULL when it is not what was asked for; then *ret_error says why (-ENOENT, -EBADMSG, …). */
static json_t *read_json(int directory, const char *name, size_t max, int *ret_error) {
        _cleanup_(freep) char *text = NULL;
        json_t *value;
        size_t len = 0;
        int r;

        r = file_read_at(directory, name, max, &text, &len);
        if (r < 0) {
                *ret_error = r == -EFBIG ? -EBADMSG : r;
                return NULL;
        }
        /* what comes from the engine can hold anything that JSON can */
        value = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
        *ret_error = value ? 0 : -EBADMSG;
        return value;
}

static int write_json(int directory, const char *name, json_t *value) {
        _cleanup_(freep) char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;

        json_decref(value);
        return text ? atomic_file_write(directory, name, text_of(text), 0600) : -ENOMEM;
}

static int read_ledger(Records *r, bool may_set_aside) {
        json_t *object;
        int k;

        object = read_json(r->directory, LEDGER_NAME, FIX_LEDGER_MAX, &k);
        if (object) {
                k = fix_ledger_from_json(object, &r->ledger);
                json_decref(object);
        }
        if (k == -ENOENT)
                return 0;
        /* without the ledger nothing would be counted; so it is not passed over silently */
        if ((k == -EBADMSG || k == -EINVAL) && may_set_aside)
                return set_aside(r->directory, LEDGER_NAME);
        return k;
}

static int open_directory(const char *path, Records **ret) {
        _cleanup_(records_closep) Records *r = calloc(1, sizeof(*r));

        if (!r)
                return -ENOMEM;
        r->pending = r->done = r->lock = -EBADF;
        r->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (r->directory < 0)
                return -errno;
        *ret = TAKE_PTR(r);
        return 0;
}

int records_open_to_read(const char *path, Records **ret) {
        _cleanup_(records_closep) Records *r = NULL;
        int k;

        k = open_directory(path, &r);
        if (k < 0)
                return k;
        r->done = openat(r->directory, "done", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        k = read_ledger(r, false);
        if (k < 0)
                return k;
        *ret = TAKE_PTR(r);
        return 0;
}

int records_open(const char *path, Records **ret) {
        _cleanup_(records_closep) Records *r = NULL;
        int k;

        if (mkdir(path, 0700) < 0 && errno != EEXIST)
                return -errno;
        k = open_directory(path, &r);
        if (k < 0)
                return k;
        r->lock = openat(r->directory, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (r->lock < 0)
                return -errno;
        if (flock(r->lock, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? -EBUSY : -errno;
        k = open_folder(r->directory, "pending", &r->pending);
        if (k >= 0)
                k = open_folder(r->directory, "done", &r->done);
        if (k >= 0)
                k = read_ledger(r, true);
        if (k < 0)
                return k;
        *ret = TAKE_PTR(r);
        return 0;
}

FixLedger *records_ledger(Records *r) {
        return &r->ledger;
}

int records_save_ledger(Records *r) {
        return write_json(r->directory, LEDGER_NAME, fix_ledger_to_json(&r->ledger));
}

static void file_name(const char *id, char ret[static FIX_RUN_ID_BYTES + sizeof(SUFFIX)]) {
        (void) snprintf(ret, FIX_RUN_ID_BYTES + sizeof(SUFFIX), "%s" SUFFIX, id);
}

static json_t *record_to_json(const RunRecord *record) {
        return json_pack("{s:i, s:s, s:s, s:I, s:b, s:s?, s:i, s:I, s:o}", "version", RECORD_VERSION, "run",
                record->id, "phase", phases[record->phase], "step", (json_int_t) record->step, "on_request",
                record->on_request, "because", record->because, "failures", (int) record->n_failures,
                "failed_usec", (json_int_t) record->failed_at, "plan",
                fix_plan_to_json(record->plan, false));
}

static int record_from_json(const json_t *object, RunRecord *ret) {
        const char *id, *phase;
        RunRecord record = {};
        int version, on_request, failures = 0, r;
        json_int_t step, failed = 0;
        json_t *why, *plan;

        if (json_unpack((json_t *) object, "{s:i, s:s, s:s, s:I, s:b, s:o, s?i, s?I, s:o !}", "version",
                    &version, "run", &id, "phase", &phase, "step", &step, "on_request", &on_request,
                    "because", &why, "failures", &failures, "failed_usec", &failed, "plan", &plan) < 0 ||
                version != RECORD_VERSION || strlen(id) != FIX_RUN_ID_BYTES || step < 0 || failures < 0 ||
                failed < 0 || !(json_is_null(why) || json_is_string(why)))
                return -EBADMSG;
        record.phase = (RunPhase) word_find(phases, RUN_PHASE_X_MAX, text_of(phase));
        r = record.phase < 0 ? -EINVAL : fix_plan_from_json(plan, &record.plan);
        if (r < 0)
                return r == -EINVAL ? -EBADMSG : r;
        if ((size_t) step >= record.plan->n_steps && record.phase != RUN_PHASE_PREPARING &&
                record.phase != RUN_PHASE_VERIFYING) {
                run_record_done(&record);
                return -EBADMSG;
        }
        memcpy(record.id, id, sizeof(record.id));
        record.step = (size_t) step;
        record.on_request = on_request;
        record.n_failures = (unsigned) failures;
        record.failed_at = (usec_t) failed;
        record.because = json_is_string(why) ? strdup(json_string_value(why)) : NULL;
        *ret = record;
        return 0;
}

int records_save_pending(Records *r, const RunRecord *record) {
        char name[FIX_RUN_ID_BYTES + sizeof(SUFFIX)];

        file_name(record->id, name);
        return write_json(r->pending, name, record_to_json(record));
}

static int load(int directory, const char *name, RunRecord *ret) {
        json_t *object;
        int r;

        object = read_json(directory, name, FIX_PLAN_MAX, &r);
        if (!object)
                return r;
        r = record_from_json(object, ret);
        json_decref(object);
        return r;
}

/* The first name in the order of the alphabet that is a record's, "" when there is none. Returns how many.
 */
static int first_record(int directory, char ret[static FIX_RUN_ID_BYTES + sizeof(SUFFIX)]) {
        int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = 0;
        struct dirent *entry;
        DIR *d = fd < 0 ? NULL : fdopendir(fd);

        ret[0] = '\0';
        if (!d) {
                closep(&fd);
                return -errno;
        }
        while ((entry = readdir(d))) {
                if (strlen(entry->d_name) != FIX_RUN_ID_BYTES + strlen(SUFFIX) ||
                        !text_ends_with(text_of(entry->d_name), SUFFIX))
                        continue;
                n++;
                if (ret[0] == '\0' || strcmp(entry->d_name, ret) < 0)
                        (void) snprintf(ret, FIX_RUN_ID_BYTES + sizeof(SUFFIX), "%s", entry->d_name);
        }
        (void) closedir(d);
        return n;
}

int records_next_pending(Records *r, RunRecord *ret) {
        char name[FIX_RUN_ID_BYTES + sizeof(SUFFIX)];
        int k;

        k = first_record(r->pending, name);
        if (k <= 0)
                return k;
        k = load(r->pending, name, ret);
        if (k == -EBADMSG) {
                k = set_aside(r->pending, name);
                return k < 0 ? k : -EBADMSG;
        }
        return k < 0 ? k : 1;
}

/* Ids are random; which is the oldest, the ledger knows. Those it forgot are older than all it knows. */
static int make_room(Records *r) {
        char name[FIX_RUN_ID_BYTES + sizeof(SUFFIX)], oldest[sizeof(name)] = "";
        int n = first_record(r->done, name);

        if (n < RECORDS_DONE_MAX)
                return n < 0 ? n : 0;
        for (size_t i = 0; i < r->ledger.n_runs && oldest[0] == '\0'; i++)
                if (records_can_undo(r, r->ledger.runs[i].id))
                        file_name(r->ledger.runs[i].id, oldest);
        return unlinkat(r->done, oldest[0] ? oldest : name, 0) < 0 ? -errno : 0;
}

int records_settle(Records *r, const RunRecord *record, bool can_undo) {
        char name[FIX_RUN_ID_BYTES + sizeof(SUFFIX)];
        int k = 0;

        file_name(record->id, name);
        if (can_undo) {
                k = make_room(r);
                if (k >= 0)
                        k = write_json(r->done, name, record_to_json(record));
        } else if (unlinkat(r->done, name, 0) < 0 && errno != ENOENT)
                k = -errno;
        if (k < 0)
                return k;
        k = atomic_file_tidy(r->pending, name);
        if (k < 0)
                return k;
        if (unlinkat(r->pending, name, 0) < 0 && errno != ENOENT)
                return -errno;
        return fsync(r->pending) < 0 || fsync(r->done) < 0 ? -errno : 0;
}

int records_load_done(Records *r, const char *id, RunRecord *ret) {
        char name[FIX_RUN_ID_BYTES + sizeof(SUFFIX)];

        file_name(id, name);
        return load(r->done, name, ret);
}

bool records_can_undo(Records *r, const char *id) {
        char name[FIX_RUN_ID_BYTES + sizeof(SUFFIX)];

        file_name(id, name);
        return r->done >= 0 && faccessat(r->done, name, F_OK, 0) == 0;
}
