# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False, auto_pickle=False
"""The compiled outbox: the output of one session, gathered in a few chunks.

A delivery is copied once, to the end of the chunk that grows; the broker takes whole chunks. Their memory comes from a
small stock and goes back to it when the last reader lets go: fresh pages from the kernel cost more than the copy.
"""

from collections import deque

from cpython.buffer cimport PyBuffer_FillInfo
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

cdef enum:
    SMALL = 1024
    MIDDLE = 16384
    LARGE = 524288
    SMALL_STOCK = 256   # 256 KiB
    MIDDLE_STOCK = 64   # 1 MiB
    LARGE_STOCK = 32    # 16 MiB


# ---- memory

cdef struct Stock:
    Py_ssize_t room
    Py_ssize_t n
    Py_ssize_t most
    char* first  # each free stretch begins with a pointer to the next

cdef Stock[3] _stocks
_stocks[0] = Stock(SMALL, 0, SMALL_STOCK, NULL)
_stocks[1] = Stock(MIDDLE, 0, MIDDLE_STOCK, NULL)
_stocks[2] = Stock(LARGE, 0, LARGE_STOCK, NULL)


cdef inline Py_ssize_t rounded(Py_ssize_t size) noexcept:
    return SMALL if size <= SMALL else MIDDLE if size <= MIDDLE else LARGE if size <= LARGE else size


cdef inline Stock* stock_of(Py_ssize_t room) noexcept:
    return &_stocks[0] if room == SMALL else &_stocks[1] if room == MIDDLE else &_stocks[2] if room == LARGE else NULL


cdef char* grab(Py_ssize_t room) except NULL:
    cdef Stock* stock = stock_of(room)
    cdef char* data
    if stock != NULL and stock.n:
        data = stock.first
        stock.first = (<char**>data)[0]
        stock.n -= 1
        return data
    data = <char*>malloc(room)
    if data == NULL:
        raise MemoryError
    return data


cdef void give_back(char* data, Py_ssize_t room) noexcept:
    cdef Stock* stock = stock_of(room)
    if data == NULL:
        return
    if stock == NULL or stock.n == stock.most:
        free(data)
        return
    (<char**>data)[0] = stock.first
    stock.first = data
    stock.n += 1


cdef class Chunk:
    """A stretch of bytes that others read, or fill, as a buffer."""

    def __dealloc__(self):
        give_back(self.data, self.room)

    def __getbuffer__(self, Py_buffer* view, int flags):
        PyBuffer_FillInfo(view, self, self.data, self.size, 0, flags)


cdef Chunk make_chunk(Py_ssize_t size):
    """Make a chunk of exactly so many bytes, still to be filled."""
    cdef Chunk chunk = Chunk.__new__(Chunk)
    chunk.data = grab(max(size, <Py_ssize_t>sizeof(char*)))
    chunk.room = chunk.size = max(size, <Py_ssize_t>sizeof(char*))
    chunk.size = size
    return chunk


# ---- output

cdef class Outbox:
    """Bytes on their way to a peer; see :class:`natsctl.engine.outbox.Outbox`."""

    def __dealloc__(self):
        give_back(self._out, self._out_room)

    def has_output(self):
        """Whether :meth:`take` would give anything."""
        return self._out_size > 0 or self._chunks is not None

    def take(self):
        """Take the oldest queued output, a chunk at a time; empty when there is none."""
        self._is_touched = False
        if self._chunks is not None:
            chunk = self._chunks.popleft()
            if not self._chunks:
                self._chunks = None
            return chunk
        if not self._out_size:
            return b""
        self._last_size = self._out_size
        return self._seal()

    def compact(self):
        """Note that the peer cannot be written to now; the output is compact as it is."""
        self._is_touched = False

    def sent(self, int64_t n_bytes):
        """Tell that taken output left the process."""
        self.pending_bytes -= n_bytes

    def drop_output(self):
        """Forget everything queued; ``pending_bytes`` keeps counting what was already taken."""
        cdef int64_t unsent = self._out_size
        for chunk in self._chunks or ():
            unsent += len(chunk)
        self._drop_out()
        self._chunks = None
        self._is_touched = False
        self.pending_bytes -= unsent

    def _enqueue(self, bytes data not None):
        memcpy(reserve(self, len(data)), <const char*>data, len(data))

    cdef int _prepare(self, Py_ssize_t size) except -1:
        if self._out_size + size > self._out_room:
            self._make_room(size)
        return 0 if self._is_touched else self._touch()

    cdef int share(self, Chunk chunk, Py_ssize_t begin) except -1:
        """Send a chunk that others may send too, from an offset on."""
        data = memoryview(chunk)[begin:]
        if self._out_size:
            self._queue(self._seal())
        self._queue(data)
        self.pending_bytes += chunk.size - begin
        return 0 if self._is_touched else self._touch()

    cdef int _touch(self) except -1:
        self._plane.touched.append(self)
        self._is_touched = True
        return 0

    cdef int _make_room(self, Py_ssize_t size) except -1:
        cdef Py_ssize_t room = rounded(max(self._out_size + size, min(self._last_size, LARGE)))
        cdef char* out
        if room > LARGE and self._out_size:
            self._queue(self._seal())
            room = rounded(max(size, LARGE))
        out = grab(room)
        if self._out_size:
            memcpy(out, self._out, self._out_size)
        give_back(self._out, self._out_room)
        self._out, self._out_room = out, room
        return 0

    cdef object _seal(self):
        """Turn the output so far into something to be written; a stretch that is half empty is kept for others."""
        cdef Chunk chunk
        cdef object sealed
        if self._out_size <= self._out_room // 2:
            sealed = PyBytes_FromStringAndSize(self._out, self._out_size)
            self._drop_out()
            return sealed
        chunk = Chunk.__new__(Chunk)
        chunk.data, chunk.size, chunk.room = self._out, self._out_size, self._out_room
        self._out = NULL
        self._out_size = self._out_room = 0
        return memoryview(chunk)

    cdef int _queue(self, object chunk) except -1:
        if self._chunks is None:
            self._chunks = deque()
        self._chunks.append(chunk)
        return 0

    cdef void _drop_out(self) noexcept:
        give_back(self._out, self._out_room)
        self._out = NULL
        self._out_size = self._out_room = 0
