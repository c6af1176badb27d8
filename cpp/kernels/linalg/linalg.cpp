#include "kernels/linalg/linalg.h"

namespace gradcore::GC_ISA {

extern const LinalgKernels linalg_kernels{.cholesky = cholesky_kernels,
                                          .lu = lu_kernels,
                                          .lu_solve = lu_solve_kernels,
                                          .lu_det = lu_det_kernels,
                                          .triangular = triangular_kernels,
                                          .qr_factor = qr_factor_kernels,
                                          .qr_form = qr_form_kernels,
                                          .qr_apply = qr_apply_kernels,
                                          .ldl = ldl_kernels,
                                          .ldl_solve = ldl_solve_kernels,
                                          .eigh = eigh_kernels,
                                          .svd = svd_kernels};

}  // namespace gradcore::GC_ISA
