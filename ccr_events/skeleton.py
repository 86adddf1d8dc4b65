"""A payload in two parts: the open skeleton that policies decide on, and the sealed values by label.

Which field goes where is its `Mark`, compiled once per model class. A sealed value is addressed by its JSON
pointer from the payload's root, so that any subset of labels can be put back where it belongs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import ComputedFieldInfo, FieldInfo

from ccr_events.labels import Label, Mark
from ccr_events.payload import Payload

Sealed = Mapping[Label, Mapping[str, Any]]
"""By label, by JSON pointer: the plain JSON value."""

RESERVED = "sealed"
"""Name no payload field may have: the log form keeps the sealed parts under it."""


class MarkingError(TypeError):
    """A model of the contract whose fields are not marked so that they can be split."""


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A payload, split."""

    open: dict[str, Any]
    """Plain JSON; absent values are left out."""
    sealed: Sealed = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Plan:
    """How one model class is split."""

    sealed: tuple[tuple[str, Label], ...]
    nested: tuple[str, ...]
    """Open fields that hold models, or lists of models."""
    searched: tuple[str, ...]
    """Those of them in which something is sealed."""


def dump(payload: Payload) -> dict[str, Any]:
    """The payload as plain JSON values, computed fields included, absent values left out."""
    return payload.model_dump(mode="json", exclude_none=True)


def split(payload: Payload) -> Skeleton:
    """Take the sealed values out of `payload`; raises `MarkingError` when its class is not properly marked."""
    form = dump(payload)
    parts: dict[Label, dict[str, Any]] = {}
    _take(payload, form, "", parts)
    return Skeleton(form, parts)


def join(open: Mapping[str, Any], parts: Mapping[Label, Mapping[str, Any]]) -> dict[str, Any]:
    """Put sealed values back: inverse of `split`; labels that were not opened stay absent."""
    whole: dict[str, Any] = deepcopy(dict(open))
    for values in parts.values():
        for pointer, value in values.items():
            *path, last = pointer.split("/")[1:]
            place: Any = whole
            for step in path:
                place = place[int(step)] if isinstance(place, list) else place[step]
            place[last] = value
    return whole


def keep(model: type[BaseModel], form: Mapping[str, Any], may: Callable[[str, Label], bool]) -> dict[str, Any]:
    """The fields of an open skeleton that `may` (field name, label) lets through, also inside nested models.

    A field that the current model does not know has no mark, so it is left out.
    """
    marks, kept = _labels(model), {}
    for name, value in form.items():
        label = marks.get(name)
        if label is None or not may(name, label):
            continue
        info = model.model_fields.get(name)
        inner = next(_models_in(info.annotation), None) if info is not None else None
        if inner is not None and isinstance(value, Mapping):
            value = keep(inner, value, may)
        elif inner is not None and isinstance(value, list | tuple):
            value = [keep(inner, item, may) for item in value]
        kept[name] = value
    return kept


def check_marks(model: type[BaseModel]) -> None:
    """Raise `MarkingError` unless `model`, and every model inside it, can be split."""
    plan = _plan(model)
    if issubclass(model, Payload) and RESERVED in model.model_fields:
        raise MarkingError(f"{model.__name__}.{RESERVED}: the name is reserved for the log form")
    for name in plan.nested:
        for inner in _models_in(model.model_fields[name].annotation):
            check_marks(inner)


def _take(model: BaseModel, form: dict[str, Any], at: str, parts: dict[Label, dict[str, Any]]) -> None:
    """Move the sealed values of `model` from `form`, its dump, into `parts`."""
    plan = _plan(type(model))
    for name, label in plan.sealed:
        if name in form:
            parts.setdefault(label, {})[f"{at}/{name}"] = form.pop(name)
    for name in plan.searched:
        if name not in form:
            continue
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            _take(value, form[name], f"{at}/{name}", parts)
        else:
            for i, item in enumerate(value):
                if isinstance(item, BaseModel):
                    _take(item, form[name][i], f"{at}/{name}/{i}", parts)


