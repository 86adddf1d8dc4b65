"""Written policies as data: loaded, checked, compiled for the core, explained, compared, drawn."""

from ccr_events.policy.book import (
    CompiledEdition,
    LoadedDocument,
    PolicyBook,
    UnknownEdition,
    UnknownPolicy,
    UnknownRule,
)
from ccr_events.policy.loading import load_policies, read_document
from ccr_events.policy.problems import PolicyErrors, Problem

__all__ = [
    "CompiledEdition",
    "LoadedDocument",
    "PolicyBook",
    "PolicyErrors",
    "Problem",
    "UnknownEdition",
    "UnknownPolicy",
    "UnknownRule",
    "load_policies",
    "read_document",
]
