"""How to reach a webhook."""
# upstream: apiserver pkg/util/webhook/validation.go

from collections.abc import Sequence
from urllib.parse import urlsplit

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import checks

_FORM = "; desired format: https://host[/path]"


def check_client(config: Object, path: Path) -> checks.Errors:
    url, service = config.get("url"), config.get("service")
    if (url is None) is (service is None):
        return [FieldError.required(path, "exactly one of url or service is required")]
    if url is not None:
        return _url(url, path.child("url"))
    return _service(service or {}, path.child("service"))


def _url(url: str, path: Path) -> checks.Errors:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        text = f"url must be a valid URL: {error}{_FORM}"
        return [FieldError.required(path, text)]
    found = []
    if parts.scheme != "https":
        text = f"'https' is the only allowed URL scheme{_FORM}"
        found.append(FieldError.invalid(path, parts.scheme, text))
    user, at, host = parts.netloc.rpartition("@")
    if not host:
        found.append(FieldError.invalid(path, host, f"host must be specified{_FORM}"))
    if at:
        text = "user information is not permitted in the URL"
        found.append(FieldError.invalid(path, user, text))
    if parts.fragment:
        text = "fragments are not permitted in the URL"
        found.append(FieldError.invalid(path, parts.fragment, text))
    if parts.query:
        text = "query parameters are not permitted in the URL"
        found.append(FieldError.invalid(path, parts.query, text))
    return found


def _service(service: Object, path: Path) -> checks.Errors:
    # Upstream takes the one for the other here.
    found = [
        FieldError.required(path.child(other))
        for field, other in (("namespace", "name"), ("name", "namespace"))
        if not service.get(field)
    ]
    port = service.get("port") or 0
    if wrong := names.is_valid_port_num(port):
        text = f"port is not valid: {', '.join(wrong)}"
        found.append(FieldError.invalid(path.child("port"), port, text))
    text = service.get("path") or ""
    return found if text in {"", "/"} else found + _path(text, path.child("path"))


def _path(text: str, path: Path) -> checks.Errors:
    if text == "//":
        return [FieldError.invalid(path, text, "segment[0] may not be empty")]
    found = []
    if not text.startswith("/"):
        found.append(FieldError.invalid(path, text, "must start with a '/'"))
    for position, step in enumerate(text[1:].removesuffix("/").split("/")):
        wrong = names.is_dns1123_subdomain(step) if step else []
        texts = [f"segment[{position}]: {reason}" for reason in wrong]
        if not step:
            texts.append(f"segment[{position}] may not be empty")
        found += checks.invalid(path, text, texts)
    return found


def check_review_versions(
    versions: Sequence[str], path: Path, missing: str, *, must_know: bool
) -> checks.Errors:
    """The versions of reviews that a webhook understands; one of them must be ours."""
    if not versions:
        return [FieldError.required(path, missing)]
    found = []
    for position, version in enumerate(versions):
        where = path.index(position)
        if version in versions[:position]:
            found.append(FieldError.invalid(where, version, "duplicate version"))
            continue
        found += checks.invalid(where, version, names.is_dns1035_label(version))
    if must_know and not {"v1", "v1beta1"} & set(versions):
        text = "must include at least one of v1, v1beta1"
        found.append(FieldError.invalid(path, list(versions), text))
    return found


def check_unique(webhooks: Sequence[Object], path: Path) -> checks.Errors:
    found = []
    seen: set[str] = set()
    for position, webhook in enumerate(webhooks):
        name = webhook.get("name") or ""
        if name and name in seen:
            found.append(FieldError.duplicate(path.index(position).child("name"), name))
        seen.add(name)
    return found
