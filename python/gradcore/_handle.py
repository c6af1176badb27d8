"""The handle of a registered hook."""

from __future__ import annotations

from _weakref import ref  # the module weakref takes longer to import than all of ours

from ._class_names import belongs_to
from ._lazy import TYPE_CHECKING

if TYPE_CHECKING:
    from collections import OrderedDict
    from typing import Any
else:
    from ._lazy import Any


@belongs_to("gradcore.utils.hooks")
class RemovableHandle:
    """A hook in a dict of hooks, under the key `id`. `remove()` takes it out; it also works as a context manager.

    extra_dict: another dict, or a list of them, that has the key besides and loses it with the hook.

    >>> from collections import OrderedDict
    >>> hooks = OrderedDict()
    >>> handle = RemovableHandle(hooks)
    >>> hooks[handle.id] = print
    >>> handle.remove()
    >>> len(hooks)
    0
    """

    next_id = 0

    def __init__(self, hooks_dict: OrderedDict[int, Any], *, extra_dict: Any = None) -> None:
        self.hooks_dict_ref = ref(hooks_dict)
        extra = extra_dict if isinstance(extra_dict, list) else [] if extra_dict is None else [extra_dict]
        self.extra_dict_ref = tuple(ref(other) for other in extra)
        self.id = RemovableHandle.next_id
        RemovableHandle.next_id += 1

    def remove(self) -> None:
        """Takes the hook out; a second call does nothing."""
        for reference in (self.hooks_dict_ref, *self.extra_dict_ref):
            hooks = reference()
            if hooks is not None:
                hooks.pop(self.id, None)

    def __repr__(self) -> str:
        # Subclasses hold hooks in other ways, which is nobody's concern who reads this behind a notebook's cell.
        return f"<{RemovableHandle.__module__}.RemovableHandle object at {id(self):#x}>"

    def __getstate__(self) -> tuple[Any, ...]:
        return self.hooks_dict_ref(), self.id, tuple(reference() for reference in self.extra_dict_ref)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        # Dicts that are gone are so here: the handle then takes nothing out.
        from collections import OrderedDict

        hooks, self.id, *extra = state
        self.hooks_dict_ref = ref(OrderedDict() if hooks is None else hooks)
        self.extra_dict_ref = tuple(ref(OrderedDict() if other is None else other) for other in (extra or [()])[0])
        RemovableHandle.next_id = max(RemovableHandle.next_id, self.id + 1)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()
