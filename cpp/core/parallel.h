// Parallel loops. Start at run_blocks: work is cut into blocks by the caller, by shape alone, so that results
// are the same bits for any number of threads; this file only decides who runs which block.
//
// A threading layer says where the threads come from: parallel_openmp.cpp takes OpenMP's, parallel_team.cpp makes
// its own. Both hand them to the Team of core/team.h, which deals out the blocks.
#pragma once
#include <cstdint>
#include <type_traits>

namespace gradcore {

int num_threads();
void set_num_threads(int n);

using BlockFn = void (*)(void* ctx, int64_t block);

// Runs fn(ctx, b) for every b in [0, blocks). Inline when there is one block or one thread, inside another
// run_blocks, or while another thread has the team. An exception in a block is carried out.
void run_blocks(int64_t blocks, BlockFn fn, void* ctx);

template <class F> inline void parallel_blocks(int64_t blocks, F&& f) {
  using Fn = F;
  run_blocks(blocks, [](void* ctx, int64_t b) { (*static_cast<std::remove_reference_t<Fn>*>(ctx))(b); }, &f);
}

}  // namespace gradcore
