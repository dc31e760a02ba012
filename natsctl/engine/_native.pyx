# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False, auto_pickle=False
"""The compiled part of the native engine: whole publishes in, deliveries out.

No Python object is made for a message: a publish is a few pointers into the bytes that were read (:c:type:`Publish`), and
each delivery is copied once, into the receiver's :mod:`~natsctl.engine._outbox`; a large payload not even that, its
receivers share it. What is rare (a subscription, a violation, a traced line) is left to the Python halves the native
session is joined with.
"""

from os import urandom

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.ref cimport Py_INCREF, PyObject
from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memchr, memcmp, memcpy

from natsctl.engine._outbox cimport Chunk, Outbox, make_chunk, reserve
from natsctl.engine._sublist cimport Interest, Match, Sublist
from natsctl.engine._wire cimport (
    LINE_IS_CUT, LINE_IS_PUBLISH, Line, Publish, Routed, hash_bytes, is_named, is_reserved_reply, is_reserved_subject,
    is_special, put, put_word, read_line, read_routed_line, write_number)

from natsctl.engine.interest import Origin, hears_of
from natsctl.engine.message import Message

cdef extern from "Python.h":
    void xdecref "Py_XDECREF"(PyObject* thing) noexcept

cdef enum:
    VERDICTS = 256
    SHARED = 65536  # from this size on, a payload that came in parts is shared by its receivers

cdef uint64_t _seed = int.from_bytes(urandom(8), "little")
cdef uint64_t _n_messages = 0  # that other servers took part in: by its number a link knows a message

# One module, because each of them calls the others for every message; three rooms to read.
include "_accounts.pxi"
include "_sessions.pxi"
include "_links.pxi"
