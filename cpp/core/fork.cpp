#include "core/fork.h"

#if !defined(_WIN32)
#include <pthread.h>
#endif

namespace gradcore {

#if defined(_WIN32)
bool watch_forks(void (*)(), void (*)(), void (*)()) { return true; }
#else
bool watch_forks(void (*before)(), void (*in_parent)(), void (*in_child)()) {
  return pthread_atfork(before, in_parent, in_child) == 0;
}
#endif

}  // namespace gradcore
