"""What the audit counts of profiles that are on their way from a device to its user."""

from schemas.merges import Carry, Forward
from stream.features.codec import encode_profile
from stream.features.ids import Device, Identity
from stream.features.profile import Profile
from stream.sources.audit import Orders, _held, _sum


def test_orders_on_their_way_are_the_users_until_she_has_them() -> None:
    carried = encode_profile(Profile("device", orders_total=2, money={"USD": 500, "EUR": 3}))
    slots: dict[int, Carry | Forward] = {
        generation: Carry(device="device", user=user, at=0, generation=generation, profile=carried)
        for generation, user in ((7, "cj-1"), (9, "cj-1"), (8, "other"))
    }
    device = Profile("device", orders_total=1, money={"USD": 1}, ids=Identity(outgoing=slots))
    user = Profile("cj-1", orders_total=3, money={"USD": 40})
    held = {profile.customer: _held(profile, "USD") for profile in (device, user)}
    assert _sum(held, "cj-") == Orders(7, 1040)
    user.ids = Identity(devices={"device": Device(0, 7)})
    held["cj-1"] = _held(user, "USD")
    assert _sum(held, "cj-") == Orders(5, 540)
