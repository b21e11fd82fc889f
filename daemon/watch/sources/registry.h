#pragma once

/* One line for each file in this folder that is a source. */

#include "daemon/watch/source.h"

extern const SourceOps docker_source_ops;
extern const SourceOps files_source_ops;
extern const SourceOps journal_source_ops;
extern const SourceOps metrics_source_ops;
extern const SourceOps rtnetlink_source_ops;
extern const SourceOps units_source_ops;
