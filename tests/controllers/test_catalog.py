import importlib
import pkgutil

from pykube_cp import controllers
from pykube_cp.controllers.catalog import CONTROLLERS

MECHANISM = {"catalog", "interface", "manager", "shared"}


def test_the_list_names_every_page_of_the_folder() -> None:
    pages = {module.name for module in pkgutil.iter_modules(controllers.__path__)} - MECHANISM
    exported = {
        importlib.import_module(f"pykube_cp.controllers.{page}").CONTROLLER.name: page
        for page in pages
    }
    assert len(exported) == len(pages), "two pages have the same name"
    assert {controller.name for controller in CONTROLLERS} == set(exported)


def test_indexes_of_one_name_are_one_function() -> None:
    functions: dict[tuple[object, str], object] = {}
    for controller in CONTROLLERS:
        for watch in controller.watches:
            for name, values_of in watch.indexes.items():
                known = functions.setdefault((watch.gvr, name), values_of)
                assert known is values_of, (controller.name, name)
