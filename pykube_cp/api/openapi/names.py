"""Names of operations, as clients' generators use them."""
# upstream: apiserver pkg/endpoints/openapi/openapi.go

_VERBS = ("get", "log", "read", "replace", "patch", "delete", "watch", "connect", "list", "create")


def operation_id_and_tag(name: str, path: str) -> tuple[str, str]:
    """``listNamespacedPod`` at ``/api/v1/...`` is ``listCoreV1NamespacedPod``, under ``core_v1``."""
    # upstream: as above, GetOperationIDAndTags
    verb = next((verb for verb in _VERBS if name.startswith(verb)), "")
    rest = name.removeprefix(verb)
    parts = path.strip("/").split("/")
    if parts[0] == "api":
        parts = ["apis", "core", *parts[1:]]
    if parts[0] != "apis" or len(parts) < 2:
        return verb + valid_id(rest, upper=bool(verb)), valid_id(parts[0])
    group = parts[1].removesuffix(".k8s.io")
    tag = valid_id(group)
    verb += valid_id(group, upper=bool(verb))
    if len(parts) > 2:
        tag += f"_{valid_id(parts[2])}"
        verb += valid_id(parts[2], upper=bool(verb))
    return verb + valid_id(rest, upper=bool(verb)), tag


def valid_id(text: str, *, upper: bool = False) -> str:
    """Letters, digits and underscores; what follows something else begins with a capital."""
    # upstream: as above, ToValidOperationID
    made: list[str] = []
    for index, char in enumerate(text):
        if not (char.isalpha() or char == "_" or (index and char.isdigit())):
            upper = True
            continue
        made.append(char.upper() if upper else char)
        upper = False
    return "".join(made)


def article(noun: str) -> str:
    """The indefinite article between spaces; plurals have none."""
    # upstream: apiserver pkg/endpoints/installer.go GetArticleForNoun
    if noun.endswith("s") and not noun.endswith("ss"):
        return " "
    return " an " if noun[0].lower() in "aeiou" else " a "
