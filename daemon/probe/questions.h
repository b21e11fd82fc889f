#pragma once

/* Every question, each in the file ask-NAME.c. Alphabetical. */

#include "daemon/probe/question.h"

#define QUESTIONS(Q)                                                                                        \
        Q(connect)                                                                                          \
        Q(firewall)                                                                                         \
        Q(listeners)                                                                                        \
        Q(path_mtu)                                                                                         \
        Q(resolve)                                                                                          \
        Q(runtime_config)                                                                                   \
        Q(tcp_info)                                                                                         \
        Q(tls)

#define DECLARE_QUESTION(name) extern const Question question_##name;
QUESTIONS(DECLARE_QUESTION)
#undef DECLARE_QUESTION
