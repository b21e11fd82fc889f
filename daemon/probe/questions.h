#pragma once

/* Every question, each in the file ask-NAME.c. Alphabetical; registry.c has the same rows. */

#include "daemon/probe/question.h"

extern const Question question_connect;
extern const Question question_firewall;
extern const Question question_listeners;
extern const Question question_path_mtu;
extern const Question question_resolve;
extern const Question question_runtime_config;
extern const Question question_tcp_info;
extern const Question question_tls;
