"""URLs as Go reads and writes them."""

import pytest

from pykube_cp.machinery.go_url import UrlError, escape_path, parse


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "/a/b?c=d&e#f",
        "//host:80/a",
        "http://user:word@host/a%2Fb",
        "mailto:someone@example.com",
        "a/b;c=d",
        "?",
        "/a?",
        "/it's(*)!",
        "#frag!()",
        "http://[::1]:8080/",
    ],
)
def test_what_need_not_change_stays(text: str) -> None:
    assert str(parse(text)) == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("/a b", "/a%20b"),
        ("/é", "/%C3%A9"),
        ("HTTP://Host/x", "http://Host/x"),
        ("/a#", "/a"),
        ('/"', "/%22"),
        ("http://host", "http://host"),
    ],
)
def test_what_is_escaped(text: str, written: str) -> None:
    assert str(parse(text)) == written


def test_another_path_is_escaped_anew() -> None:
    assert str(parse("/a%2Fb!").at("/x/a/b!")) == "/x/a/b%21"
    assert escape_path("/a b/c?") == "/a%20b/c%3F"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (":odd:%zz", 'parse ":odd:%zz": missing protocol scheme'),
        ("/%zz", 'parse "/%zz": invalid URL escape "%zz"'),
        ("1a:b", 'parse "1a:b": first path segment in URL cannot contain colon'),
        ("http://host:x/", 'parse "http://host:x/": invalid port ":x" after host'),
        ("/a\x01", 'parse "/a\\x01": net/url: invalid control character in URL'),
    ],
)
def test_what_is_no_url(text: str, why: str) -> None:
    with pytest.raises(UrlError) as wrong:
        parse(text)
    assert str(wrong.value) == why
