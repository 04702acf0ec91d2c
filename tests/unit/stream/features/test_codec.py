"""A profile's bytes: message ids with their ages come back, and what is broken says so."""

import pytest

from stream.features import codec
from stream.features.codec import decode_profile, encode_profile, read_header
from stream.features.profile import SEEN, Profile

DAY = 20_000
LARGEST = (1 << 48) - 1


@pytest.mark.parametrize("count", [0, 1, SEEN])
def test_messages_come_back_with_their_days_and_in_their_order(count: int) -> None:
    seen = {LARGEST - 7**15 * n % LARGEST: DAY + n // 20 for n in range(count)}
    found = decode_profile(encode_profile(Profile("ann", seen=seen))).seen
    assert list(found.items()) == list(seen.items())


def test_a_message_older_than_a_byte_holds_stays_too_old_to_be_remembered() -> None:
    seen = {1: DAY - 1_000, 2: DAY - 255, 3: DAY}
    assert decode_profile(encode_profile(Profile("ann", seen=seen))).seen == {1: DAY - 255, 2: DAY - 255, 3: DAY}


def test_bytes_that_hold_no_whole_number_of_messages_are_no_profile() -> None:
    whole = encode_profile(Profile("ann", seen={1: DAY}))
    packed = b"\xc4\x07\x01\x00\x00\x00\x00\x00\x00"
    assert whole.count(packed) == 1
    with pytest.raises(ValueError, match="no profile"):
        decode_profile(whole.replace(packed, b"\xc4\x06\x01\x00\x00\x00\x00\x00"))


@pytest.mark.parametrize("count", [0, 10, 1_000])
def test_counters_come_back_from_a_profile_of_any_length(count: int) -> None:
    counters = {3_000_000_000 - 7 * n * n: n - 5 for n in range(count)}
    assert decode_profile(encode_profile(Profile("ann", counters=counters))).counters == counters


@pytest.mark.parametrize(("version", "readable"), [(2, False), (3, True), (5, False)])
def test_the_format_before_is_read_and_no_other(version: int, readable: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    profile = Profile("ann", events=2, counters={7: 2}, seen={1: DAY})
    with monkeypatch.context() as patch:
        patch.setattr(codec, "VERSION", version)
        raw = encode_profile(profile)
    if readable:
        assert decode_profile(raw) == profile
    else:
        with pytest.raises(ValueError, match=f"format {version} is not"):
            read_header(raw)
