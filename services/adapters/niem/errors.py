"""What is wrong with a document, told without repeating anything it holds."""

from __future__ import annotations


class DocumentError(ValueError):
    """A document that cannot become events. The text names paths and rules, never a value of the document."""

    def __init__(self, reason: str, *, path: str = "") -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.path = path
        """Where: an XPath in prefixes a person knows, such as `/nola:ArrestExchange/j:Arrest`; empty for the whole."""
        self.reason = reason
        """What is wrong, and what to do."""
