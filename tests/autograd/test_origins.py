"""Errors about the graph name the lines of the program that they come from."""

import threading

import pytest

from support import gradcore


def line_of(text):
    """The number of the line of this file that ends with the comment `text`."""
    with open(__file__) as file:
        return next(n for n, line in enumerate(file, 1) if line.rstrip().endswith(f"# {text}"))


def assert_names(error, what, text):
    assert f"{what} {__file__}:{line_of(text)}, in " in str(error.value)


def test_a_write_to_a_saved_tensor():
    x = gradcore.ones(2, requires_grad=True)
    y = x.exp()  # computes it
    z = y * y  # saves it
    y.detach().add_(1)  # writes to it
    with pytest.raises(RuntimeError, match="modified by an inplace operation") as error:
        z.sum().backward()
    assert_names(error, "computed at", "computes it")
    assert_names(error, "saved for MulBackward0 at", "saves it")
    assert_names(error, "last written to at", "writes to it")


def test_a_step_of_an_optimizer_is_the_users_line():
    p = gradcore.ones(2, requires_grad=True)
    loss = (p * p).sum()
    optimizer = gradcore.optim.SGD([p], lr=0.1)
    p.grad = gradcore.ones(2)
    optimizer.step()  # steps
    with pytest.raises(RuntimeError, match="modified by an inplace operation") as error:
        loss.backward()
    assert_names(error, "last written to at", "steps")


def test_a_second_backward():
    x = gradcore.ones(2, requires_grad=True)
    y = (x * x).sum()  # records
    y.backward()
    with pytest.raises(RuntimeError, match="second time") as error:
        y.backward()
    assert_names(error, "recorded at", "records")


def test_a_gradient_of_a_gradient_belongs_to_the_first_op():
    x = gradcore.ones(2, requires_grad=True)
    y = (x * x * x).sum()  # is differentiated twice
    (g,) = gradcore.autograd.grad(y, x, create_graph=True)
    total = g.sum()
    total.backward()
    with pytest.raises(RuntimeError, match="second time") as error:
        total.backward()
    assert_names(error, "recorded at", "is differentiated twice")


def test_an_unused_input():
    x = gradcore.ones(2, requires_grad=True)
    unused = x * 2  # is not used
    with pytest.raises(RuntimeError, match="appears to not have been used") as error:
        gradcore.autograd.grad(x.sum(), unused)
    assert_names(error, "computed at", "is not used")


def test_a_thread_has_lines_of_its_own():
    found = []

    def work():
        x = gradcore.ones(2, requires_grad=True)
        y = (x * x).sum()  # in the thread
        y.backward()
        try:
            y.backward()
        except RuntimeError as error:
            found.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert f"recorded at {__file__}:{line_of('in the thread')}, in work" in found[0]


def test_tracking_can_be_switched_off():
    gradcore.set_origin_tracking(False)
    try:
        x = gradcore.ones(2, requires_grad=True)
        y = (x * x).sum()
        y.backward()
        with pytest.raises(RuntimeError, match="second time") as error:
            y.backward()
        assert "recorded at" not in str(error.value)
    finally:
        gradcore.set_origin_tracking(True)


def test_generated_code_is_no_trouble():
    x = gradcore.ones(1, requires_grad=True)
    for i in range(2000):
        exec(f"y = (x * x).sum() + {i}", {"x": x})
    y = eval("x * x", {"x": x})
    y.backward()
    with pytest.raises(RuntimeError, match="recorded at <string>:1, in <module>"):
        y.backward()
