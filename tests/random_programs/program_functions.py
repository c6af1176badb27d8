"""The custom Functions that lines of random programs apply. Start at `functions`."""

import importlib


def functions(lib):
    """Each Function's class by its name, made for one library."""
    groups = (that_save, of_several, that_alias, with_odd_backwards)
    return {cls.__name__: cls for group in groups for cls in group(lib, lib.autograd.Function)}


def that_save(lib, Function):
    """Functions that save inputs, outputs or numbers."""

    once_differentiable = importlib.import_module(f"{lib.__name__}.autograd.function").once_differentiable

    class Cube(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 3 * x * x

    class Scale(Function):
        @staticmethod
        def forward(ctx, x, factor):
            ctx.factor = factor
            return x * factor

        @staticmethod
        def backward(ctx, g):
            return g * ctx.factor, None

    class ExpOut(Function):
        @staticmethod
        def forward(ctx, x):
            y = x.clamp(max=2).exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, g):
            return g * ctx.saved_tensors[0]

    class Product(Function):
        @staticmethod
        def forward(ctx, a, b):
            ctx.save_for_backward(a, b)
            return a * b

        @staticmethod
        def backward(ctx, g):
            a, b = ctx.saved_tensors
            of_a = g * b if ctx.needs_input_grad[0] else None
            of_b = g * a if ctx.needs_input_grad[1] else None
            return of_a, of_b

    class Once(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.sin()

        @staticmethod
        @once_differentiable
        def backward(ctx, g):
            return g * ctx.saved_tensors[0].cos()

    class SetUp(Function):
        @staticmethod
        def forward(x, power):
            return x**power

        @staticmethod
        def setup_context(ctx, inputs, output):
            x, ctx.power = inputs
            ctx.save_for_backward(x)

        @staticmethod
        def backward(ctx, g):
            return g * ctx.power * ctx.saved_tensors[0] ** (ctx.power - 1), None

    return Cube, Scale, ExpOut, Product, Once, SetUp


def of_several(lib, Function):
    """Functions of several inputs or outputs, of which some have no gradient."""

    class WithSign(Function):
        @staticmethod
        def forward(ctx, x):
            y, sign = x * 2, x.sign()
            ctx.mark_non_differentiable(sign)
            return y, sign

        @staticmethod
        def backward(ctx, g, of_sign):
            return g * 2 + of_sign

    class Sparse(Function):
        """Its two outputs need not both be used: what is missing comes as None."""

        @staticmethod
        def forward(ctx, a, b):
            ctx.set_materialize_grads(False)
            return a * 2, b * 3

        @staticmethod
        def backward(ctx, g, h):
            return None if g is None else g * 2, None if h is None else h * 3

    class Dual(Function):
        """Has a rule of its own for forward mode."""

        @staticmethod
        def forward(ctx, a, b):
            ctx.save_for_backward(a, b)
            ctx.save_for_forward(a, b)
            return a * b

        @staticmethod
        def backward(ctx, g):
            a, b = ctx.saved_tensors
            return g * b, g * a

        @staticmethod
        def jvp(ctx, of_a, of_b):
            a, b = ctx.saved_tensors
            return (0 if of_a is None else of_a * b) + (0 if of_b is None else a * of_b)

    return WithSign, Sparse, Dual


def that_alias(lib, Function):
    """Functions whose result is their input, a view of it, or a write to it."""

    class Same(Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 5

    class Flat(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.shape = x.shape
            return x.reshape(-1)

        @staticmethod
        def backward(ctx, g):
            return g.reshape(ctx.shape)

    class Doubled(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x.mul_(2)

        @staticmethod
        def backward(ctx, g):
            return g * 2

    return Same, Flat, Doubled


def with_odd_backwards(lib, Function):
    """Functions whose backward differentiates a graph of its own, or fails."""

    class Inner(Function):
        """Differentiates a graph of its own inside backward."""

        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.tanh()

        @staticmethod
        def backward(ctx, g):
            with lib.enable_grad():
                x = ctx.saved_tensors[0].detach().requires_grad_()
                (of_x,) = lib.autograd.grad(x.tanh(), x, g.detach())
            return of_x

    class Failing(Function):
        @staticmethod
        def forward(ctx, x):
            return x + 1

        @staticmethod
        def backward(ctx, g):
            raise KeyError("this backward always fails")

    return Inner, Failing
