"""kill -9 in the middle of what a server does, again and again: the loop that tests of it share."""

import json
import random
import socket
import threading
import time
from collections.abc import Callable

from strongroom import Server


def control(server: Server, **request) -> dict:
    """One request to the control socket, as `strongroom root-key` makes them."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        connection.connect(str(server.data / "control"))
        connection.sendall(json.dumps(request).encode() + b"\n")
        line = connection.makefile("rb").readline()
    if not line:
        raise ConnectionError("the server ended before it answered")
    answer = json.loads(line)
    if "refused" in answer:
        raise RuntimeError(answer["refused"])
    return answer


def kill_loop(
    server: Server,
    cycles: int,
    act: Callable[[int], None],
    check: Callable[[int], None],
    longest: float,
    seed: int = 7,
) -> int:
    """Lets `act(cycle)` run against the server in a thread of its own, kills the server at a random moment within `longest` seconds of its
    beginning, starts it again, and calls `check(cycle)`. What `act` meets of the death of its server is no failure; anything it
    raises while the server lives is. Returns how many times `act` was cut off before its end.
    """
    chance, cut = random.Random(seed), 0
    for cycle in range(cycles):
        outcome: list[Exception | None] = []
        killed = threading.Event()

        def run(outcome=outcome, killed=killed, cycle=cycle):
            try:
                act(cycle)
                outcome.append(None)
            except Exception as error:  # noqa: BLE001  told apart below
                outcome.append(error if not killed.is_set() and server.process.poll() is None else ConnectionError())

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        time.sleep(chance.uniform(0, longest))
        killed.set()
        server.kill()
        thread.join(timeout=60)
        assert outcome, f"cycle {cycle}: the client hangs"
        if isinstance(outcome[0], ConnectionError):
            cut += 1
        elif outcome[0] is not None:
            raise AssertionError(f"cycle {cycle}") from outcome[0]
        server.start()
        check(cycle)
    return cut
