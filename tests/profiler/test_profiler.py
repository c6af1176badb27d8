"""The profiler: which ops, lines, bytes and threads it sees, schedules, tables, traces; and nothing when it is off."""

import inspect
import json
import threading

import pytest

import gradcore
from gradcore.profiler import ProfilerAction, ProfilerActivity, profile, record_function, schedule


def line_here():
    return inspect.currentframe().f_back.f_lineno


def events_named(prof, name):
    return [e for e in prof.events() if e.name == name]


def test_forward_backward_and_step_are_named_with_their_lines():
    w = gradcore.ones(64, requires_grad=True)
    optimizer = gradcore.optim.SGD([w], lr=0.1)
    with profile() as prof:
        y, line = (w * 3).exp(), line_here()
        y.sum().backward()
        optimizer.step()
    names = {e.key for e in prof.key_averages()}
    assert {"mul", "exp", "sum", "MulBackward0", "ExpBackward0", "SumBackward0"} <= names
    assert any("step" in name.lower() or "sgd" in name.lower() for name in names), names
    for name in ("mul", "exp", "MulBackward0", "ExpBackward0"):
        (event,) = events_named(prof, name)
        assert f"test_profiler.py:{line}, in " in event.line, event


def test_bytes_moved_are_those_of_the_operands():
    a, b = gradcore.ones(1000), gradcore.ones(1000)
    with profile() as prof:
        a + b
    (event,) = events_named(prof, "add")
    assert (event.bytes_read, event.bytes_written) == (8000, 4000)
    row = next(r for r in prof.key_averages() if r.key == "add")
    assert (row.count, row.bytes, row.self_bytes) == (1, 12000, 12000)


def test_shapes_are_recorded_where_asked():
    a, b = gradcore.ones(4, 3), gradcore.ones(3, 5)
    for asked in (False, True):
        with profile(record_shapes=asked) as prof:
            gradcore.matmul(a, b)
        (event,) = events_named(prof, "matmul")
        assert event.input_shapes == ([[4, 3], [3, 5]] if asked else [])


def test_ranges_nest_around_ops():
    with profile() as prof:
        with record_function("outer"):
            gradcore.ones(3).sum()

        @record_function("decorated")
        def work():
            return gradcore.ones(3).exp()

        work()
    (outer,), (decorated,) = events_named(prof, "outer"), events_named(prof, "decorated")
    assert "sum" in {child.name for child in outer.cpu_children}
    assert "exp" in {child.name for child in decorated.cpu_children}
    assert 0 <= outer.self_cpu_time_total <= outer.cpu_time_total


def test_every_thread_is_seen():
    def work():
        for _ in range(5):
            gradcore.ones(10).cos()

    with profile() as prof:
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = events_named(prof, "cos")
    assert len(found) == 15 and len({e.thread for e in found}) == 3


def test_nothing_is_recorded_outside():
    with profile() as prof:
        pass
    gradcore.ones(3).sin()
    assert len(prof.events()) == 0
    with record_function("unseen"):  # costs nothing and says nothing
        gradcore.ones(3)


def test_an_error_inside_ends_the_span():
    with profile() as prof:
        with pytest.raises(RuntimeError):
            gradcore.ones(2) + gradcore.ones(3)
        with pytest.raises(IndexError):
            gradcore.ones(3).index_select(0, gradcore.tensor([5]))
        gradcore.ones(3).sin()
    (event,) = events_named(prof, "sin")
    assert event.cpu_parent is None


def test_one_profile_at_a_time():
    with profile():
        with pytest.raises(RuntimeError, match="running already"):
            profile().start()
    with profile() as prof:
        gradcore.ones(3).sin()
    assert events_named(prof, "sin")


def test_schedule_records_the_active_steps():
    seen = []
    handler = lambda prof: seen.append([len(events_named(prof, "sin")), prof.step_num])  # noqa: E731
    plan = schedule(wait=1, warmup=1, active=2, repeat=2, skip_first=1)
    with profile(schedule=plan, on_trace_ready=handler) as prof:
        for _ in range(12):
            gradcore.ones(3).sin()
            prof.step()
    assert seen == [[2, 5], [2, 9]]


def test_schedule_is_torchs():
    torch = pytest.importorskip("torch")
    for options in (
        {"wait": 1, "warmup": 1, "active": 3},
        {"wait": 0, "warmup": 2, "active": 1, "repeat": 2},
        {"wait": 2, "warmup": 1, "active": 2, "skip_first": 3, "repeat": 1},
        {"wait": 2, "warmup": 1, "active": 2, "skip_first_wait": 1},
    ):
        ours, theirs = schedule(**options), torch.profiler.schedule(**options)
        assert [ours(i).name for i in range(20)] == [theirs(i).name for i in range(20)], options


