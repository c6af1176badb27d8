# Which of x86-64's instruction sets kernels are compiled for (ADR 17). GRADCORE_ISAS says so:
#
#   machine   for this machine: v4 with v3 where it has AVX-512, v3 where it has AVX2, v2 elsewhere
#   all       v2, v3 and v4: what is handed on to other machines
#   a list    "v3;v4", say; v4 needs v3, some of whose kernels it takes
function(choose_isas result)
  set(isas "${GRADCORE_ISAS}")
  if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    set(isas v2) # the baseline of another machine keeps the name
  elseif(isas STREQUAL all OR (isas STREQUAL machine AND CMAKE_CROSSCOMPILING))
    set(isas v2 v3 v4)
  elseif(isas STREQUAL machine)
    isas_of_this_machine(isas)
  endif()
  foreach(isa ${isas})
    if(NOT isa MATCHES "^v[234]$")
      message(FATAL_ERROR "GRADCORE_ISAS is machine, all, or a list of v2, v3 and v4, not ${GRADCORE_ISAS}")
    endif()
  endforeach()
  if("v4" IN_LIST isas AND NOT "v3" IN_LIST isas)
    message(FATAL_ERROR "GRADCORE_ISAS has v4 without v3, some of whose kernels v4 takes")
  endif()
  list(REMOVE_DUPLICATES isas)
  message(STATUS "Kernels for ${isas}")
  set(${result} ${isas} PARENT_SCOPE)
endfunction()

function(isas_of_this_machine result)
  try_run(GRADCORE_NEWEST_ISA compiled ${CMAKE_BINARY_DIR}/newest_isa ${CMAKE_SOURCE_DIR}/cmake/newest_isa.cpp
          CMAKE_FLAGS -DINCLUDE_DIRECTORIES=${CMAKE_SOURCE_DIR}/cpp)
  if(NOT GRADCORE_NEWEST_ISA MATCHES "^[234]$")
    message(STATUS "This machine's instruction set could not be found out")
    set(isas v2 v3 v4)
  elseif(GRADCORE_NEWEST_ISA EQUAL 4)
    set(isas v3 v4)
  else()
    set(isas v${GRADCORE_NEWEST_ISA})
  endif()
  set(${result} ${isas} PARENT_SCOPE)
endfunction()
