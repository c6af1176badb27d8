// The only file that is compiled with OpenMP: a library of its own, which core/parallel_openmp.cpp loads when the first
// parallel loop runs, so that importing the package does not load OpenMP's runtime. Start at gradcore_openmp().
#include "core/openmp_api.h"

#include <omp.h>

namespace {

int max_threads() { return omp_get_max_threads(); }
int processors() { return omp_get_num_procs(); }

void region(int threads, void (*body)(void* context, int thread), void* context) {
#pragma omp parallel num_threads(threads)
  body(context, omp_get_thread_num());
}

constexpr GradcoreOpenmp kOpenmp{max_threads, processors, region};

}  // namespace

extern "C" __attribute__((visibility("default"))) const GradcoreOpenmp* gradcore_openmp() { return &kOpenmp; }