def test_table_has_torchs_columns_and_sorts():
    with profile(record_shapes=True) as prof:
        x = gradcore.ones(300, 300)
        for _ in range(3):
            x @ x
        x.sin()
    table = prof.key_averages(group_by_input_shape=True, group_by_stack_n=1).table(sort_by="count", row_limit=2)
    head, *rows = [line for line in table.splitlines() if not line.startswith("-")]
    for column in ("Name", "Self CPU %", "CPU total", "CPU time avg", "# of Calls", "Bytes moved", "Source Location"):
        assert column in head
    assert rows[0].startswith("matmul") and "test_profiler.py" in rows[0]
    assert len(rows) == 3  # two, and the total
    with pytest.raises(AttributeError, match="cannot be sorted by 'speed'"):
        prof.key_averages().table(sort_by="speed")


def test_chrome_trace_is_json_with_complete_events(tmp_path):
    with profile() as prof:
        (gradcore.ones(30, requires_grad=True) * 2).sum().backward()
    path = tmp_path / "trace.json"
    prof.export_chrome_trace(path)
    events = json.loads(path.read_text())["traceEvents"]
    assert {"mul", "MulBackward0"} <= {e["name"] for e in events}
    for event in events:
        assert event["ph"] == "X" and event["dur"] >= 0 and event["ts"] >= 0
        assert {"pid", "tid", "cat", "args"} <= set(event)
    prof.export_stacks(tmp_path / "stacks.txt")
    assert "test_profiler.py" in (tmp_path / "stacks.txt").read_text()


def test_results_are_the_same_under_the_profiler():
    def program():
        gradcore.manual_seed(0)
        w = gradcore.randn(40, 30, requires_grad=True)
        (gradcore.randn(20, 40) @ w).softmax(1).max(1).values.sum().backward()
        return w.grad.tolist()

    plain = program()
    with profile():
        assert program() == plain


def test_what_is_not_there_says_so():
    with pytest.raises(NotImplementedError, match="execution_trace_observer"):
        profile(execution_trace_observer=print)
    with pytest.raises(AssertionError, match="No valid profiler activities"):
        profile(activities=[ProfilerActivity.CUDA])
    with pytest.raises(AssertionError, match="didn't finish"):
        profile().events()
    assert ProfilerAction.RECORD.value == 2


def test_traces_carry_what_the_program_adds_and_may_be_compressed(tmp_path):
    import gzip

    with profile() as prof:
        gradcore.ones(2) + 1
    prof.add_metadata("run", 'the "first"')
    prof.add_metadata_json("sizes", "[1, 2]")
    prof.preset_metadata_json("more", '{"a": null}')
    with pytest.raises(ValueError):
        prof.add_metadata_json("bad", "{")
    prof.export_chrome_trace(tmp_path / "trace.json.gz")
    with gzip.open(tmp_path / "trace.json.gz") as file:
        trace = json.load(file)
    assert (trace["run"], trace["sizes"], trace["more"]) == ('the "first"', [1, 2], {"a": None}) and "bad" not in trace
    assert "add" in {event["name"] for event in trace["traceEvents"]}


def test_the_handler_compresses(tmp_path):
    with profile(on_trace_ready=gradcore.profiler.tensorboard_trace_handler(str(tmp_path), "me", use_gzip=True)):
        gradcore.ones(2) + 1
    (file,) = tmp_path.iterdir()
    assert (
        file.name.startswith("me.") and file.name.endswith(".pt.trace.json.gz") and file.read_bytes()[:2] == b"\x1f\x8b"
    )


def test_options_that_add_nothing_are_accepted():
    """Bytes are told in any case; tables can be sorted by them."""
    with profile(profile_memory=True, with_flops=True, with_modules=True, record_shapes=True) as prof:
        gradcore.ones(1000) + 1
    assert prof.profile_memory and prof.with_flops
    assert "add" in prof.key_averages().table(sort_by="bytes", row_limit=1)
    with gradcore.autograd.profiler.profile(profile_memory=True, use_cuda=False) as prof:
        gradcore.ones(2).exp()
    assert "exp" in prof.table()


def test_events_where_torch_keeps_them():
    import gradcore.autograd.profiler_util as events

    with profile() as prof:
        gradcore.ones(2).exp()
    assert isinstance(prof.events(), events.EventList) and isinstance(prof.events()[0], events.FunctionEvent)
