# Other servers: messages from and to routes and leafnodes. Part of _native.pyx.

cdef class NativeLink(Outbox):
    """Messages from and to another server; :class:`natsctl.engine.native.NativeLinkSession` joins it with the rest."""

    cdef public object _account
    cdef public object _grant
    cdef public object _rest
    cdef public object closed
    cdef public object kind
    cdef public object origin
    cdef public bint _filtered
    cdef public bint _held
    cdef public bint _tracing
    cdef public bint joined
    cdef public int64_t _max_line
    cdef public int64_t _max_payload
    cdef public int64_t _max_pending
    cdef public int64_t _need
    cdef public int64_t _stall_mark
    cdef public uint64_t in_msgs
    cdef public uint64_t in_bytes
    cdef public uint64_t out_msgs
    cdef public uint64_t out_bytes
    cdef public uint64_t pings
    cdef NativeAccount _home  # where its last message went
    cdef bint _fluent  # messages are only to be moved: nothing to ask, nobody to tell
    cdef bint _headers
    cdef bint _is_route
    cdef unsigned int _hears
    cdef unsigned int _origin
    cdef uint64_t _message
    cdef char* _names  # "q1 q2 ", the queue groups the peer is to serve
    cdef Py_ssize_t _names_size
    cdef Py_ssize_t _names_room

    def __dealloc__(self):
        free(self._names)

    def _mirror(self):
        """Copy what was decided to where messages look."""
        self._home = self._account
        self._headers = self._grant.headers
        self._fluent = self.joined and self.closed is None and not self._tracing and self._grant.permissions is None
        self._origin = self.origin
        self._is_route = self.origin is Origin.ROUTE
        self._hears = 0
        for origin in Origin:
            self._hears |= hears_of(self.kind, origin) << <int>origin

    # ---- bytes in

    def feed(self, data):
        """Take in bytes as they arrived, cut anywhere; nothing of ``data`` is kept."""
        cdef Py_buffer view
        if self.closed is not None:
            return
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            self._take_in(<const char*>view.buf, <const char*>view.buf + view.len)
        finally:
            PyBuffer_Release(&view)

    cdef int _take_in(self, const char* at, const char* end) except -1:
        while self._rest:
            at = self._complete(at, end)
            if at == end:
                return 0
        at = self._move_all(at, end)
        if at < end and self.closed is None:
            self._run_slowly(PyBytes_FromStringAndSize(at, end - at))
        return 0

    cdef const char* _complete(self, const char* at, const char* end) except NULL:
        """Go on with what was cut off, and as far as that goes; returns where the rest begins."""
        cdef Py_ssize_t known = len(self._rest)
        cdef Py_ssize_t missing
        cdef const char* line_end
        if not isinstance(self._rest, bytearray):
            self._rest = bytearray(self._rest)
        if self._held:
            missing = end - at
        elif self._need > known:
            missing = min(self._need - known, end - at)
        else:
            line_end = <const char*>memchr(at, c"\n", end - at)
            missing = end - at if line_end == NULL else line_end + 1 - at
        self._rest += at[:missing]
        if not self._held and known + missing >= self._need:
            whole, self._rest = bytes(self._rest), b""
            self._run_slowly(whole)
        return end if self.closed is not None else at + missing

    cdef int _run_slowly(self, bytes whole) except -1:
        cdef Py_ssize_t at = self._carry_out(whole)
        if at < PyBytes_GET_SIZE(whole) and self.closed is None:
            self._rest = whole[at:]
        return 0

    def _take_whole(self, bytes data not None, Py_ssize_t at):
        """Move messages on as long as whole and faultless ones follow; returns where something else begins."""
        cdef const char* begin = PyBytes_AS_STRING(data)
        return self._move_all(begin + at, begin + PyBytes_GET_SIZE(data)) - begin

    cdef const char* _move_all(self, const char* at, const char* end) except NULL:
        cdef Publish publish
        cdef Routed routed
        cdef const char* here = at
        while self._fluent and here < end:
            if read_routed_line(&here, end, self._max_line, self._is_route, &routed, &publish) != LINE_IS_PUBLISH:
                break
            if publish.size > self._max_payload or end - here < publish.size + 2 or not ends_well(here, publish.size):
                break
            here += publish.size + 2
            at = here
            self.in_msgs += 1
            self.in_bytes += publish.size
            if self._finds_home(&routed):
                self._home._route_from(self, &publish, &routed)
        return at

    cdef bint _finds_home(self, Routed* routed) except -1:
        cdef bytes word
        if not self._is_route:
            return True
        if self._home is not None:
            word = self._home._word
            if (PyBytes_GET_SIZE(word) == routed.account_size + 1
                    and memcmp(PyBytes_AS_STRING(word), routed.account, routed.account_size) == 0):
                return True
        name = PyBytes_FromStringAndSize(routed.account, routed.account_size).decode("utf-8", "replace")
        found = self._plane.find_account(name)
        if found is None:
            return False
        self._home = found
        return True

    # ---- messages out

    cdef int _name(self, bytes queue) except -1:
        """Let the peer serve a queue group with the message that is on its way."""
        cdef Py_ssize_t size = PyBytes_GET_SIZE(queue)
        cdef void* grown
        if self._names_size + size + 1 > self._names_room:
            grown = realloc(self._names, 2 * (self._names_size + size + 1))
            if grown == NULL:
                raise MemoryError
            self._names = <char*>grown
            self._names_room = 2 * (self._names_size + size + 1)
        put_word(self._names + self._names_size, PyBytes_AS_STRING(queue), size)
        self._names_size += size + 1
        return 0

    cdef int _send(self, NativeAccount account, Publish* publish, NativeCore source) except -1:
        if self.closed is not None:
            return 0
        if self.pending_bytes > self._stall_mark and not self._admit_over_mark(source):
            return 0
        if self._tracing:
            self._trace(account, publish, source)
        self._render(account, publish)
        if self.pending_bytes > self._max_pending:
            self._press()
        return 0

    cdef int _render(self, NativeAccount account, Publish* publish) except -1:
        cdef bint headers = publish.header_size > 0 and self._headers
        cdef Py_ssize_t header_size = 0 if headers else publish.header_size
        cdef Py_ssize_t size = publish.size - header_size
        cdef Py_ssize_t word_size = PyBytes_GET_SIZE(account._word) if self._is_route else 0
        cdef char[24] digits
        cdef const char* size_text = publish.size_text
        cdef Py_ssize_t size_text_size = publish.size_text_size
        cdef Py_ssize_t total
        cdef char* at
        if header_size:
            size_text, size_text_size = digits, write_number(digits, size)
        total = 5 + word_size + publish.subject_size + 1 + self._names_size + size_text_size + 2
        if publish.reply_size:
            total += publish.reply_size + 1
        if self._names_size:
            total += 2
        if headers:
            total += publish.header_text_size + 1
        if publish.chunk == NULL:
            total += size + 2
        at = reserve(self, total)
        at = put(at, b"HMSG " if headers else b"RMSG " if self._is_route else b"LMSG ", 5)
        at = put(at, PyBytes_AS_STRING(account._word), word_size)
        at = put_word(at, publish.subject, publish.subject_size)
        if self._names_size:
            at = put(at, b"+ " if publish.reply_size else b"| ", 2)
        if publish.reply_size:
            at = put_word(at, publish.reply, publish.reply_size)
        if self._names_size:
            at = put(at, self._names, self._names_size)
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

    cdef int _trace(self, NativeAccount account, Publish* publish, NativeCore source) except -1:
        message = as_message(publish, source)
        if message.header_size and not self._headers:
            message = message.without_headers()
        names = self._names[:self._names_size].split() if self._names_size else []
        self._trace_delivery(message, message.routed(account._word if self._is_route else b"", names))
        return 0
