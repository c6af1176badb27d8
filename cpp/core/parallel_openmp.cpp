// The threading layer "openmp": OpenMP's threads, bound and counted as OMP_PLACES, OMP_PROC_BIND and OMP_THREAD_LIMIT
// say. Start at openmp_layer().
//
// Note [One endless region]
// A region ends in a barrier that all of its threads must reach, so a caller who opens one waits for threads that the
// system has not even scheduled: for a time slice, where another process holds the processor (docs/adr/0003). So a host
// thread opens one region, whose threads stay in it and take blocks from the Team as workers do. The host itself sleeps
// in the region, for at the barrier it would spin for milliseconds first. To grow, the host lets the region end and
// opens a larger one; until its threads arrive the caller does their blocks.
#include "core/team.h"

#if defined(GC_OPENMP)
#include <dlfcn.h>
#include <stdlib.h>

#include "core/openmp_api.h"
#endif

namespace gradcore {

#if defined(GC_OPENMP)

namespace {

const GradcoreOpenmp* openmp = nullptr;

// Lives as long as the process, as the Team that it serves.
struct Host {
  Team* team;
  std::atomic<uint32_t> wanted{0};  // threads of the region; also the number of its generation
  uint32_t current = 0;
};

void take_part(void* of, int thread) {
  Host& host = *static_cast<Host*>(of);
  if (thread > 0)
    host.team->work(thread, host.current);
  else
    wait_for_change(host.wanted, host.current, 0);
}

void hold_regions(void* of) {
  Host& host = *static_cast<Host*>(of);
  for (;;) {
    host.current = wait_for_change(host.wanted, host.current, 0);
    openmp->region(static_cast<int>(host.current), take_part, &host);
  }
}

int start_openmp_workers(Team& team, int size) {
  static Host* host = nullptr;  // one team asks at a time: it holds its lock
  if (!host) {
    auto made = new Host{&team};
    if (!start_thread(hold_regions, made)) {
      delete made;
      return team.seats();
    }
    host = made;
  }
  const auto wanted = static_cast<uint32_t>(size);
  team.begin_generation(wanted);
  host->wanted.store(wanted);
  host->wanted.notify_one();
  return size;
}

// The library stands beside the module, which may be a link to it.
void* open_beside_module(std::string& why) {
  Dl_info module;
  if (!dladdr(reinterpret_cast<const void*>(&openmp_layer), &module)) {
    why = "the module's own path is not known";
    return nullptr;
  }
  char* real = realpath(module.dli_fname, nullptr);
  const std::string paths[] = {module.dli_fname, real ? real : ""};
  free(real);
  for (const std::string& path : paths) {
    const std::string library = path.substr(0, path.rfind('/') + 1) + "gradcore_openmp.so";
    if (void* opened = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL)) return opened;
    why = dlerror();
  }
  return nullptr;
}

OpenmpLayer load() {
  OpenmpLayer layer;
  std::string why;
  void* library = open_beside_module(why);
  void* entry = library ? dlsym(library, "gradcore_openmp") : nullptr;
  if (!entry) {
    layer.missing = "OpenMP's runtime could not be loaded (" + why + ")";
    return layer;
  }
  openmp = reinterpret_cast<const GradcoreOpenmp* (*)()>(entry)();
  layer.source = start_openmp_workers;
  layer.max_threads = openmp->max_threads;
  layer.processors = openmp->processors;
  return layer;
}

}  // namespace

const OpenmpLayer& openmp_layer() {
  static const OpenmpLayer& layer = *new OpenmpLayer(load());
  return layer;
}

#else

const OpenmpLayer& openmp_layer() {
  static const OpenmpLayer& layer = *new OpenmpLayer{.missing = "this build has no OpenMP"};
  return layer;
}

#endif

}  // namespace gradcore
