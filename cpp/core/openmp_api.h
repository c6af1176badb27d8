// What the OpenMP library offers to the core: plain functions, found by the name gradcore_openmp.
#pragma once

struct GradcoreOpenmp {
  int (*max_threads)();
  int (*processors)();
  // Runs body(context, thread) on that many OpenMP threads, or fewer where OpenMP gives fewer. Returns after all of
  // them.
  void (*region)(int threads, void (*body)(void* context, int thread), void* context);
};
