"""torch.utils.cpp_extension builds against torch's C++ library, which gradcore does not bring."""

from __future__ import annotations

from .._compat.absent import absent

CUDA_HOME = ROCM_HOME = None  # where programs look for a compiler of GPUs

__getattr__ = absent(
    __name__,
    "BuildExtension CUDAExtension CppExtension SyclExtension check_compiler_is_gcc "
    "get_compiler_abi_compatibility_and_version get_cxx_compiler get_default_build_root include_paths "
    "is_ninja_available library_paths load load_inline verify_ninja_availability",
    "gradcore brings no C++ library to build against",
)
