#pragma once

/* The daemon's objects on D-Bus (names: daemon/bus-names.h): on the system bus as soon as there is one, and
 * peer-to-peer on the private socket. That there is no bus is no fault. */

#include "daemon/watch/manager.h"

typedef struct Bus Bus;

/* The manager is borrowed and has to outlive the bus. */
int bus_new(Bus **ret, Manager *manager);
Bus *bus_free(Bus *b);
DEFINE_CLEANUP(Bus, bus_free);

/* Connects, listens, and follows the manager's incidents. Called once, after manager_start(). Neither a
 * missing bus nor a socket that cannot be made is a failure: status says so. */
int bus_start(Bus *b);
