"""torch.library: operators of a program's own, by name, with gradients and rules for vmap. Start at custom_op().

Nothing is compiled here, so that what only a compiler asks for (shapes of results, layouts) is kept and not used.
Source: https://docs.pytorch.org/docs/stable/library.html
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Union, get_args, get_origin, get_type_hints

from . import _C, is_autocast_enabled
from ._compat.absent import absent
from ._modes import no_grad
from ._transforms.vmap import in_vmap
from ._types import device
from .autograd.function import Function
from .types import Number

__all__ = [
    "CustomOpDef",
    "Library",
    "custom_op",
    "define",
    "impl",
    "impl_abstract",
    "infer_schema",
    "register_autocast",
    "register_autograd",
    "register_fake",
    "register_kernel",
    "register_vmap",
]

__getattr__ = absent(
    __name__,
    "fallthrough_kernel get_ctx get_kernel opcheck register_torch_dispatch triton_op wrap_triton",
    "gradcore has no dispatcher and no compiler",
)

_operators: dict[str, CustomOpDef] = {}
_ON_CPU = ("", "cpu", "compositeimplicitautograd", "compositeexplicitautograd", "autograd", "autogradcpu")


def _found(name: str | CustomOpDef | Any) -> CustomOpDef:
    """The operator of a name such as "mine::square"."""
    if isinstance(name, CustomOpDef):
        return name
    name = str(getattr(name, "_qualified_op_name", name)).removesuffix(".default")
    if name not in _operators:
        raise RuntimeError(f"operator {name} does not exist")
    return _operators[name]


# ---- what an operator takes


def _parameter(text: str, kind: Any) -> inspect.Parameter:
    typed, has_default, default = text.partition("=")
    kind_of_value, _, name = typed.strip().rpartition(" ")
    if not kind_of_value:
        raise RuntimeError(f"a schema gives each argument a type and a name, not '{text.strip()}'")
    value: Any = inspect.Parameter.empty
    if has_default:
        try:
            value = ast.literal_eval(default.strip())
        except (SyntaxError, ValueError):
            value = default.strip()
    return inspect.Parameter(name, kind, default=value, annotation=kind_of_value.strip())


def _signature(schema: str) -> inspect.Signature:
    """The signature that a schema such as "(Tensor x, *, int n=2) -> Tensor" tells."""
    arguments, arrow, result = schema.rpartition("->")
    arguments = arguments.strip()
    if not arrow or not (arguments.startswith("(") and arguments.endswith(")")):
        raise RuntimeError(f"a schema looks like '(Tensor x) -> Tensor', not '{schema}'")
    kind: Any = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = []
    for text in re.split(r",(?![^\[]*\])", arguments[1:-1]):
        if text.strip() == "*":
            kind = inspect.Parameter.KEYWORD_ONLY
        elif text.strip():
            parameters.append(_parameter(text, kind))
    return inspect.Signature(parameters, return_annotation=result.strip())


# What schemas call a type, and which of T, T?, T[], T?[] and T[]? an operator takes of it.
_TYPES = {
    _C.Tensor: "Tensor",
    int: "SymInt",
    float: "float",
    bool: "bool",
    str: "str",
    Number: "Scalar",
    _C.dtype: "ScalarType",
    device: "Device",
}
_ENDINGS = {"Tensor": ("[]", "?[]"), "Scalar": ("[]",)} | dict.fromkeys(("SymInt", "float", "bool"), ("[]", "[]?"))
_RESULTS = ("Tensor", "Tensor[]", "SymInt", "float", "bool", "Scalar")


def _type_text(annotation: Any) -> str | None:
    """A type as schemas write it; None if they cannot."""
    arguments = get_args(annotation)
    if get_origin(annotation) in (list, Sequence):
        inner = _type_text(arguments[0]) if arguments else None
        return inner and inner + "[]"
    if type(None) in arguments:
        inner = _type_text(Union[tuple(a for a in arguments if a is not type(None))])  # noqa: UP007  a tuple of types
        return inner and inner + "?"
    return _TYPES.get(annotation)


def _parameter_text(annotation: Any) -> str | None:
    text = _type_text(annotation) or ""
    name = text.rstrip("[]?")
    return text if name and text[len(name) :] in ("", "?", *_ENDINGS.get(name, ())) else None


def _result_text(annotation: Any) -> str:
    if annotation in (None, type(None)):
        return "()"
    texts = [_type_text(a) for a in (get_args(annotation) if get_origin(annotation) is tuple else (annotation,))]
    if not set(texts) <= set(_RESULTS):
        raise ValueError(f"Return has unsupported type {annotation}. The valid types are: {', '.join(_RESULTS)}.")
    text = ", ".join(map(str, texts))
    if get_origin(annotation) is not tuple:
        return text
    return f"(({text}))" if len(texts) == 1 else f"({text})"


def _default_text(name: str, value: Any) -> str:
    if value is inspect.Parameter.empty:
        return ""
    if value is None or isinstance(value, (int, float)):
        return f"={value}"
    if isinstance(value, (str, device)):
        return f'="{value}"'
    if isinstance(value, _C.dtype):
        return f"={str(value).removeprefix('torch.')}"
    raise ValueError(f"Parameter {name} has an unsupported default value type {type(value)}.")


def _schema_parts(signature: inspect.Signature, hints: dict[str, Any], mutates_args: Any) -> Iterator[str]:
    """The arguments of a schema, with the star before those that go by name alone."""
    seen_star = False
    for i, (name, parameter) in enumerate(signature.parameters.items()):
        if parameter.kind not in (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY):
            raise ValueError("We do not support positional-only args, varargs, or varkwargs.")
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and not seen_star:
            seen_star = True
            yield "*"
        if name not in hints:
            raise ValueError(f"Parameter {name} must have a type annotation.")
        text = _parameter_text(hints[name])
        if text is None:
            hint = (
                " We do not support Tuple inputs in schema; a List is one." if get_origin(hints[name]) is tuple else ""
            )
            raise ValueError(f"Parameter {name} has unsupported type {parameter.annotation}.{hint}")
        is_tensor = text.startswith("Tensor")
        if name in mutates_args and not is_tensor:
            raise ValueError(
                f"Parameter {name} is in mutable_args but only Tensors or collections of Tensors can be mutated"
            )
        if name in mutates_args or (mutates_args == "unknown" and is_tensor):
            text = text.replace("Tensor", f"Tensor(a{i}!)")
        yield f"{text} {name}{_default_text(name, parameter.default)}"


def infer_schema(
    prototype_function: Callable[..., Any], /, *, mutates_args: str | Iterable[str], op_name: str | None = None
) -> str:
    """The schema of a function, from the annotations of its parameters and result.

    `mutates_args` names the parameters that it writes to; "unknown" says that it may write to every tensor. A parameter is
    a Tensor, number, str, dtype or device, an optional one, or a list of tensors or numbers.
    Raises ValueError for a parameter without annotation, for a type that no operator takes, and for a name in
    `mutates_args` that is no parameter or no tensor.

    >>> import gradcore
    >>> from gradcore.library import infer_schema
    >>> def scaled(x: gradcore.Tensor, factor: float = 2.0) -> gradcore.Tensor: ...
    >>> infer_schema(scaled, mutates_args=())
    '(Tensor x, float factor=2.0) -> Tensor'
    """
    signature = inspect.signature(prototype_function)
    mutated = mutates_args if isinstance(mutates_args, str) else tuple(mutates_args)
    if isinstance(mutated, str) and mutated != "unknown":
        raise ValueError("mutates_args is a sequence of names of arguments that are mutated, or the string 'unknown'.")
    try:
        hints = get_type_hints(prototype_function)
        parts = list(_schema_parts(signature, hints, mutated))
        unseen = set() if mutated == "unknown" else set(mutated) - set(signature.parameters)
        if unseen:
            raise ValueError(f"{unseen} in mutates_args were not found in the custom op's signature.")
        if "return" not in hints:
            raise ValueError("No return type annotation was provided. Please add one.")
        result = _result_text(hints["return"])
    except NameError as e:
        raise ValueError(f"infer_schema(func): Unsupported type annotation. ({e})") from e
    except ValueError as e:
        raise ValueError(f"infer_schema(func): {e} Got func with signature {signature}") from None
    return f"{op_name or ''}({', '.join(parts)}) -> {result}"


# ---- an operator


class CustomOpDef:
    """An operator of the program's own: what custom_op() gives. Call it; register_autograd() gives it a gradient."""

    def __init__(self, name: str, schema: str, kernel: Callable[..., Any] | None, opaque: bool) -> None:
        namespace, colons, op = name.partition("::")
        if not colons:
            raise ValueError(f"an operator's name has a namespace, 'mine::{name}' for instance, not '{name}'")
        self._namespace, self._name, self._qualname = namespace, op, name
        self._signature = _signature(schema)
        self._schema = f"{name}{schema}"
        self._init_fn = self._kernel = kernel
        self._opaque = opaque  # its implementation is not recorded
        self._composite = False  # its implementation is made of ops that have gradients
        self._backward: Callable[..., Any] | None = None
        self._setup: Callable[..., Any] | None = None
        self._vmap: Callable[..., Any] | None = None
        self._autocast: Any = None
        self._function: Any = type(f"GeneratedBackwardFor_{namespace}_{op}_default", (_Recorded,), {"op": self})
        _operators[name] = self

    def __repr__(self) -> str:
        return f"<CustomOpDef({self._qualname})>"

    @property
    def _opoverload(self) -> Any:
        """The operator as gradcore.ops gives it."""
        from . import ops

        return getattr(getattr(ops, self._namespace), self._name).default

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        args, keywords = self._bound(args, kwargs)
        if self._autocast is not None and is_autocast_enabled("cpu"):
            return self._called_wide(args, keywords)
        leaves, layout = _flattened(args)
        if self._is_recorded(leaves):
            result = self._function.apply(*leaves, (layout, keywords))
            return list(result) if self._function._gives_list() else result
        return self._computed(args, keywords)

    def _is_recorded(self, leaves: Sequence[Any]) -> bool:
        if in_vmap():
            return self._opaque or self._vmap is not None or self._backward is not None
        if not (self._opaque or self._backward is not None) or not _C.is_grad_enabled():
            return False
        return any(isinstance(t, _C.Tensor) and t.requires_grad for t in leaves)

    def _called_wide(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """Outside of autocast, with floating tensors of the dtype that was registered."""
        from . import autocast

        def cast(value: Any) -> Any:
            return value.to(self._autocast) if isinstance(value, _C.Tensor) and value.is_floating_point() else value

        with autocast("cpu", enabled=False):
            return self(*map(cast, args), **{name: cast(value) for name, value in keywords.items()})

    def _bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """All arguments, defaults filled in: by position, and those that are keywords only."""
        left = dict(kwargs)
        values, keywords = [], {}
        parameters = self._signature.parameters.values()
        taken = [p for p in parameters if p.kind is not inspect.Parameter.KEYWORD_ONLY]
        if len(args) > len(taken):
            raise RuntimeError(
                f"{self._qualname}() expected at most {len(taken)} argument(s) but received {len(args)} argument(s). "
                f"Declaration: {self._schema}"
            )
        for i, p in enumerate(parameters):
            value = args[i] if i < len(args) else left.pop(p.name, p.default)
            if value is inspect.Parameter.empty:
                raise RuntimeError(
                    f"{self._qualname}() is missing value for argument '{p.name}'. Declaration: {self._schema}"
                )
            if re.fullmatch(r"Tensor(\(.*\))?", str(p.annotation)) and not isinstance(value, _C.Tensor):
                raise RuntimeError(
                    f"{self._qualname}() Expected a value of type 'Tensor' for argument '{p.name}' but instead found type "
                    f"'{type(value).__name__}'. Declaration: {self._schema}"
                )
            if p.kind is inspect.Parameter.KEYWORD_ONLY:
                keywords[p.name] = value
            else:
                values.append(value)
        if left:
            raise RuntimeError(
                f"Unknown keyword argument '{next(iter(left))}' for operator '{self._qualname}'. Schema: {self._schema}"
            )
        return tuple(values), keywords

    def _computed(self, args: Sequence[Any], keywords: dict[str, Any]) -> Any:
        if self._kernel is None:
            raise NotImplementedError(f"{self._qualname}: no implementation was registered for the CPU")
        if not self._opaque:
            return self._kernel(*args, **keywords)
        with no_grad():
            result = self._kernel(*args, **keywords)
        if not in_vmap():  # mapped tensors show no memory
            _refuse_aliases(self._name, [*args, *keywords.values()], result)
        return result

    def register_kernel(self, device_types: Any, func: Callable[..., Any] | None = None, /) -> Any:
        """The implementation for "cpu"; those of other devices are kept from no one, and not used. A decorator, too."""

        def register(kernel: Callable[..., Any]) -> Callable[..., Any]:
            types = [device_types] if isinstance(device_types, str) or device_types is None else list(device_types)
            if None in types or "cpu" in types:
                self._kernel = kernel
            return kernel

        return register if func is None else register(func)

    def register_fake(self, fn: Callable[..., Any], /) -> Callable[..., Any]:
        """Takes what tells a compiler the shapes of results, which nobody asks here."""
        return fn

    register_torch_dispatch = register_fake

    def register_autograd(
        self, backward: Callable[..., Any], /, *, setup_context: Callable[..., Any] | None = None
    ) -> None:
        """The gradient: backward(ctx, *grads) gets one of each result and returns one of each argument, None where there is
        none. setup_context(ctx, inputs, output) keeps what it needs; inputs are all arguments, with their defaults.

        An operator made of other ops (its implementation stands under "CompositeImplicitAutograd") keeps their gradients.
        """
        if not self._composite:
            self._backward, self._setup = backward, setup_context

    def register_vmap(self, func: Callable[..., Any] | None = None) -> Any:
        """The rule of vmap, func(info, in_dims, *args) -> (results, their batch dims), as autograd.Function has it."""

        def register(rule: Callable[..., Any]) -> Callable[..., Any]:
            self._vmap = rule
            self._function.vmap = staticmethod(self._batched)
            self._function.generate_vmap_rule = False
            return rule

        return register if func is None else register(func)

    def _batched(self, info: Any, in_dims: Any, *flat: Any) -> Any:
        layout, keywords = flat[-1]
        args, dims = _nested(flat[:-1], layout), _nested(in_dims[:-1], layout)
        assert self._vmap is not None
        if keywords:
            return self._vmap(info, (*dims, dict.fromkeys(keywords)), *args, **keywords)
        return self._vmap(info, tuple(dims), *args)

    def register_autocast(self, device_type: str, cast_inputs: Any) -> None:
        """In autocast for "cpu", floating tensors become `cast_inputs` first."""
        if device_type == "cpu":
            self._autocast = cast_inputs


def _flattened(args: Sequence[Any]) -> tuple[list[Any], tuple[int | None, ...]]:
    """The arguments with lists of tensors taken apart, and the length of each that was a list."""
    leaves: list[Any] = []
    layout: list[int | None] = []
    for value in args:
        is_list = isinstance(value, list | tuple) and any(isinstance(t, _C.Tensor) for t in value)
        leaves.extend(value if is_list else (value,))
        layout.append(len(value) if is_list else None)
    return leaves, tuple(layout)


def _nested(leaves: Sequence[Any], layout: tuple[int | None, ...]) -> list[Any]:
    values = iter(leaves)
    return [next(values) if n is None else [next(values) for _ in range(n)] for n in layout]


def _refuse_aliases(name: str, inputs: Sequence[Any], result: Any) -> None:
    seen = {t.untyped_storage().data_ptr() for t in _tensors(inputs) if t.numel()}
    for t in _tensors(result if isinstance(result, list | tuple) else (result,)):
        place = t.untyped_storage().data_ptr() if t.numel() else None
        if place in seen:
            raise RuntimeError(
                f"{name}: The output of this custom operator (1) must not also be an input to this custom operator and (2) "
                "may not alias any inputs to this custom operator or other returns. Return a clone: x.clone() for x."
            )
        if place is not None:
            seen.add(place)


def _tensors(values: Iterable[Any]) -> list[Any]:
    plain = [t for value in values for t in (value if isinstance(value, list | tuple) else (value,))]
    return [t for t in plain if isinstance(t, _C.Tensor)]


class _Recorded(Function):
    """A call of an operator on the tape. Its last argument says how the others are nested, and what keywords there are."""

    op: CustomOpDef
    generate_vmap_rule = True

    @classmethod
    def forward(cls, *flat: Any) -> Any:
        layout, keywords = flat[-1]
        result = cls.op._computed(_nested(flat[:-1], layout), keywords)
        return tuple(result) if isinstance(result, list) else result

    @classmethod
    def setup_context(cls, ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        layout, keywords = inputs[-1]
        ctx._layout = layout
        if cls.op._setup is None:
            return
        result = list(output) if cls._gives_list() else output
        if keywords:
            cls.op._setup(ctx, tuple(_nested(inputs[:-1], layout)), keywords, result)
        else:
            cls.op._setup(ctx, tuple(_nested(inputs[:-1], layout)), result)

    @classmethod
    def _gives_list(cls) -> bool:
        return str(cls.op._signature.return_annotation).endswith("[]")

    @classmethod
    def backward(cls, ctx: Any, *grads: Any) -> Any:
        if cls.op._backward is None:
            name = f"{cls.op._namespace}.{cls.op._name}.default"
            raise RuntimeError(
                f"Trying to backward through {name} but no autograd formula was registered. Please use register_autograd to "
                "add one."
            )
        given = cls.op._backward(ctx, list(grads)) if cls._gives_list() else cls.op._backward(ctx, *grads)
        given = given if isinstance(given, tuple) else (given,)
        if len(given) != len(ctx._layout):
            raise RuntimeError(
                f"the backward of {cls.op._qualname} returned {len(given)} gradient(s) for {len(ctx._layout)} argument(s)"
            )
        out: list[Any] = []
        for grad, count in zip(given, ctx._layout):
            out.extend((grad,) if count is None else [None] * count if grad is None else grad)
        return (*out, None)


# ---- functions by name


def custom_op(
    name: str,
    fn: Callable[..., Any] | None = None,
    /,
    *,
    mutates_args: str | Iterable[str],
    device_types: Any = None,
    schema: str | None = None,
    tags: Any = None,
) -> Any:
    """Makes a function an operator, `namespace::name`, whose implementation is not looked into. A decorator, too.

    The parameters and the result of `fn` are annotated, or `schema` describes them. `mutates_args` names the parameters
    that it writes to. The operator stands in gradcore.ops, too. It has no gradient before register_autograd().
    Raises ValueError for an annotation that no operator takes; a call whose result is one of its arguments, or their
    memory, raises RuntimeError.

    >>> import gradcore as torch
    >>> @torch.library.custom_op("mine::cube", mutates_args=())
    ... def cube(x: torch.Tensor) -> torch.Tensor:
    ...     return torch.from_numpy(x.numpy() ** 3)
    >>> cube.register_autograd(
    ...     lambda ctx, grad: 3 * ctx.saved_tensors[0] ** 2 * grad,
    ...     setup_context=lambda ctx, inputs, output: ctx.save_for_backward(*inputs),
    ... )
    >>> x = torch.tensor([2.0], requires_grad=True)
    >>> torch.ops.mine.cube(x).backward()
    >>> x.grad
    tensor([12.])
    """

    def make(function: Callable[..., Any]) -> CustomOpDef:
        text = schema if schema is not None else infer_schema(function, mutates_args=mutates_args)
        op = CustomOpDef(name, text, None, opaque=True)
        op._init_fn = function
        op.register_kernel(device_types, function)
        return op

    return make if fn is None else make(fn)


def register_kernel(
    op: Any, device_types: Any, func: Callable[..., Any] | None = None, /, *, lib: Library | None = None
) -> Any:
    """See CustomOpDef.register_kernel."""
    return _found(op).register_kernel(device_types, func)


def register_autograd(
    op: Any,
    backward: Callable[..., Any],
    /,
    *,
    setup_context: Callable[..., Any] | None = None,
    lib: Library | None = None,
) -> None:
    """See CustomOpDef.register_autograd."""
    _found(op).register_autograd(backward, setup_context=setup_context)


def register_fake(
    op: Any, func: Callable[..., Any] | None = None, /, *, lib: Library | None = None, **options: Any
) -> Any:
    """See CustomOpDef.register_fake. A decorator, too."""
    _found(op)
    return (lambda function: function) if func is None else func


impl_abstract = register_fake


def register_vmap(op: Any, func: Callable[..., Any] | None = None, /, *, lib: Library | None = None) -> Any:
    """See CustomOpDef.register_vmap. A decorator, too."""
    return _found(op).register_vmap(func)


def register_autocast(op: Any, device_type: str, cast_inputs: Any, /, *, lib: Library | None = None) -> None:
    """See CustomOpDef.register_autocast."""
    _found(op).register_autocast(device_type, cast_inputs)


class Library:
    """Operators of one namespace: define() gives a schema, impl() an implementation.

    Unlike custom_op()'s, an implementation is recorded as any code is, so that gradients follow from it.

    >>> import gradcore as torch
    >>> library = torch.library.Library("shapes", "DEF")
    >>> library.define("doubled(Tensor x, int times=1) -> Tensor")
    'doubled'
    >>> library.impl("doubled", lambda x, times=1: x * 2**times)
    >>> torch.ops.shapes.doubled(torch.ones(2), times=2)
    tensor([4., 4.])
    """

    def __init__(self, ns: str, kind: str, dispatch_key: str = "") -> None:
        if kind not in ("IMPL", "DEF", "FRAGMENT"):
            raise ValueError(f"Unsupported kind: {kind}")
        self.ns, self.kind, self.dispatch_key = ns, kind, dispatch_key

    def __repr__(self) -> str:
        return f"Library(kind={self.kind}, ns={self.ns}, dispatch_key={self.dispatch_key})"

    def define(self, schema: str, alias_analysis: str = "", *, tags: Any = ()) -> str:
        """Describes an operator, `name(Tensor x) -> Tensor`; returns its name."""
        name, parenthesis, rest = schema.partition("(")
        CustomOpDef(f"{self.ns}::{name.strip()}", parenthesis + rest, None, opaque=False)
        return name.strip()

    def impl(self, op_name: Any, fn: Callable[..., Any], dispatch_key: str = "", **options: Any) -> None:
        """The implementation of an operator; one for another device is not used."""
        name = getattr(op_name, "_qualified_op_name", op_name)
        name = str(name).rpartition("::")[2]
        key = (dispatch_key or self.dispatch_key).lower()
        if key in _ON_CPU:
            op = _found(f"{self.ns}::{name}")
            op.register_kernel("cpu", fn)
            op._composite = key == "compositeimplicitautograd"


def define(qualname: str, schema: str, *, lib: Library | None = None, tags: Any = ()) -> None:
    """Describes an operator of that name, "mine::square", by its schema, "(Tensor x) -> Tensor"."""
    CustomOpDef(qualname, schema, None, opaque=False)


def impl(qualname: Any, types: Any, func: Any = None, *, lib: Library | None = None) -> Any:
    """The implementation of an operator that define() described, for the devices named. A decorator, too.

    The old form impl(library, name, dispatch_key) decorates a function as well.
    """
    if isinstance(qualname, Library):
        library, name, key = qualname, types, func or ""

        def register(function: Callable[..., Any]) -> Callable[..., Any]:
            library.impl(name, function, key)
            return function

        return register
    names = [types] if isinstance(types, str) else list(types)

    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        if any(name.lower() in (*_ON_CPU, "default") for name in names):
            _found(qualname).register_kernel("cpu", function)
        return function

    return add if func is None else add(func)
