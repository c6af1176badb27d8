"""Settings of torch's compiler, which programs make before they call compile(). They are kept, and change nothing."""

from __future__ import annotations

from types import SimpleNamespace

triton = SimpleNamespace(unique_kernel_names=True, cudagraphs=False)
cpp = SimpleNamespace(threads=-1, simdlen=None)
coordinate_descent_tuning = max_autotune = freezing = cpp_wrapper = conv_1x1_as_mm = debug = False
epilogue_fusion = fx_graph_cache = True
compile_threads = 1
