from . import checkpoint as checkpoint
from . import hooks as hooks
