from . import _foreach_utils as _foreach_utils
from . import benchmark as benchmark
from . import checkpoint as checkpoint
from . import data as data
from . import dlpack as dlpack
from . import hooks as hooks
from . import model_zoo as model_zoo
from . import tensorboard as tensorboard
