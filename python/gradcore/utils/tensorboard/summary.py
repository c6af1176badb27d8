"""What loggers take from torch.utils.tensorboard.summary: hyperparameters as the messages that TensorBoard reads."""

from __future__ import annotations

import importlib
from typing import Any

from ..._C import Tensor

__all__ = ["hparams"]


def _typed(value: Any) -> tuple[str, str, Any]:
    """The message's field, the name of its type, and the value. Like torch, which asks for numbers first, it takes a bool
    for a number."""
    if isinstance(value, (int, float)):
        return "number_value", "DATA_TYPE_FLOAT64", value
    if isinstance(value, str):
        return "string_value", "DATA_TYPE_STRING", value
    if isinstance(value, Tensor):
        return "number_value", "DATA_TYPE_FLOAT64", value.item()
    raise ValueError("value should be one of int, float, str, bool, or torch.Tensor")


def _check(hparam_dict: Any, metric_dict: Any, domains: dict[str, Any]) -> None:
    for name, given in (("hparam_dict", hparam_dict), ("metric_dict", metric_dict)):
        if not isinstance(given, dict):
            raise TypeError(f"parameter: {name} should be a dictionary, nothing logged.")
    if not isinstance(domains, dict):
        raise TypeError("parameter: hparam_domain_discrete should be a dictionary, nothing logged.")
    for key, values in domains.items():
        known = key in hparam_dict and isinstance(values, list)
        if not known or not all(isinstance(value, type(hparam_dict[key])) for value in values):
            raise TypeError(
                f"parameter: hparam_domain_discrete[{key}] should be a list of same type as hparam_dict[{key}]."
            )


def hparams(
    hparam_dict: dict[str, Any], metric_dict: dict[str, Any], hparam_domain_discrete: dict[str, list[Any]] | None = None
) -> tuple[Any, Any, Any]:
    """Three summaries by the package tensorboard: of the experiment, and of its session's begin and end.

    `hparam_dict` are hyperparameters and their values, `metric_dict` names metrics, and `hparam_domain_discrete` lists
    the values that hyperparameters may have. A value of None is left out.

    >>> from gradcore.utils.tensorboard.summary import hparams
    >>> experiment, begin, end = hparams({"lr": 0.1}, {"loss": 0})  # doctest: +SKIP

    Raises TypeError for what is no dictionary, ValueError for a value of another type, ImportError without tensorboard.
    """
    domains = hparam_domain_discrete or {}
    _check(hparam_dict, metric_dict, domains)
    api = importlib.import_module("tensorboard.plugins.hparams.api_pb2")
    data = importlib.import_module("tensorboard.plugins.hparams.plugin_data_pb2")
    names = importlib.import_module("tensorboard.plugins.hparams.metadata")
    structs = importlib.import_module("google.protobuf.struct_pb2")

    begin, infos = data.SessionStartInfo(), []
    for key, value in hparam_dict.items():
        if value is None:
            continue
        field, kind, plain = _typed(value)
        setattr(begin.hparams[key], field, plain)
        info = api.HParamInfo(name=key, type=api.DataType.Value(kind))
        if key in domains:
            values = [structs.Value(**{field: _typed(item)[2]}) for item in domains[key]]
            info.domain_discrete.CopyFrom(structs.ListValue(values=values))
        infos.append(info)
    metrics = [api.MetricInfo(name=api.MetricName(tag=key)) for key in metric_dict]
    experiment = api.Experiment(hparam_infos=infos, metric_infos=metrics)
    end = data.SessionEndInfo(status=api.Status.Value("STATUS_SUCCESS"))
    return (
        _summary(names.EXPERIMENT_TAG, experiment=experiment),
        _summary(names.SESSION_START_INFO_TAG, session_start_info=begin),
        _summary(names.SESSION_END_INFO_TAG, session_end_info=end),
    )


def _summary(tag: str, **content: Any) -> Any:
    data = importlib.import_module("tensorboard.plugins.hparams.plugin_data_pb2")
    names = importlib.import_module("tensorboard.plugins.hparams.metadata")
    proto = importlib.import_module("tensorboard.compat.proto.summary_pb2")
    message = data.HParamsPluginData(version=names.PLUGIN_DATA_VERSION, **content)
    plugin = proto.SummaryMetadata.PluginData(plugin_name=names.PLUGIN_NAME, content=message.SerializeToString())
    return proto.Summary(value=[proto.Summary.Value(tag=tag, metadata=proto.SummaryMetadata(plugin_data=plugin))])
