import nkeys  # type: ignore[import-untyped]  # it comes without types
import pytest
from nacl.signing import SigningKey

from natsctl.protocol.nkey import CURVE, SERVER, USER, decode_public, encode_public


@pytest.mark.parametrize(("prefix", "letter"), [(USER, "U"), (SERVER, "N"), (CURVE, "X")])
def test_the_first_letter_names_the_kind(prefix: int, letter: str) -> None:
    text = encode_public(prefix, bytes(range(32)))
    assert len(text) == 56
    assert text[0] == letter
    assert decode_public(prefix, text) == bytes(range(32))


def test_a_public_key_is_written_as_the_nkeys_package_writes_it() -> None:
    key = SigningKey.generate()
    pair = nkeys.from_seed(nkeys.encode_seed(bytes(key), nkeys.PREFIX_BYTE_USER))
    assert encode_public(USER, bytes(key.verify_key)) == pair.public_key.decode()


def test_one_wrong_letter_anywhere_is_noticed() -> None:
    text = encode_public(USER, bytes(range(32)))
    for at, letter in enumerate(text):
        with pytest.raises(ValueError, match="nkey"):
            decode_public(USER, text[:at] + ("A" if letter != "A" else "B") + text[at + 1 :])


@pytest.mark.parametrize("text", ["", "U", "not base32!", "é" * 56, "U" * 55, "U" * 57, "A" * 56])
def test_what_is_no_nkey_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="nkey"):
        decode_public(USER, text)


def test_a_key_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="kind"):
        decode_public(USER, encode_public(SERVER, bytes(32)))
