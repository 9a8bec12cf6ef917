"""Failures as controllers see them: several in one, and why a namespace refuses."""

from collections.abc import Sequence

from pykube_cp.machinery import errors

NAMESPACE_TERMINATING = "NamespaceTerminating"


class AggregateError(Exception):
    """Several failures at once; its text lists the different ones."""

    def __init__(self, failures: Sequence[BaseException]) -> None:
        super().__init__(failures)
        self.failures = tuple(failures)

    def __str__(self) -> str:
        # upstream: apimachinery pkg/util/errors/errors.go aggregate.Error
        texts = list(dict.fromkeys(str(error) for error in self.failures))
        return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


def raise_all(failures: Sequence[BaseException]) -> None:
    """Raise what went wrong, if anything did."""
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise AggregateError(failures)


def is_namespace_terminating(error: BaseException | None) -> bool:
    return errors.has_cause(error, NAMESPACE_TERMINATING)