@cache
def _plan(model: type[BaseModel]) -> _Plan:
    sealed: list[tuple[str, Label]] = []
    nested: list[str] = []
    for name, info in model.model_fields.items():
        if info.alias or info.serialization_alias:
            raise MarkingError(f"{model.__name__}.{name}: contract fields have no alias")
        mark = mark_of(info, f"{model.__name__}.{name}")
        inner = list(_models_in(info.annotation))
        if mark.sealed:
            sealed.append((name, mark.label))
            for inside in inner:
                _check_seals_alike(inside, mark.label, f"{model.__name__}.{name}")
        elif inner:
            _check_shape(info.annotation, f"{model.__name__}.{name}")
            nested.append(name)
    for name, computed in model.model_computed_fields.items():
        computed_mark = _computed_mark(computed, f"{model.__name__}.{name}")
        if computed_mark is not None and computed_mark.sealed:
            sealed.append((name, computed_mark.label))
    searched = [name for name in nested if any(map(_seals, _models_in(model.model_fields[name].annotation)))]
    return _Plan(tuple(sealed), tuple(nested), tuple(searched))


def _seals(model: type[BaseModel]) -> bool:
    plan = _plan(model)
    return bool(plan.sealed or plan.searched)


@cache
def _labels(model: type[BaseModel]) -> Mapping[str, Label]:
    """Field → label, computed fields included."""
    labels = {name: mark_of(info, f"{model.__name__}.{name}").label for name, info in model.model_fields.items()}
    for name, computed in model.model_computed_fields.items():
        mark = _computed_mark(computed, f"{model.__name__}.{name}")
        labels[name] = Label.OPS if mark is None else mark.label
    return labels


def mark_of(info: FieldInfo, where: str) -> Mark:
    """The one mark of a field; raises `MarkingError`. `where` names the field in the message."""
    marks = [item for item in info.metadata if isinstance(item, Mark)]
    if len(marks) != 1:
        raise MarkingError(f"{where}: needs exactly one confidentiality mark, has {len(marks)}")
    return marks[0]


def _computed_mark(info: ComputedFieldInfo, where: str) -> Mark | None:
    """A computed field is open (a flag policies decide on) unless its return type is marked."""
    if any(_models_in(info.return_type)):
        raise MarkingError(f"{where}: a computed field holds a plain value, not a model")
    marks = [item for item in get_args(info.return_type)[1:] if isinstance(item, Mark)]
    return marks[0] if marks else None


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The model classes that occur in an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        return
    for inner in get_args(annotation):
        yield from _models_in(inner)


def _check_seals_alike(model: type[BaseModel], label: Label, where: str) -> None:
    """Inside a sealed field nothing may be sealed under another label: one reader opens all of it."""
    for name, info in model.model_fields.items():
        mark = mark_of(info, f"{model.__name__}.{name}")
        if mark.sealed and mark.label is not label:
            raise MarkingError(
                f"{where} is sealed as {label.value} but contains {model.__name__}.{name}, sealed as "
                f"{mark.label.value}: leave the outer field open, so that each is sealed under its own label"
            )
        for inner in _models_in(info.annotation):
            _check_seals_alike(inner, label, where)


def _check_shape(annotation: Any, where: str) -> None:
    if _containers_around_models(annotation) > 1:
        raise MarkingError(f"{where}: models may stand alone or in one list, not in a map or a list of lists")


def _containers_around_models(annotation: Any) -> int:
    """How many containers a model in `annotation` is wrapped in; a map counts as too many."""
    origin = get_origin(annotation)
    inner = max((_containers_around_models(part) for part in get_args(annotation)), default=0)
    if not (isinstance(origin, type) and issubclass(origin, Collection) and any(_models_in(annotation))):
        return inner
    return inner + (2 if issubclass(origin, Mapping) else 1)
