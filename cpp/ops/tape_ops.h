// The ops that the tape itself needs.
#pragma once

namespace gradcore {

// Fills the table that the tape calls them by (autograd/accumulate.h). Once, before the first op.
void fill_tape_ops();

}  // namespace gradcore
