# Clients: publishes in, deliveries out. Part of _native.pyx.

cdef struct Verdict:
    uint64_t hash
    PyObject* subject
    bint allowed


cdef class Verdicts:
    """Verdicts on subjects, remembered: direct-mapped, so a table of fixed size."""

    cdef Verdict* _table

    def __dealloc__(self):
        self.forget()

    cdef Verdict* find(self, const char* subject, Py_ssize_t size) noexcept:
        """The remembered verdict on a subject; NULL when there is none."""
        cdef uint64_t h = hash_bytes(subject, size, _seed)
        cdef Verdict* found
        if self._table == NULL:
            return NULL
        found = &self._table[h % VERDICTS]
        if (found.subject != NULL and found.hash == h and PyBytes_GET_SIZE(<object>found.subject) == size
                and memcmp(PyBytes_AS_STRING(<object>found.subject), subject, size) == 0):
            return found
        return NULL

    cdef int remember(self, bytes subject, bint allowed) except -1:
        cdef uint64_t h = hash_bytes(PyBytes_AS_STRING(subject), PyBytes_GET_SIZE(subject), _seed)
        cdef Verdict* slot
        if self._table == NULL:
            self._table = <Verdict*>calloc(VERDICTS, sizeof(Verdict))
            if self._table == NULL:
                raise MemoryError
        slot = &self._table[h % VERDICTS]
        xdecref(slot.subject)
        Py_INCREF(subject)
        slot.subject = <PyObject*>subject
        slot.hash = h
        slot.allowed = allowed
        return 0

    cdef void forget(self) noexcept:
        cdef int i
        if self._table != NULL:
            for i in range(VERDICTS):
                xdecref(self._table[i].subject)
            free(self._table)
            self._table = NULL


