// x86's intrinsics, where there are any. They take half a second to parse: for the files that need them alone.
#pragma once
#ifdef __SSE2__
#include <immintrin.h>
#endif
