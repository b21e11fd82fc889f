#pragma once

/* Who is at the other end of the socket. */

#include "daemon/fix/runner.h"

/* uid and pid as the kernel knows them; of ourselves when fd is no socket (by hand, in tests). */
int peer_identify(int fd, FixPeer *ret);

/* Whether this is a person who may have things changed: root, or one whom polkit lets, who may be asked for
 * a password. Never edgewatchd's own user. Returns 1, 0, or a negative errno when polkit cannot be asked. */
int peer_may_change(const FixPeer *peer, uid_t daemon_uid, sd_bus *bus);
