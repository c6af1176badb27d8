#include "core/dtype.h"

#include "core/error.h"

namespace gradcore {

void fail_promotion(DType a, DType b) {
  fail("Promotion for uint16, uint32, uint64 types is not supported, attempted to promote ", scalar_type_name(a),
       " and ", scalar_type_name(b));
}

void fail_not_computed(DType t) { fail(ErrorKind::NotImplemented, "not implemented for '", scalar_type_name(t), "'"); }

}  // namespace gradcore
