/* A deployment manifest: deployment_read() and deployment_change(), whose patch has to make the corrected
 * manifest of the given one. The first byte chooses the template. */

#include "lib/fix/deployment.h"
#include "lib/fix/json-patch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define AGENT    "/modulesContent/$edgeAgent/properties.desired/"
#define M        AGENT "modules/m/"
#define SETTINGS "settings/createOptions/HostConfig/"

static const char *const templates[] = {
        "[{\"op\":\"add\",\"path\":\"" M
        "env/X\",\"value\":{\"value\":\"20\"},\"only-if\":{\"below\":\"20\"}}]",
        "[{\"op\":\"remove\",\"path\":\"" AGENT "modules/edgeHub/" SETTINGS "PortBindings/*/*\","
        "\"only-if\":{\"is\":{\"HostPort\":\"443\"}}}]",
        "[{\"op\":\"add\",\"path\":\"" M SETTINGS "Dns/0\",\"value\":\"10.0.0.1\"}]",
        "[{\"op\":\"replace\",\"path\":\"" AGENT "modules/*/settings/image\",\"value\":\"good\","
        "\"only-if\":{\"is\":\"bad\"}}]",
        "[{\"op\":\"add\",\"path\":\"" AGENT "runtime/settings/registryCredentials/*\","
        "\"value\":{\"address\":\"cr.io\",\"password\":\"<password>\"}}]",
};

static void check(const json_t *manifest, const DeploymentChange *change) {
        json_t *patched = NULL;
        size_t failed;

        if (json_patch_apply(manifest, change->patch, &patched, &failed) < 0 ||
                !json_equal(patched, change->corrected))
                abort();
        json_decref(patched);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(deployment_change_done) DeploymentChange change = {};
        char error[DEPLOYMENT_ERROR_MAX];
        json_t *manifest = NULL, *template;

        if (size == 0 || deployment_read((Text){(const char *) data + 1, size - 1}, &manifest, error) < 0)
                return 0;
        template = json_loads(templates[data[0] % ELEMENTSOF(templates)], 0, NULL);
        if (template && deployment_change(manifest, template, &change, error) >= 0)
                check(manifest, &change);
        json_decref(template);
        json_decref(manifest);
        return 0;
}
