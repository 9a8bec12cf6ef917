"""``PodLogOptions`` out of a query, checked, as the kubelet wants them."""
# upstream: pkg/apis/core/validation/validation.go ValidatePodLogOptions

from pykube_cp.api.request import Query
from pykube_cp.machinery import errors
from pykube_cp.machinery.field_errors import FieldError, Path

_FLAGS = ("follow", "previous", "timestamps", "insecureSkipTLSVerifyBackend")
_STREAMS = ("All", "Stdout", "Stderr")


def query_of_log(query: Query) -> list[tuple[str, str]]:
    """The kubelet's query; 422 of kind PodLogOptions for options that make no sense."""
    pairs = [(name, "true") for name in _FLAGS[:3] if query.flag(name)]
    found: list[FieldError] = []
    for name, least in (("tailLines", 0), ("limitBytes", 1), ("sinceSeconds", 1)):
        text = query.get(name)
        if text:
            number = _number(text)
            if number < least:
                detail = f"must be greater than {'or equal to ' if not least else ''}0"
                found.append(FieldError.invalid(Path(name), number, detail))
            pairs.append((name, str(number)))
    since = query.get("sinceTime")
    if since:
        pairs.append(("sinceTime", since))
    if since and query.get("sinceSeconds"):
        detail = "at most one of `sinceTime` or `sinceSeconds` may be specified"
        found.append(FieldError.forbidden(None, detail))
    stream = query.get("stream")
    if stream and stream not in _STREAMS:
        found.append(FieldError.not_supported(Path("stream"), stream, _STREAMS))
    elif stream:
        pairs.append(("stream", stream))
    if found:
        raise errors.invalid(("", "PodLogOptions"), "", found)
    return sorted(pairs)


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise errors.bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None
