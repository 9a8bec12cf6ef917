"""``PodLogOptions`` out of a query, checked, as the kubelet wants them."""
# upstream: pkg/apis/core/validation/validation.go ValidatePodLogOptions

from dataclasses import dataclass

from pykube_cp.api.request import Query
from pykube_cp.machinery import errors, leaves
from pykube_cp.machinery.codec.interface import DecodeError
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.go_numbers import parse_int

_FLAGS = ("follow", "previous", "timestamps")
_NUMBERS = (("tailLines", 0), ("limitBytes", 1), ("sinceSeconds", 1))
_NO_TIME = "0001-01-01T00:00:00Z"
_ROOT = Path("")


@dataclass(frozen=True, slots=True)
class LogOptions:
    """The container that is asked for, the kubelet's query, and whether to trust any kubelet."""

    container: str
    query: list[tuple[str, str]]
    skip_verification: bool


def read(query: Query, pod: str) -> LogOptions:
    """400 for what cannot be read, 422 of kind PodLogOptions for what makes no sense."""
    pairs = [(name, "true") for name in _FLAGS if query.flag(name)]
    try:
        numbers = {name: parse_int(query.get(name)) for name, _ in _NUMBERS if name in query}
        since = _time(query.get("sinceTime")) if "sinceTime" in query else ""
    except (ValueError, DecodeError) as error:
        raise errors.bad_request(str(error)) from None
    if found := _check(numbers, since, has_stream="stream" in query):
        raise errors.invalid(("", "PodLogOptions"), pod, found)
    pairs += [(name, str(number)) for name, number in numbers.items()]
    if since:
        pairs.append(("sinceTime", since))
    skip = bool(query.flag("insecureSkipTLSVerifyBackend"))
    return LogOptions(query.get("container"), sorted(pairs), skip)


def _check(numbers: dict[str, int], since: str, *, has_stream: bool) -> list[FieldError]:
    found = []
    for name, least in _NUMBERS:
        number = numbers.get(name)
        if name == "sinceSeconds" and number is not None and since:
            text = "at most one of `sinceTime` or `sinceSeconds` may be specified"
            found.append(FieldError.forbidden(_ROOT, text))
        elif number is not None and number < least:
            text = "must be greater than or equal to 0" if not least else "must be greater than 0"
            found.append(FieldError.invalid(Path(name), number, text))
    if has_stream:  # of a feature that is off
        found.append(FieldError.forbidden(Path("stream"), "may not be specified"))
    return found


def _time(text: str) -> str:
    # upstream: apimachinery pkg/apis/meta/v1/time.go Time.UnmarshalQueryParameter
    if text in {"", "null"}:
        return _NO_TIME
    return leaves.canonical_time(text) or _NO_TIME
