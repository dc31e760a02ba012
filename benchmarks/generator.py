"""The load generator: a C program, compiled when it is first needed.

It is not ``natsctl bench``, which measures what clients feel, with processes, time stamps and ledgers: at 16 bytes the
native engine delivers up to 30 million messages a second, and a generator that takes as long as the server measures
itself. This one has every batch rendered before the clock starts, parses every frame that comes back, and leaves most
of its core unused.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import msgspec

from benchmarks.rows import Load
from benchmarks.servers import Server
from natsctl.errors import BenchError

__all__ = ["Outcome", "build", "run"]

_SOURCES = Path(__file__).parent / "load"
_FLAGS = ("-O2", "-std=gnu11", "-Wall", "-Wextra")
_TLS_FLAGS = ("-DWITH_TLS", "-lssl", "-lcrypto")
_PATIENCE_S = 120.0
"""The generator itself gives up after ten seconds without progress."""


class Outcome(msgspec.Struct, frozen=True):
    """What the generator did and measured.

    Attributes:
        published: Messages, or requests.
        expected: Deliveries that follow from them, or replies.
        grown_bytes: Of the server's resident memory, while connections were opened.
    """

    published: int
    expected: int
    delivered: int
    expected_bytes: int
    delivered_bytes: int
    elapsed_s: float
    server_cpu_s: float
    generator_cpu_s: float
    p50_us: float
    p99_us: float
    connections: int
    grown_bytes: int

    @property
    def generator_share(self) -> float:
        """How much of a core the generator itself took."""
        return self.generator_cpu_s / self.elapsed_s


def build(*, tls: bool = False) -> Path:
    """Compile the generator unless this version of it was compiled before.

    Args:
        tls: With OpenSSL, for loads over TLS.

    Returns:
        The program.

    Raises:
        BenchError: There is no C compiler, or it fails.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        raise BenchError("there is no C compiler for the load generator", hint="apt-get install gcc")
    sources = sorted(_SOURCES.glob("*.c"))
    libraries = _TLS_FLAGS if tls else ()
    text = b"".join(path.read_bytes() for path in (*sources, _SOURCES / "load.h"))
    digest = hashlib.sha256(text + " ".join((compiler, *_FLAGS, *libraries)).encode()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "natsctl" / "benchmarks"
    program = cache / f"load-{digest}"
    if not program.exists():
        cache.mkdir(parents=True, exist_ok=True)
        unfinished = cache / f"{program.name}.{os.getpid()}"
        command = [compiler, *_FLAGS, "-o", str(unfinished), *map(str, sources), *libraries]
        compiled = subprocess.run(command, capture_output=True, text=True)
        if compiled.returncode:
            hint = "apt-get install libssl-dev" if tls else None
            raise BenchError(f"{compiler} cannot compile the load generator: {compiled.stderr.strip()}", hint=hint)
        unfinished.replace(program)  # at once: another run may look for it
    return program


def run(server: Server, load: Load, seconds: float) -> Outcome:
    """Put a load on a server.

    Args:
        server: What is measured.
        load: What to do.
        seconds: How long to publish, after a fifth of it to warm up.

    Raises:
        BenchError: The load could not be carried through.
    """
    program = build(tls=load.tls)
    target = ["--port", str(server.port), "--server", str(server.pid)]
    if server.far is not None:
        target += ["--subscriber-port", str(server.far.port), "--far-server", str(server.far.pid)]
    times = ("--seconds", str(seconds), "--warm-up", str(seconds / 5))
    command = [str(program), load.kind, *target, *times, *load.options, *(("--tls",) if load.tls else ())]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S)
    except subprocess.TimeoutExpired:
        raise BenchError(f"the load generator did not end within {_PATIENCE_S:g} s") from None
    if ended.returncode:
        raise BenchError(ended.stderr.strip() or f"the load generator ended with code {ended.returncode}")
    return msgspec.json.decode(ended.stdout, type=Outcome)
