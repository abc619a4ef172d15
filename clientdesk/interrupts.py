"""Ctrl-C while an answer is on its way that the server gives only once."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def finishing_steps() -> Iterator[Callable[[], None]]:
    """Let Ctrl-C, or SIGTERM, wait for the end of the step at hand; a second one does not wait.

    Yields what is called between two steps. That, and the end of the block, raise KeyboardInterrupt.
    """
    signals: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        signals.append(number)
        if len(signals) > 1:
            raise KeyboardInterrupt
        print("Stopping when the server has answered …", file=sys.stderr)

    def stop_if_asked() -> None:
        if signals:
            raise KeyboardInterrupt

    former = {each: signal.signal(each, note) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop_if_asked
    finally:
        for each, handler in former.items():
            signal.signal(each, handler)
    stop_if_asked()
