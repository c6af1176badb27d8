"""What the lines of random programs (programs.py) are made of: hooks that note, threads, levels of forward mode. Start at `parts`."""

import importlib
import threading

from program_functions import functions

from support import Facts


def submodule(lib, name):
    return importlib.import_module(f"{lib.__name__}.{name}")


def parts(lib, seen):
    """The names that lines of a program use, for one library. Hooks append (label, gradient) to `seen`."""
    graph = submodule(lib, "autograd.graph")
    func = submodule(lib, "func")
    return {
        **hooks(lib, seen, graph),
        **functions(lib),
        **threads(),
        **forward_mode(submodule(lib, "autograd.forward_ad")),
        **{name: getattr(func, name) for name in ("grad", "jacfwd", "jacrev", "jvp", "vmap")},
        "checkpoint": submodule(lib, "utils.checkpoint").checkpoint,
        "cloning": lambda: graph.saved_tensors_hooks(lambda t: t.detach().clone(), lambda t: t),
        "halving": lambda: graph.saved_tensors_hooks(halved, doubled),
        "save_on_cpu": graph.save_on_cpu,
        "moving": lambda *tensors: swapping(graph, tensors, lambda t: t.data.clone()),
        "giving": lambda data, *tensors: swapping(graph, tensors, lambda t: data.detach().clone()),
        "unpacking": lambda other: graph.saved_tensors_hooks(lambda t: t, lambda t: other.detach()),
        "fresh": lambda grads: [
            g if g is None else g.contiguous() * 1 for g in grads
        ],  # how a gradient was made differs
        "leaf_of": lambda t: t if t.is_leaf else t.detach().requires_grad_(),
    }


def halved(tensor):
    return (tensor.detach() * 0.5, True) if tensor.is_floating_point() else (tensor, False)


def doubled(kept):
    tensor, was_halved = kept
    return tensor * 2 if was_halved else tensor


def swapping(graph, tensors, data_of):
    """Hooks that give the tensors other data whenever something is packed or unpacked: their memory goes, and may come again."""

    def swap():
        for tensor in tensors:
            tensor.data = data_of(tensor)

    def pack(tensor):
        kept = tensor.detach().clone()
        swap()
        return kept

    def unpack(kept):
        swap()
        return kept

    return graph.saved_tensors_hooks(pack, unpack)


def as_seen(grad):
    return None if grad is None else Facts(grad)


def hooks(lib, seen, graph):
    handles = []

    def kept(handle):
        handles.append(handle)

    def note(label, factor=None):
        def hook(grad):
            seen.append((label, as_seen(grad)))
            return None if factor is None else grad * factor

        return hook

    def note_node(label, factor=None):
        def hook(grads, *incoming):
            for grad in (*grads, *(g for given in incoming for g in given)):
                seen.append((label, as_seen(grad)))
            return None if factor is None else tuple(g if g is None else g * factor for g in grads)

        return hook

    def note_leaf(label):
        def hook(leaf):
            seen.append((label, as_seen(leaf.grad)))

        return hook

    def once(label):
        """Takes itself out while it runs."""

        def hook(grad):
            seen.append((label, as_seen(grad)))
            handles[place].remove()

        place = len(handles)  # where kept() puts its handle
        return hook

    def multi_grad(tensors, label, mode):
        def all_came(grads):
            seen.extend((label, as_seen(g)) for g in grads)

        def one_came(grad):
            seen.append((label, as_seen(grad)))

        kept(graph.register_multi_grad_hook(tensors, all_came if mode == "all" else one_came, mode=mode))

    def remove_last_hook():
        if handles:
            handles.pop().remove()

    return {
        "note": note,
        "note_node": note_node,
        "note_leaf": note_leaf,
        "once": once,
        "multi_grad": multi_grad,
        "remove_last_hook": remove_last_hook,
        "kept": kept,
    }


def forward_mode(forward_ad):
    levels = []

    def enter_level():
        levels.append(forward_ad.enter_dual_level())

    def exit_level():
        forward_ad.exit_dual_level()
        levels.pop()

    def through(f, primal, tangent):
        """f's value and its derivative at primal, in a level of its own."""
        with forward_ad.dual_level():
            return tuple(
                None if part is None else part.contiguous() * 1
                for part in forward_ad.unpack_dual(f(forward_ad.make_dual(primal, tangent)))
            )

    return {
        "levels": levels,
        "enter_level": enter_level,
        "exit_level": exit_level,
        "make_dual": forward_ad.make_dual,
        "unpack_dual": forward_ad.unpack_dual,
        "forward_mode": through,
    }


def threads():
    def in_threads(*actions):
        """Runs them at once, each in a thread of its own; what they returned, or the first one's exception."""
        results = [None] * len(actions)

        def run(i):
            try:
                results[i] = (actions[i](), None)
            except Exception as error:  # noqa: BLE001  raised again below
                results[i] = (None, error)

        running = [threading.Thread(target=run, args=(i,)) for i in range(len(actions))]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        for _, error in results:
            if error is not None:
                raise error
        return [value for value, _ in results]

    return {"in_threads": in_threads, "in_thread": lambda action: in_threads(action)[0]}
