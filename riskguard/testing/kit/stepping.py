"""A host that runs all its bars in one call, driven from a test one bar at a time."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Ended", "Stepper"]

PATIENCE = 60.0  # seconds; what takes longer has stopped for good


class Ended(BaseException):
    """What leaves a host when its test is over: a host that catches errors does not catch it."""


class Stepper:
    """A run in a thread of its own that stops once a bar and does there what a test asks.

    `run` gets the stepper and runs the host; somewhere in each bar (in the strategy, or where
    a feed loads its next bar) the host calls `turn(host)`. The test calls `step(job)`: the job
    is done in that place, in the thread of the host, with what `turn` was given; then the host
    runs on to its next turn. Of the two threads one runs at a time.

    >>> def run(stepper):
    ...     for bar in range(3):
    ...         stepper.turn(bar)
    >>> stepper = Stepper(run)
    >>> stepper.step(lambda bar: bar * 10), stepper.step(lambda bar: bar * 10)
    (0, 10)
    >>> stepper.close()
    """

    def __init__(self, run: Callable[[Stepper], object], *, patience: float = PATIENCE) -> None:
        self._run, self._patience = run, patience
        self._mine, self._theirs = threading.Semaphore(0), threading.Semaphore(0)
        self._job: Callable[[Any], object] | None = None
        self._answer: object = None
        self._error: BaseException | None = None
        self._closing = self._over = False
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()
        self._wait()

    @property
    def over(self) -> bool:
        """The host has returned: there are no more bars."""
        return self._over

    def step(self, job: Callable[[Any], object] | None = None) -> Any:  # noqa: ANN401 - what the job returns
        """Do a job in the host's current bar and let it run to the next; return what it returned.

        What the job or the host raises is raised here.
        """
        if self._over:
            raise RuntimeError("the host has no more bars: give it more data")
        self._job, self._answer = job, None
        self._theirs.release()
        self._wait()
        return self._answer

    def turn(self, host: object = None) -> None:
        """Stop here until the test goes on: called by the host, once a bar."""
        self._mine.release()
        self._theirs.acquire()
        if self._closing:
            raise Ended
        job, self._job = self._job, None
        if job is not None:
            try:
                self._answer = job(host)
            except Exception as error:  # noqa: BLE001 - it is the test's, not the host's
                self._error = error

    def close(self) -> None:
        """End the host, wherever it is."""
        if self._over:
            return
        self._closing = True
        self._theirs.release()
        self._thread.join(self._patience)

    def _wait(self) -> None:
        if not self._mine.acquire(timeout=self._patience):
            raise TimeoutError(f"the host did not come to its next bar in {self._patience:g} s")
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def _live(self) -> None:
        try:
            self._run(self)
        except Ended:
            pass
        except BaseException as error:  # noqa: BLE001 - raised again in the test
            self._error = error
        finally:
            self._over = True
            self._mine.release()
