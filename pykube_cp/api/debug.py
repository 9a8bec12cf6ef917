"""``/debug/flags``: how much is logged, changed while the server runs."""
# upstream: apiserver pkg/server/routes/flags.go, component-base logs/logs.go GlogSetter

import logging

from pykube_cp.api.endpoints import NO_SNIFFING, Endpoint
from pykube_cp.api.request import Outcome, Request, Response
from pykube_cp.machinery.go_text import quote

LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)
"""Of Python's logging, by verbosity as the command line counts it."""
_LONGEST = 32
_INDEX = """<html>
<head>
<title>/debug/flags/</title>
</head>
<body>
/debug/flags/<br>
<br>
flags:<br>
<table>
<tr>v<br>
</table>
<br>
full flags configurable<br>
</body>
</html>
"""


def endpoints() -> dict[str, Endpoint]:
    """The list of what can be changed, which is one thing, and that."""
    return {
        "/debug/flags": Endpoint(_list, listed=False),
        "/debug/flags/v": Endpoint(_verbosity, listed=False),
        "/debug/flags/": Endpoint(_list, below=True, listed=False),
    }


async def _list(request: Request) -> Outcome:
    del request
    return Response(200, _INDEX.encode(), "text/html; charset=utf-8")


async def _verbosity(request: Request) -> Outcome:
    if request.method != "PUT":
        return _plain(406, "unsupported http method\n")
    text = (await request.body.read(_LONGEST)).decode(errors="replace")
    if not (text.isascii() and text.isdigit()):
        return _plain(400, f"strconv.ParseUint: parsing {quote(text)}: invalid syntax\n")
    logging.getLogger().setLevel(LEVELS[min(int(text), len(LEVELS) - 1)])
    return _plain(200, f"successfully set klog.logging.verbosity to {text}\n")


def _plain(status: int, text: str) -> Response:
    return Response(status, text.encode(), "text/plain", [NO_SNIFFING])
