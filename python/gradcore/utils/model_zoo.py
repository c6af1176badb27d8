"""torch.utils.model_zoo: the older place of what torch.hub has."""

from ..hub import load_state_dict_from_url as load_url
from ..hub import tqdm, urlparse

__all__ = ["load_url", "tqdm", "urlparse"]
