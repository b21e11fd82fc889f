#include "daemon/fix/context.h"

#include <stdarg.h>
#include <stdio.h>

#include "daemon/base/clock.h"

int context_init(FixContext *c, const Config *config) {
        *c = (FixContext){.config = config};
        return 0;
}

static void forget_device(FixContext *c) {
        c->world = NULL;
        device_world_done(&c->device_world);
        device_done(&c->device);
}

void context_done(FixContext *c) {
        forget_device(c);
        network_reader_free(c->network_reader);
        docker_api_free(c->engine);
        sd_bus_flush_close_unref(c->bus);
        *c = (FixContext){};
}

int context_engine(FixContext *c, DockerApi **ret) {
        int r = c->engine ? 0 : docker_api_new(&c->engine, docker_api_socket());

        if (r >= 0)
                *ret = c->engine;
        return r;
}

int context_bus(FixContext *c, sd_bus **ret) {
        int r = c->bus ? 0 : sd_bus_open_system(&c->bus);

        if (r >= 0)
                *ret = c->bus;
        return r < 0 ? r : 0;
}

static int read_network(FixContext *c) {
        int r = c->network_reader ? 0 : network_reader_new(&c->network_reader);

        if (r >= 0)
                device_read_network(&c->device, c->network_reader);
        return r;
}

int context_look(FixContext *c) {
        DockerApi *engine;
        int r;

        forget_device(c);
        c->now = realtime_now();
        /* an engine that is just restarting is a fact too: what it would tell is unknown then */
        if (context_engine(c, &engine) >= 0)
                device_read_docker(&c->device, engine);
        r = read_network(c);
        if (r < 0)
                return r;
        device_read_listeners(&c->device);
        device_read_units(&c->device);
        r = device_world_init(&c->device_world, &c->device, c->now);
        if (r >= 0)
                c->world = c->device_world.world;
        return r;
}

int because(char **ret_why, int error, const char *format, ...) {
        va_list args;
        char *text;
        int r;

        va_start(args, format);
        r = vasprintf(&text, format, args);
        va_end(args);
        if (r < 0)
                return -ENOMEM;
        free(*ret_why);
        *ret_why = text;
        return error;
}
