"""Answering requests with the output of a program.

The program gets the body on stdin and the rest in its environment. It is started without a shell, and what a request
holds is put into single arguments only, so that no request can change what is run.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shlex
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable

from natsctl.errors import UsageError
from natsctl.ops.message import Message
from natsctl.ops.reply import Answer, error_answer
from natsctl.units import format_duration

__all__ = ["CommandResponder", "command_arguments", "command_environment"]

_PLACE = re.compile(r"\{\{\s*\.?(\d+|Request)\s*\}\}")
_MAX_VARIABLE_BYTES = 128 * 1024 - 1
"""Linux starts no program with a longer ``NAME=value`` (MAX_ARG_STRLEN, its NUL counted)."""
_TIMED_OUT = 504
_CHUNK_BYTES = 64 * 1024


class CommandResponder:
    """Runs a command for each request; what it prints is the answer.

    A command that fails, or prints more than ``max_output_bytes``, is answered with error headers and an empty body;
    its output then goes to ``errors``.

    Raises:
        UsageError: The command line cannot be split into words.
    """

    def __init__(
        self, command: str, *, timeout_s: float, max_output_bytes: int, errors: Callable[[bytes], None]
    ) -> None:
        try:
            self._words = shlex.split(command)
        except ValueError as error:
            raise UsageError(f"cannot split the command into words: {str(error).lower()}") from None
        if not self._words:
            raise UsageError("the command is empty")
        self._timeout_s = timeout_s
        self._max_output_bytes = max_output_bytes
        self._errors = errors

    async def __call__(self, request: Message) -> Answer:
        """Run the command and make the answer."""
        try:
            process = await asyncio.create_subprocess_exec(
                *command_arguments(self._words, request),
                env=command_environment(dict(os.environ), request),
                stdin=PIPE if request.body else DEVNULL,
                stdout=PIPE,
                start_new_session=True,  # so that it can be ended with its children, and a Ctrl-C lets it finish
            )
        except (OSError, ValueError) as error:  # ValueError: an argument with a NUL
            self._errors(f"cannot start {self._words[0]}: {error}\n".encode())
            return error_answer("the command could not be started")
        try:
            return await self._exchange(process, request.body)
        finally:
            await _end(process)

    async def _exchange(self, process: Process, body: bytes) -> Answer:
        output = bytearray()
        feeding = asyncio.create_task(_feed(process, body))
        try:
            async with asyncio.timeout(self._timeout_s):
                is_whole = await _read(process, output, self._max_output_bytes)
                if is_whole:
                    await process.wait()
        except TimeoutError:
            self._errors(bytes(output))
            return error_answer(f"the command did not end within {format_duration(self._timeout_s)}", _TIMED_OUT)
        finally:
            feeding.cancel()
        if not is_whole:
            return error_answer(f"the command printed more than the {self._max_output_bytes} bytes of an answer")
        if process.returncode:
            self._errors(bytes(output))
            return error_answer(f"the command ended with exit code {process.returncode}")
        return Answer(bytes(output))


def command_arguments(words: list[str], request: Message) -> list[str]:
    """Fill ``{{0}}``, ``{{1}}`` (tokens of the subject, empty when there are fewer) and ``{{Request}}`` (the body)."""
    tokens = request.subject.split(".")

    def fill(place: re.Match[str]) -> str:
        if place[1] == "Request":
            return request.body.decode(errors="surrogateescape")
        index = int(place[1])
        return tokens[index] if index < len(tokens) else ""

    return [_PLACE.sub(fill, word) for word in words]


def command_environment(environment: dict[str, str], request: Message) -> dict[str, str]:
    """Add what a command may want to know of a request to its environment.

    Variables that cannot hold their value (bytes that are no text, a NUL, too long) are left out.
    """
    told = {"NATS_REQUEST_SUBJECT": request.subject, "NATS_REQUEST_REPLY": request.reply}
    with contextlib.suppress(UnicodeDecodeError):
        told["NATS_REQUEST_BODY"] = request.body.decode()
    for name, values in request.headers.items():
        told[f"NATS_REQUEST_HEADER_{re.sub(r'[^A-Z0-9]', '_', name.upper())}"] = ", ".join(values)
    fitting = {
        name: value
        for name, value in told.items()
        if "\0" not in value and len(name) + 1 + len(value.encode()) <= _MAX_VARIABLE_BYTES
    }
    inherited = {name: value for name, value in environment.items() if not name.startswith("NATS_REQUEST_")}
    return inherited | fitting


async def _feed(process: Process, body: bytes) -> None:
    if process.stdin is not None:
        # A command need not read its input, and may end first.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            process.stdin.write(body)
            await process.stdin.drain()
        process.stdin.close()


async def _read(process: Process, output: bytearray, max_bytes: int) -> bool:
    """Collect what the process prints; false when that is more than ``max_bytes``."""
    assert process.stdout is not None
    while chunk := await process.stdout.read(_CHUNK_BYTES):
        if len(output) + len(chunk) > max_bytes:
            return False
        output += chunk
    return True


async def _end(process: Process) -> None:
    """End the process and its children, and leave no zombie."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
