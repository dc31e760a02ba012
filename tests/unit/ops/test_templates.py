from __future__ import annotations

import re
from datetime import datetime

import pytest

from natsctl.errors import UsageError
from natsctl.ops.templates import Template


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("{{Count}} {{.Count}} {{ Cnt }} {{.Cnt}}", "7 7 7 7"),
        ("{{Unix}}", r"\d{10}"),
        ("{{UnixNano}}", r"\d{19}"),
        ("{{Time}}", r"(1[0-2]|[1-9]):[0-5]\d[AP]M"),
        ("{{ID}}", "[0-9A-Za-z]{22}"),
        ("{{Random 3 5}}", "[0-9A-Za-z]{3,5}"),
        ("{{.Random 0 0}}", ""),
        ("plain { } {Count}", re.escape("plain { } {Count}")),
    ],
)
def test_places_are_filled(text: str, pattern: str) -> None:
    assert re.fullmatch(pattern, Template(text).render(7))


def test_the_time_stamp_is_rfc_3339_with_a_zone() -> None:
    assert datetime.fromisoformat(Template("{{TimeStamp}}").render(1)).tzinfo is not None


def test_what_is_filled_in_differs_from_message_to_message() -> None:
    template = Template("{{ID}}")
    assert template.render(1) != template.render(2)


@pytest.mark.parametrize(
    "text", ["{{}}", "{{Foo}}", "{{Random}}", "{{Random 5 3}}", "{{Random 1 99999999}}", "{{count}}"]
)
def test_an_unknown_place_is_refused_before_anything_is_sent(text: str) -> None:
    with pytest.raises(UsageError, match="unknown template"):
        Template(text)
