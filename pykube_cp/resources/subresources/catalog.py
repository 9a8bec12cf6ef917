"""The list of pages."""

from pykube_cp.resources.subresources import (
    binding,
    component_statuses,
    eviction,
    finalize,
    reviews,
    scale,
    token,
)
from pykube_cp.resources.subresources.interface import Page

_ALL: tuple[Page, ...] = (
    *binding.PAGES,
    *eviction.PAGES,
    *token.PAGES,
    *scale.PAGES,
    *finalize.PAGES,
    *reviews.PAGES,
    *component_statuses.PAGES,
)

PAGES: dict[tuple[tuple[str, str], str], Page] = {
    (page.resource, page.subresource): page for page in _ALL
}
