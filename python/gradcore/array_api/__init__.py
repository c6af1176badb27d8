"""The array API standard, version 2024.12, over tensors: https://data-apis.org/array-api/2024.12

The functions have the standard's names, signatures and rules; arrays are gradcore's tensors, and what is computed here is
recorded as anywhere else. Dtypes are those that tensors have. tests/array_api/expected_failures.txt lists where the
standard is not kept, and why.

>>> from gradcore import array_api as xp
>>> x = xp.asarray([[1.0, 2.0], [3.0, 4.0]])
>>> xp.sum(x, axis=0), xp.astype(x, xp.int32)[0, :]
(tensor([4., 6.]), tensor([1, 2], dtype=torch.int32))
>>> x.__array_namespace__() is xp
True
"""

from __future__ import annotations

from math import e as e
from math import inf as inf
from math import nan as nan
from math import pi as pi

from .. import __version__ as __version__
from .._C import bool as bool
from .._C import float32 as float32
from .._C import float64 as float64
from .._C import int8 as int8
from .._C import int16 as int16
from .._C import int32 as int32
from .._C import int64 as int64
from .._C import uint8 as uint8
from . import linalg as linalg
from ._arrays import *  # noqa: F403
from ._creation import *  # noqa: F403
from ._dtypes import *  # noqa: F403
from ._elementwise import *  # noqa: F403
from ._info import __array_namespace_info__ as __array_namespace_info__
from ._reductions import *  # noqa: F403
from .linalg import matmul as matmul
from .linalg import matrix_transpose as matrix_transpose
from .linalg import tensordot as tensordot
from .linalg import vecdot as vecdot

__array_api_version__ = "2024.12"
newaxis = None
