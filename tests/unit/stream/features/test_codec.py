"""A profile's bytes: message ids with their ages come back, and what is broken says so."""

import pytest

from stream.features.codec import decode_profile, encode_profile
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
