import json

from hypothesis import given, settings
from hypothesis import strategies as st

from natsctl.protocol.documents import Connect, decode_connect
from natsctl.protocol.nkey import SERVER, USER, decode_public, encode_public

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=3), children, max_size=3),
    max_leaves=5,
)
keys = st.sampled_from(["verbose", "PEDANTIC", "user", "Pass", "protocol", "headers", "sig", "x", ""])


@settings(deadline=None)
@given(st.binary())
def test_any_bytes_are_a_connect_or_refused_with_a_value_error(data: bytes) -> None:
    try:
        assert isinstance(decode_connect(data), Connect)
    except ValueError as error:
        assert str(error)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(keys, values, max_size=4))
def test_any_json_object_is_a_connect_or_refused_with_a_value_error(document: dict[str, object]) -> None:
    try:
        decode_connect(json.dumps(document).encode())
    except ValueError as error:
        assert str(error)


@settings(deadline=None)
@given(st.sampled_from([USER, SERVER]), st.binary(min_size=32, max_size=32))
def test_a_key_written_is_read_back(prefix: int, key: bytes) -> None:
    assert decode_public(prefix, encode_public(prefix, key)) == key


@settings(deadline=None)
@given(st.text())
def test_any_text_is_a_key_or_refused_with_a_value_error(text: str) -> None:
    try:
        assert len(decode_public(USER, text)) == 32
    except ValueError as error:
        assert "nkey" in str(error)
