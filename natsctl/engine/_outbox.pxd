"""What the outbox offers to other compiled modules; see ``_outbox.pyx``."""

from libc.stdint cimport int64_t


cdef class Chunk:
    cdef char* data
    cdef Py_ssize_t size
    cdef Py_ssize_t room


cdef Chunk make_chunk(Py_ssize_t size)


cdef class Outbox:
    cdef public object _plane
    cdef public int64_t pending_bytes
    cdef char* _out
    cdef Py_ssize_t _out_size
    cdef Py_ssize_t _out_room
    cdef Py_ssize_t _last_size
    cdef bint _is_touched
    cdef object _chunks

    cdef int share(self, Chunk chunk, Py_ssize_t begin) except -1
    cdef int _touch(self) except -1
    cdef int _prepare(self, Py_ssize_t size) except -1
    cdef int _make_room(self, Py_ssize_t size) except -1
    cdef object _seal(self)
    cdef int _queue(self, object chunk) except -1
    cdef void _drop_out(self) noexcept


cdef inline char* reserve(Outbox box, Py_ssize_t size) except NULL:
    """Make room for so many bytes at the end of the output; the caller fills it."""
    cdef char* at
    if box._out_size + size > box._out_room or not box._is_touched:
        box._prepare(size)
    at = box._out + box._out_size
    box._out_size += size
    box.pending_bytes += size
    return at
