"""The wanted port, or the next free one."""

import asyncio
import socket

import pytest

from archer.errors import CannotServeError
from archer.ports import free_port, listen


def test_a_taken_port_is_passed_over_or_refused() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]

        with listen("127.0.0.1", port) as second:
            assert second.getsockname()[1] > port
        with pytest.raises(CannotServeError, match=r"can't listen on 127.0.0.1:.*; stop the other program"):
            listen("127.0.0.1", port, strict=True)
        assert free_port("127.0.0.1", port) > port


def test_a_port_can_be_kept_out() -> None:
    port = free_port("127.0.0.1", 20000)

    assert free_port("127.0.0.1", port, avoid=frozenset({port})) > port


def test_an_address_that_is_not_ours_is_refused() -> None:
    with pytest.raises(CannotServeError, match=r"192\.0\.2\.1"):
        listen("192.0.2.1", 8080)


@pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6")
def test_ipv6_loopback_works() -> None:
    with listen("::1", 0) as found:
        assert found.family == socket.AF_INET6


def test_answers_do_not_wait_for_the_acknowledgement_of_their_first_packet() -> None:
    no_delay: list[int] = []

    async def serve() -> None:
        async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            no_delay.append(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        with listen("127.0.0.1", 0) as found:
            server = await asyncio.start_server(answer, sock=found)
            reader, writer = await asyncio.open_connection(*found.getsockname())
            await reader.read()
            writer.close()
            server.close()
            await server.wait_closed()

    asyncio.run(serve())

    assert no_delay == [1]
