"""A few threads: one request after another is slow, many at once would be a load that the API server throttles."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

THREADS: Final = 4

Item = TypeVar("Item")


def each_of(function: Callable[[Item], None], items: Iterable[Item]) -> None:
    """Call `function` for every item, some at a time; the first exception is raised, after those that run have ended."""
    listed = list(items)
    if len(listed) == 1:
        function(listed[0])
        return
    with ThreadPoolExecutor(max_workers=min(THREADS, max(1, len(listed))), thread_name_prefix="moka") as pool:
        futures = [pool.submit(function, item) for item in listed]
        try:
            for future in futures:
                future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
