# The layers of cpp/, one a line: what each may use, and how its files are optimised. CMakeLists.txt builds from this
# table, and a test reads it to see that no include points up.
#
#   layer(<name> USES <layers>)
macro(all_layers)
  layer(core USES)
  layer(openmp USES core)
  layer(formulas USES core)
  layer(kernels USES formulas core)
  layer(tensor USES core)
  layer(autograd USES tensor core)
  layer(ops USES autograd tensor kernels formulas core)
  layer(optim USES ops autograd tensor kernels formulas core)
  layer(bindings USES ops optim autograd tensor kernels formulas core)
endmacro()

# Files on the path of every small op: -O3. All else of the baseline is -O2, where it is a third smaller and no slower.
set(hot_files
  autograd/engine
  core/allocator
  ops/elementwise
  tensor/plan
  tensor/tensor
  bindings/call
  bindings/tensor_type)

# Files that run once in a program or wait for what they call: small rather than fast.
set(cold_files
  autograd/anomaly
  bindings/anomaly
  bindings/module
  bindings/origin
  bindings/types)
