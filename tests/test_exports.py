"""Public names are written down, and are there."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path

import pytest

import natsctl
from natsctl.engine import available

PACKAGE = Path(natsctl.__file__).parent
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
    if (path.name != "__main__.py" or path.parent != PACKAGE) and (path.stem in available() or path.stem != "native")
)


@pytest.mark.parametrize("name", MODULES)
def test_what_a_module_exports_is_there_and_described(name: str) -> None:
    module = import_module(name)
    exported = getattr(module, "__all__", [])
    assert len(set(exported)) == len(exported)
    for public in exported:
        value = getattr(module, public)
        made_here = "<locals>" not in getattr(value, "__qualname__", "")  # what a function made is data
        if made_here and (inspect.isclass(value) or inspect.isfunction(value)):
            assert value.__doc__, f"{name}.{public} has no docstring"


@pytest.mark.parametrize("name", MODULES)
def test_a_module_with_public_names_lists_them(name: str) -> None:
    module = import_module(name)
    if hasattr(module, "app"):  # the functions behind a command are reached through it
        return
    own = {
        public
        for public, value in vars(module).items()
        if not public.startswith("_") and getattr(value, "__module__", None) == name and callable(value)
    }
    assert own <= set(getattr(module, "__all__", [])), "write them into __all__, or begin them with an underscore"


@pytest.mark.parametrize("name", natsctl.__all__)
def test_the_package_offers_its_public_names(name: str) -> None:
    assert getattr(natsctl, name)


def test_a_name_the_package_does_not_have_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Brokr'"):
        natsctl.Brokr  # noqa: B018  # the point of the test
