// The ops that ops of other families call, as C++ functions. Each records itself when grad mode asks for it. An op that
// nobody calls yet stands in its family's header (reduce.h beside reduce_core.h), so that a new one compiles few files.
#pragma once
#include "ops/copy.h"
#include "ops/create.h"
#include "ops/index_core.h"
#include "ops/join.h"
#include "ops/matmul.h"
#include "ops/pointwise_core.h"
#include "ops/reduce_core.h"
#include "ops/scan_core.h"
#include "ops/view_core.h"
