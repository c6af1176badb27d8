// For files that define classes, or functions of the module, by pybind11.
#pragma once
#include <pybind11/pybind11.h>

#include "bindings/python.h"

namespace gradcore {
void add_nn_module(py::module_& m);
void add_autocast(py::module_& m);
void add_recording_mode(py::module_& m);
void add_size(py::module_& m);
}  // namespace gradcore