cdef class NativeCore(Outbox):
    """Bytes in and deliveries out; :class:`natsctl.engine.native.NativeSession` joins it with the rest.

    A publish that a read cuts off is kept as its control line (``_line``, perhaps cut itself) and its body so far
    (``_body``); anything else that is cut off waits in ``_rest``, for the Python half.
    """

    cdef public object _account
    cdef public object _grant
    cdef public object _replies
    cdef public object _rest
    cdef public object _stalled_by
    cdef public object _subs
    cdef public object closed
    cdef public bint granted
    cdef public bint _announced
    cdef public bint _filtered
    cdef public bint _fluent
    cdef public bint _held
    cdef public bint _is_forgotten
    cdef public bint _simple
    cdef public bint _tracing
    cdef public int64_t _max_payload
    cdef public int64_t _max_pending
    cdef public int64_t _need
    cdef public int64_t _stall_mark
    cdef public uint64_t in_msgs
    cdef public uint64_t in_bytes
    cdef public uint64_t out_msgs
    cdef public uint64_t out_bytes
    cdef public uint64_t pings
    cdef public uint64_t stalls
    cdef NativeAccount _home
    cdef bint _echo
    cdef bint _guarded
    cdef bint _headers
    cdef bint _no_responders
    cdef bint _verbose
    cdef Verdicts _publishes
    cdef Verdicts _deliveries
    cdef bytes _line
    cdef Chunk _body
    cdef Py_ssize_t _filled

    def _mirror(self):
        """Copy what the grant says to where messages look."""
        grant = self._grant
        self._home = self._account
        self._echo = grant.echo
        self._headers = grant.headers
        self._verbose = grant.verbose
        self._no_responders = grant.no_responders
        self._guarded = grant.permissions is not None
        self._publishes = Verdicts() if self._guarded else None
        self._deliveries = Verdicts() if self._guarded else None

    # ---- bytes in

    def feed(self, data):
        """Take in bytes as they arrived, cut anywhere; nothing of ``data`` is kept."""
        cdef Py_buffer view
        if self.closed is not None:
            return
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            self._take_in(<const char*>view.buf, view.len)
        finally:
            PyBuffer_Release(&view)

    def landing(self):
        """Where the next bytes may be read to, if much of a large payload is still to come; else None."""
        if self._body is None or self._body.size - self._filled < SHARED or self.closed is not None:
            return None
        return memoryview(self._body)[self._filled:]

    def landed(self, Py_ssize_t n_bytes):
        """Tell that so many bytes were read to where :meth:`landing` said."""
        if self._body is not None and self.closed is None:
            self._filled += n_bytes
            self._take_in(b"", 0)

    cdef int _take_in(self, const char* data, Py_ssize_t size) except -1:
        cdef const char* end = data + size
        cdef const char* at = data
        if self._line is not None:
            at = self._resume(data, end) if self._fluent else NULL
            if at == NULL:
                return self._take_slowly(self._unread(), data, size)
        elif self._rest or self._held or self._announced or not self.granted or not self._fluent:
            rest, self._rest = self._rest, b""
            return self._take_slowly(rest, data, size)
        at = self._publish_all(at, end)
        if self.closed is None and at < end and not self._cut_off(at, end):
            self._run_slowly(PyBytes_FromStringAndSize(at, end - at), data - at)
        return 0

    cdef int _take_slowly(self, rest, const char* data, Py_ssize_t size) except -1:
        """Let the Python half see as one what came earlier and what came now."""
        cdef Py_ssize_t known = len(rest)
        if known + size < self._need:
            if not isinstance(rest, bytearray):
                rest = bytearray(rest)
            rest += data[:size]
            self._rest = rest
            return 0
        return self._run_slowly(b"".join((rest, data[:size])) if known else data[:size], known)

    cdef int _run_slowly(self, bytes whole, Py_ssize_t known) except -1:
        cdef Py_ssize_t at = self._carry_out(whole, known)
        cdef Py_ssize_t size = PyBytes_GET_SIZE(whole)
        cdef const char* begin = PyBytes_AS_STRING(whole)
        if at == size or self.closed is not None:
            return 0
        if not self.granted or self._held or not self._fluent or not self._cut_off(begin + at, begin + size):
            self._rest = whole[at:]
        return 0

    def _take_whole(self, bytes data not None, Py_ssize_t at):
        """Publish as long as whole and faultless PUBs and HPUBs follow; returns where something else begins."""
        cdef const char* begin = PyBytes_AS_STRING(data)
        return self._publish_all(begin + at, begin + PyBytes_GET_SIZE(data)) - begin

    cdef const char* _publish_all(self, const char* at, const char* end) except NULL:
        cdef Py_ssize_t max_line = self._plane.limits.max_control_line
        cdef Publish publish
        cdef const char* here = at
        while self.closed is None:
            if read_line(&here, end, max_line, &publish) != LINE_IS_PUBLISH or not self._accepts(&publish):
                break
            if end - here < publish.size + 2 or not ends_well(here, publish.size):
                break
            here += publish.size + 2
            at = here
            self._publish_whole(&publish)
        return at

    cdef inline bint _accepts(self, Publish* publish) noexcept:
        return publish.size <= self._max_payload and (not publish.header_text_size or self._headers)

    # ---- a publish that reads cut into parts

    cdef bint _cut_off(self, const char* at, const char* end) except -1:
        """Keep the beginning of a publish; False when it is something else, or wrong already."""
        cdef Publish publish
        cdef const char* body = at
        cdef Line line = read_line(&body, end, self._plane.limits.max_control_line, &publish)
        if line == LINE_IS_CUT:
            self._line = PyBytes_FromStringAndSize(at, end - at)
        elif line != LINE_IS_PUBLISH or not self._accepts(&publish) or not may_go_on(body, end - body, publish.size):
            return False
        else:
            self._begin_body(PyBytes_FromStringAndSize(at, body - at), publish.size, body, end - body)
        self._announced = False
        self._need = 0
        return True

    cdef int _begin_body(self, bytes line, Py_ssize_t size, const char* begin, Py_ssize_t known) except -1:
        self._body = make_chunk(size + 2)
        self._line = line
        self._filled = known
        memcpy(self._body.data, begin, known)
        return 0

    cdef const char* _resume(self, const char* at, const char* end) except? NULL:
        """Go on with the publish that was cut off; returns where the next operation begins, NULL if it is wrong."""
        if self._body is None:
            return self._resume_line(at, end)
        return self._resume_body(at, end)

    cdef const char* _resume_line(self, const char* at, const char* end) except? NULL:
        cdef Py_ssize_t max_line = self._plane.limits.max_control_line
        cdef Publish publish
        cdef const char* body = <const char*>memchr(at, c"\n", min(end - at, max_line))
        cdef const char* cursor
        if body == NULL:
            return NULL
        body += 1
        line = self._line + at[:body - at]
        cursor = PyBytes_AS_STRING(line)
        if (read_line(&cursor, cursor + PyBytes_GET_SIZE(line), max_line, &publish) != LINE_IS_PUBLISH
                or not self._accepts(&publish)):
            return NULL
        if end - body >= publish.size + 2:
            if not ends_well(body, publish.size):
                return NULL
            self._line = None
            publish.body = body
            publish.tail_is_joined = False
            self._publish_whole(&publish)
            return body + publish.size + 2
        if not may_go_on(body, end - body, publish.size):
            return NULL
        self._begin_body(line, publish.size, body, end - body)
        return end

    cdef const char* _resume_body(self, const char* at, const char* end) except? NULL:
        cdef Chunk body = self._body
        cdef bytes line = self._line
        cdef Py_ssize_t taken = min(body.size - self._filled, end - at)
        cdef Publish publish
        cdef const char* cursor = PyBytes_AS_STRING(line)
        memcpy(body.data + self._filled, at, taken)
        if self._filled + taken <= body.size - 2:
            self._filled += taken
            return end
        read_line(&cursor, cursor + PyBytes_GET_SIZE(line), PyBytes_GET_SIZE(line), &publish)
        if not self._accepts(&publish):  # the grant is another one than when it began
            return NULL
        if self._filled + taken < body.size:
            if not may_go_on(body.data, self._filled + taken, publish.size):
                return NULL
            self._filled += taken
            return end
        if not ends_well(body.data, publish.size):
            return NULL
        self._line = self._body = None  # before the publish, which may close the session
        publish.body = body.data
        publish.tail_is_joined = False
        publish.chunk = <PyObject*>body if publish.size >= SHARED else NULL
        self._publish_whole(&publish)
        return at + taken

    cdef object _unread(self):
        """Give the publish that was cut off to the Python half, as the bytes it came in."""
        cdef Py_ssize_t size
        rest = self._line
        if self._body is not None:
            size = self._body.size - 2
            rest += self._body.data[:self._filled]
            self._announced = True
            # The very next byte behind the payload may already be wrong.
            self._need = PyBytes_GET_SIZE(self._line) + size + max(self._filled - size, 0) + 1
        self._line = self._body = None
        return rest

    def _drop_input(self):
        """Forget what has come of an unfinished operation."""
        self._rest = b""
        self._line = self._body = None

    # ---- messages in

    cdef int _publish_whole(self, Publish* publish) except -1:
        self.in_msgs += 1
        self.in_bytes += publish.size
        if (self._guarded or is_special(publish.subject) or (publish.reply_size and is_special(publish.reply))) \
                and not self._admits(publish):
            return 0
        if self._verbose:
            memcpy(reserve(self, 5), b"+OK\r\n", 5)
            if self.pending_bytes > self._max_pending:
                self._press()
        if self._home._route(publish, self) == 0 and publish.reply_size and self._no_responders:
            self._no_responders_for(publish)
        return 0

    cdef int _no_responders_for(self, Publish* publish) except -1:
        subject = PyBytes_FromStringAndSize(publish.subject, publish.subject_size)
        reply = PyBytes_FromStringAndSize(publish.reply, publish.reply_size)
        self._tell_no_responders(subject, reply)
        return 0

    cdef bint _admits(self, Publish* publish) except -1:
        """Whether a publish may go its way; the client is told if not."""
        cdef bint reserved = is_reserved_subject(publish.subject, publish.subject_size) \
            or (publish.reply_size > 0 and is_reserved_reply(publish.reply, publish.reply_size))
        if not (self._guarded or reserved):
            return True
        if not reserved and self._publishes.find(publish.subject, publish.subject_size) != NULL:
            return True
        subject = PyBytes_FromStringAndSize(publish.subject, publish.subject_size)
        reply = PyBytes_FromStringAndSize(publish.reply, publish.reply_size)
        if not self._admits_publish(subject, reply):
            return False
        # A yes that comes from the right to answer is worth one message; only that of the lists is remembered.
        if not reserved and self._grant.permissions.may_publish(subject):
            self._publishes.remember(subject, True)
        return True

    # ---- messages out

    cdef int _deliver(self, NativeSubscription sub, Publish* publish, NativeCore source) except -1:
        if not self._simple:
            if self.closed is not None or (source is self and not self._echo):
                return 0
            if self._filtered and not self._may_receive(publish):
                return 0
        if self.pending_bytes > self._stall_mark and not self._admit_over_mark(source):
            return 0
        if (publish.tail != NULL and publish.chunk == NULL
                and (not publish.header_text_size or (publish.header_size and self._headers))):
            self._render_as_came(sub, publish)
        else:
            self._render(sub, publish)
        sub.delivered += 1
        if sub.delivered == sub.max_msgs:
            self._remove(sub)
        if not self._simple:
            self._note_delivery(sub, publish, source)
        if self.pending_bytes > self._max_pending:
            self._press()
        return 1

    cdef inline int _render_as_came(self, NativeSubscription sub, Publish* publish) except -1:
        """Queue a message that was written as clients write: from its reply or size on, it goes out as it came in."""
        cdef bint headers = publish.header_text_size > 0
        cdef Py_ssize_t sid_size = PyBytes_GET_SIZE(sub.sid)
        cdef Py_ssize_t begin = headers + 4 + publish.subject_size + 1 + sid_size + 1
        cdef char* at = reserve(self, begin + publish.tail_size + publish.size + 2)
        if headers:
            at[0] = c"H"
            at += 1
        if sub.head is not None:
            at = put(at, PyBytes_AS_STRING(sub.head), begin - headers)
        else:
            at = put(at, b"MSG ", 4)
            at = put_word(at, publish.subject, publish.subject_size)
            at = put_word(at, PyBytes_AS_STRING(sub.sid), sid_size)
        if publish.tail_is_joined:
            put(at, publish.tail, publish.tail_size + publish.size + 2)
        else:
            at = put(at, publish.tail, publish.tail_size)
            put(at, publish.body, publish.size + 2)
        self.out_msgs += 1
        self.out_bytes += publish.size
        return 0

    cdef int _render(self, NativeSubscription sub, Publish* publish) except -1:
        """Queue a message piece by piece."""
        cdef bint headers = publish.header_size > 0 and self._headers
        cdef Py_ssize_t header_size = 0 if headers else publish.header_size
        cdef Py_ssize_t size = publish.size - header_size
        cdef Py_ssize_t sid_size = PyBytes_GET_SIZE(sub.sid)
        cdef Py_ssize_t total
        cdef char[24] digits
        cdef const char* size_text = publish.size_text
        cdef Py_ssize_t size_text_size = publish.size_text_size
        cdef char* at
        if header_size:
            size_text, size_text_size = digits, write_number(digits, size)
        total = 4 + publish.subject_size + 1 + sid_size + 1 + size_text_size + 2
        if publish.reply_size:
            total += publish.reply_size + 1
        if headers:
            total += 1 + publish.header_text_size + 1
        if publish.chunk == NULL:
            total += size + 2
        at = reserve(self, total)
        if headers:
            at[0] = c"H"
            at += 1
        at = put(at, b"MSG ", 4)
        at = put_word(at, publish.subject, publish.subject_size)
        at = put_word(at, PyBytes_AS_STRING(sub.sid), sid_size)
        if publish.reply_size:
            at = put_word(at, publish.reply, publish.reply_size)
        if headers:
            at = put_word(at, publish.header_text, publish.header_text_size)
        at = put(at, size_text, size_text_size)
        at = put(at, b"\r\n", 2)
        if publish.chunk == NULL:
            put(at, publish.body + header_size, size + 2)
        else:
            self.share(<Chunk>publish.chunk, header_size)
        self.out_msgs += 1
        self.out_bytes += size
        return 0

    cdef bint _may_receive(self, Publish* publish) except -1:
        cdef Verdict* known = self._deliveries.find(publish.subject, publish.subject_size)
        if known != NULL:
            return known.allowed
        subject = PyBytes_FromStringAndSize(publish.subject, publish.subject_size)
        allowed = self._grant.permissions.may_deliver(subject)
        self._deliveries.remember(subject, allowed)
        return allowed

    cdef int _note_delivery(self, NativeSubscription sub, Publish* publish, NativeCore source) except -1:
        if self._replies is not None and publish.reply_size:
            self._may_be_answered(PyBytes_FromStringAndSize(publish.reply, publish.reply_size))
        if self._tracing:
            message = as_message(publish, source)
            if message.header_size and not self._headers:
                message = message.without_headers()
            self._trace_delivery(message, message.head + sub.sid + message.tail)
        return 0


cdef inline bint ends_well(const char* body, Py_ssize_t size) noexcept nogil:
    return body[size] == c"\r" and body[size + 1] == c"\n"


cdef inline bint may_go_on(const char* body, Py_ssize_t known, Py_ssize_t size) noexcept nogil:
    """Whether what has come of a body is right so far; the blank line behind a whole one was looked at already."""
    return known <= size or (known == size + 1 and body[size] == c"\r")
