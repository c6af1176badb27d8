// Every op on tensors, as C++ functions: one header a family. Each op records itself when grad mode asks for it. Files
// that need few families include those.
#pragma once
#include "ops/copy.h"
#include "ops/create.h"
#include "ops/index.h"
#include "ops/join.h"
#include "ops/matmul.h"
#include "ops/order.h"
#include "ops/pointwise.h"
#include "ops/random.h"
#include "ops/rearrange.h"
#include "ops/reduce.h"
#include "ops/scan.h"
#include "ops/view.h"
