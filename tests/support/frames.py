"""What a server sends, cut into frames."""

from __future__ import annotations

__all__ = ["is_message", "split_frames"]


def is_message(frame: bytes) -> bool:
    """Whether a frame is a message, to a client or to another server."""
    return frame.startswith((b"MSG ", b"HMSG ", b"RMSG ", b"LMSG "))


def split_frames(data: bytes) -> tuple[list[bytes], bytes]:
    r"""Cut output into frames without their last CRLF; returns them and the unfinished rest.

    Wire: a message is one frame, control line and body: ``MSG foo 1 5\r\nhello``.
    """
    frames: list[bytes] = []
    at = 0
    while (end := data.find(b"\r\n", at)) >= 0:
        if is_message(data[at:end]):
            end += 2 + int(data[at:end].rpartition(b" ")[2])
            if len(data) < end + 2:
                break
            assert data[end : end + 2] == b"\r\n", f"a message without its end: {data[at : end + 2][:200]!r}"
        frames.append(data[at:end])
        at = end + 2
    return frames, data[at:]
