"""How a Struct says which keys are printed although empty.

nats-server marks each key of a document as always printed or as omitted when empty. Here every Struct is a
:class:`Document`: a key with a plain default (``""``, ``0``, ``False``, ``None``) or with :func:`if_any` is omitted
while it is empty, one with :func:`always` is printed whatever it holds. Any key may be missing in what is read, as
older servers know fewer; unknown keys are passed over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, TypeAlias, TypeVar, cast

import msgspec

__all__ = ["Document", "Int", "Number", "always", "if_any"]

T = TypeVar("T")

Int = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""A whole number as Go's servers have it; larger ones are refused where they are read, before anyone calculates."""

Number: TypeAlias = Int | float
"""A JSON number that is whole more often than not; what came as ``2`` is written as ``2``, not ``2.0``."""


class Document(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """Base of the monitoring documents and their parts.

    They are trees: the garbage collector, which stops a broker for long when it has many connections, can pass by.
    """


def always(empty: Callable[[], T]) -> T:
    """Declare a key that is printed also when its value is empty.

    Args:
        empty: Makes the value of a document that does not have the key: ``int``, ``str``, ``list``, a Struct.
    """
    if TYPE_CHECKING:
        return empty()
    # msgspec omits what is empty where the factory is list or dict itself; what another factory makes it prints.
    return cast(T, msgspec.field(default_factory=lambda: empty()))


def if_any(empty: Callable[[], T]) -> T:
    """Declare a key that is printed only when its list or mapping holds something.

    Args:
        empty: ``list`` or ``dict``.
    """
    if TYPE_CHECKING:
        return empty()
    return cast(T, msgspec.field(default_factory=empty))
