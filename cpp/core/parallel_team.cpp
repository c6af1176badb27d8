// The threading layer "team": threads of the library's own.
#include <memory>

#include "core/team.h"

#if defined(_WIN32)
#include <system_error>
#include <thread>
#else
#include <pthread.h>
#include <signal.h>
#endif

namespace gradcore {

#if defined(_WIN32)

bool start_thread(void (*body)(void*), void* argument) {
  try {
    std::thread(body, argument).detach();
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

#else

namespace {

constexpr size_t kStackBytes = 2 << 20;

struct Start {
  void (*body)(void*);
  void* argument;
};

void* run_start(void* of) {
  const Start start = *static_cast<Start*>(of);
  delete static_cast<Start*>(of);
  start.body(start.argument);
  return nullptr;
}

}  // namespace

bool start_thread(void (*body)(void*), void* argument) {
  auto start = std::make_unique<Start>(body, argument);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  sigset_t all, before;  // signals are for the program's own threads
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  const bool made = pthread_create(&thread, &attributes, run_start, start.get()) == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  if (made) start.release();  // the thread's own now
  return made;
}

#endif

namespace {

struct WorkerStart {
  Team* team;
  int seat;
};

void work_at_seat(void* of) {
  const WorkerStart start = *static_cast<WorkerStart*>(of);
  delete static_cast<WorkerStart*>(of);
  start.team->work(start.seat, 0);
}

}  // namespace

int start_own_workers(Team& team, int size) {
  int made = team.seats();
  for (; made < size; ++made) {
    auto start = std::make_unique<WorkerStart>(&team, made);
    if (!start_thread(work_at_seat, start.get())) break;
    start.release();
  }
  return made;
}

}  // namespace gradcore
