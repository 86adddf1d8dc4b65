"""docs/policies.md says how to write a policy: its example is one, and it leaves out no word of the language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ccr_events.policy import read_document
from ccr_events.policy.calendars import SKIPPED
from ccr_events.policy.condition_values import OPERATORS
from ccr_events.policy.deadlines import FORMS
from ccr_events.policy.document import Document
from ccr_events.policy.written_link import Act, Due, Rung, Trigger, WrittenLink

TEXT = (Path(__file__).parents[3] / "docs" / "policies.md").read_text()
MODELS = (Document, WrittenLink, Trigger, Act, Due, Rung)
WORDS = {info.alias or name for model in MODELS for name, info in model.model_fields.items()}


def test_the_example_is_a_policy() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    assert [link.rule.key for link in read_document(example.encode(), "policies.md").links] == ["X17a"]


@pytest.mark.parametrize("word", sorted({*WORDS, *FORMS, *OPERATORS, *SKIPPED}))
def test_every_word_of_the_language_is_explained(word: str) -> None:
    assert re.search(rf"\b{word}\b", TEXT)
