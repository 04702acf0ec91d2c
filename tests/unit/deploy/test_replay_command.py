import os
import signal

import pytest

from deploy.commands.replay import interrupted, parse_speed
from schemas.errors import OperatorError


def test_speeds() -> None:
    assert parse_speed("max") is None
    assert parse_speed("3600") == 3600
    assert parse_speed("0.5") == 0.5


@pytest.mark.parametrize("text", ["0", "-1", "fast", "inf", "nan", ""])
def test_what_is_no_speed_is_refused(text: str) -> None:
    with pytest.raises(OperatorError, match="--speed"):
        parse_speed(text)


def test_ctrl_c_is_noted_and_the_old_handlers_come_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with interrupted() as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.wait(5)
    assert signal.getsignal(signal.SIGINT) is before
