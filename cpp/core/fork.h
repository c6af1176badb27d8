// Forked children, on systems that have them.
#pragma once

namespace gradcore {

// Runs the functions around each fork from now on: before it, and after it in the parent and in the child; any may be
// null. False where there was no memory for it.
bool watch_forks(void (*before)(), void (*in_parent)(), void (*in_child)());

}  // namespace gradcore
