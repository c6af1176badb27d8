# The layers of cpp/, one a line: what each may use, and how it is optimised. CMakeLists.txt builds from this table, and a
# test reads it to see that no include points up.
#
#   layer(<name> [OPTIMISE <option>] USES <layers>)     -O2 where nothing is said
macro(all_layers)
  layer(core USES)
  layer(openmp USES core)
  layer(formulas USES core)
  layer(kernels USES formulas core)
  layer(tensor USES core)
  layer(autograd USES tensor core)
  layer(ops OPTIMISE -Os USES autograd tensor kernels formulas core)
  layer(optim USES ops autograd tensor kernels formulas core)
  layer(bindings OPTIMISE -Os USES ops optim autograd tensor kernels formulas core)
endmacro()

# Files on the path of every small op: -O3. For all others it makes machine code half as large again, and none faster.
# A name may be a pattern; one that no file has ends the build.
set(hot_files
  autograd/engine
  bindings/call
  bindings/op_function
  bindings/tensor_type
  core/allocator
  core/generator
  ops/elementwise
  ops/view_pieces
  tensor/plan
  tensor/tensor)

# Files that every named op passes, or that small programs pass often: -O2 where the rest of the layer is small rather than
# fast. The hot and the warm ones have no stack protector.
set(warm_files
  autograd/node
  bindings/args
  bindings/data
  bindings/gil
  bindings/nn_module
  bindings/out
  bindings/recording_mode
  ops/class_loss
  ops/convolution
  ops/create
  ops/ctc_loss
  ops/einsum
  ops/gather
  ops/index
  ops/join
  ops/layer_norm
  ops/linalg/solve
  ops/matmul
  ops/pointwise
  ops/pooling
  ops/random
  ops/reduce
  ops/view
  ops/view_dims
  tensor/loop)

# Files that define classes or functions by pybind11: each brings the same machine code of it, for seconds of the
# compiler's time. But in a developer's build they are compiled together, by group.
set(together_values anomaly autocast dlpack module size types)
set(together_states data nn_module recording_mode)
set(together_graph autograd node origin profiler saved_fields saved_hooks torch_function)

# Families of kernels that are not compiled for v4, which takes v3's: 64-byte vectors make them no faster. ADR 14.
set(families_up_to_v3 linalg norm optim pool random)
