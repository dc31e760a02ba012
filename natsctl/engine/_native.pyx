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
from natsctl.engine.routing import Message

cdef extern from "Python.h":
    void xdecref "Py_XDECREF"(PyObject* thing) noexcept

cdef enum:
    VERDICTS = 256
    SHARED = 65536  # from this size on, a payload that came in parts is shared by its receivers

cdef uint64_t _seed = int.from_bytes(urandom(8), "little")
cdef uint64_t _n_messages = 0  # that other servers took part in: by its number a link knows a message


# ---------------------------------------------------------------- accounts

cdef class NativeSubscription(Interest):
    """One SUB of one session; ``max_msgs`` 0 has no end."""

    cdef readonly object session
    cdef NativeCore core  # None for a session inside the broker, and for a link
    cdef readonly bytes sid
    cdef readonly bytes head  # how its deliveries begin when they all have the same subject: "MSG subject sid "
    cdef public uint64_t delivered
    cdef public uint64_t max_msgs

    def __init__(self, session, bytes subject not None, queue, bytes sid not None):
        super().__init__(subject, queue)
        self.session = session
        self.core = session if isinstance(session, NativeCore) else None
        self.sid = sid
        if b"*" not in subject and b">" not in subject:
            self.head = b"MSG %b %b " % (subject, sid)

    @property
    def origin(self):
        """Whose interest it is."""
        return self.session.origin


cdef class NativeLinkSubscription(Interest):
    """What a peer wants of an account; ``weight`` is the number of members of the queue group there, or 1."""

    cdef readonly NativeAccount account
    cdef readonly NativeLink session

    def __init__(self, NativeAccount account not None, NativeLink link not None, bytes subject not None, queue, weight):
        super().__init__(subject, queue, weight)
        self.account = account
        self.session = link

    @property
    def origin(self):
        """Whose interest it is."""
        return self.session.origin


cdef class NativeAccount:
    """A subject space. See :class:`natsctl.engine.routing.Account`."""

    cdef readonly str name
    cdef readonly Sublist sublist
    cdef public object ledger
    cdef public bytes loop_mark
    cdef bytes _word  # the name as it stands in the lines of routes, with the blank behind it
    cdef uint64_t _random
    cdef PyObject** _targets
    cdef Py_ssize_t _n_targets
    cdef Py_ssize_t _targets_room

    def __init__(self, str name not None, Py_ssize_t cache_size):
        self.name = name
        self.sublist = Sublist(cache_size)
        self.loop_mark = b""
        self._word = name.encode() + b" "
        self._random = _seed | 1

    def __dealloc__(self):
        free(self._targets)

    @property
    def n_subscriptions(self):
        """Subscriptions held now."""
        return self.sublist.count

    def subscribe(self, session, bytes subject not None, queue, bytes sid not None):
        """Let a session receive what comes on a subject, which must be valid."""
        return self._hold(NativeSubscription(session, subject, queue, sid))

    def learn(self, link, bytes subject not None, queue, weight):
        """Let a link receive what comes on a subject, which must be valid."""
        return self._hold(NativeLinkSubscription(self, link, subject, queue, weight))

    cdef object _hold(self, Interest sub):
        self.sublist.insert(sub)
        if self.ledger is not None:
            try:
                self.ledger.change(sub.origin, sub.subject, sub.queue, sub.weight or 1, source=sub.session)
            except BaseException:
                self.sublist.remove(sub)
                raise
        return sub

    def unsubscribe(self, Interest sub not None):
        """Let a subscription receive no more; once is enough."""
        cdef bint is_held = sub.node != NULL
        self.sublist.remove(sub)
        if is_held and self.ledger is not None:
            self.ledger.change(sub.origin, sub.subject, sub.queue, -<int64_t>(sub.weight or 1), source=sub.session)

    def plain_subscriptions(self, bytes subject not None):
        """The subscriptions without a queue group that a message on this subject reaches."""
        return self.sublist.reached(subject)[0]

    def stats(self):
        """What is held, and how well the cache does: the fields of SublistStats."""
        return self.sublist.stats()

    def route(self, source, args, bytes body not None):
        """Deliver a message whose body ends in CRLF; returns to how many."""
        cdef Publish publish
        fill(&publish, args, body)
        return self._route(&publish, source if isinstance(source, NativeCore) else None)

    def route_from(self, NativeLink link not None, args, bytes body not None, queues):
        """Deliver a message that came over a link, to plain subscriptions and in the queue groups it names."""
        cdef Publish publish
        cdef Routed routed
        cdef bytes names = b" ".join(queues)
        fill(&publish, args, body)
        routed.queues, routed.queues_size = PyBytes_AS_STRING(names), PyBytes_GET_SIZE(names)
        return self._route_from(link, &publish, &routed)

    cdef Py_ssize_t _route(self, Publish* publish, NativeCore source) except -1:
        cdef Match* match
        cdef Py_ssize_t i, g, begin, n, first, reached = 0
        self.sublist.match(publish.subject, publish.subject_size, &match)
        if match == NULL:
            return 0
        try:
            if match.is_far:
                return self._route_across(match, publish, source, None, NULL)
            for i in range(match.n_plain):
                reached += deliver(<NativeSubscription>match.entries[i], publish, source)
            begin = match.n_plain
            for g in range(match.n_groups):
                n = match.group_ends[g] - begin
                first = self._pick(n)
                for i in range(n):
                    if deliver(<NativeSubscription>match.entries[begin + (first + i) % n], publish, source):
                        reached += 1
                        break
                begin = match.group_ends[g]
        finally:
            self.sublist.leave(match)
        return reached

    cdef Py_ssize_t _route_from(self, NativeLink link, Publish* publish, Routed* routed) except -1:
        cdef Match* match
        self.sublist.match(publish.subject, publish.subject_size, &match)
        if match == NULL:
            return 0
        try:
            return self._route_across(match, publish, None, link, routed)
        finally:
            self.sublist.leave(match)

    # ---- where other servers take part

    cdef Py_ssize_t _route_across(
        self, Match* match, Publish* publish, NativeCore source, NativeLink link, Routed* routed
    ) except -1:
        """Deliver so that each other server gets the message at most once.

        See :func:`natsctl.engine.routing.deliver_across`.
        """
        global _n_messages
        cdef Py_ssize_t first = self._n_targets, i, g, begin = match.n_plain, reached = 0
        cdef bytes queue
        cdef Interest sub
        cdef uint64_t number
        _n_messages += 1
        number = _n_messages
        try:
            for i in range(match.n_plain):
                sub = <Interest>match.entries[i]
                if sub.weight:
                    if may_pass(link, (<NativeLinkSubscription>sub).session, publish):
                        self._aim((<NativeLinkSubscription>sub).session, number)
                elif link is None or (<NativeSubscription>sub).core is not None:
                    reached += deliver(<NativeSubscription>sub, publish, source)
            for g in range(match.n_groups):
                queue = (<Interest>match.entries[begin]).queue
                if link is None or is_named(
                        routed.queues, routed.queues_size, PyBytes_AS_STRING(queue), PyBytes_GET_SIZE(queue)):
                    reached += self._serve(
                        &match.entries[begin], match.group_ends[g] - begin, publish, source, link, number)
                begin = match.group_ends[g]
            for i in range(first, self._n_targets):
                (<NativeLink>self._targets[i])._send(self, publish, source)
            reached += self._n_targets - first
        finally:
            self._n_targets = first
        return reached

    cdef int _aim(self, NativeLink link, uint64_t number) except -1:
        """Let a link have the message, once."""
        cdef void* grown
        if link._message == number:
            return 0
        if self._n_targets == self._targets_room:
            grown = realloc(self._targets, (2 * self._targets_room + 8) * sizeof(PyObject*))
            if grown == NULL:
                raise MemoryError
            self._targets = <PyObject**>grown
            self._targets_room = 2 * self._targets_room + 8
        self._targets[self._n_targets] = <PyObject*>link
        self._n_targets += 1
        link._message = number
        link._names_size = 0
        return 0

    cdef bint _serve(
        self, PyObject** members, Py_ssize_t n, Publish* publish, NativeCore source, NativeLink link, uint64_t number
    ) except -1:
        """Let one member have the message: of this server or a route, by weight; of a leafnode if there is no other.

        Returns whether it was delivered here; a member elsewhere is named to its link.
        """
        cdef Py_ssize_t i, total, chosen
        cdef Interest sub
        cdef bint beyond
        for beyond in range(2):
            total = 0
            for i in range(n):
                total += weight_of(<Interest>members[i], beyond, publish, link)
            if not total:
                continue
            chosen = self._pick(total)
            for i in range(n):
                chosen -= weight_of(<Interest>members[i], beyond, publish, link)
                if chosen < 0:
                    break
            chosen = i
            for i in range(n):
                sub = <Interest>members[(chosen + i) % n]
                if not weight_of(sub, beyond, publish, link):
                    continue
                if sub.weight:
                    self._aim((<NativeLinkSubscription>sub).session, number)
                    (<NativeLinkSubscription>sub).session._name(sub.queue)
                    return False
                if deliver(<NativeSubscription>sub, publish, source):
                    return True
        return False

    cdef inline Py_ssize_t _pick(self, Py_ssize_t n) noexcept:
        """A uniform random number below n (xorshift, then Lemire's multiplication)."""
        if n == 1:
            return 0
        self._random ^= self._random << 13
        self._random ^= self._random >> 7
        self._random ^= self._random << 17
        return <Py_ssize_t>(((self._random >> 32) * <uint64_t>n) >> 32)


cdef inline int deliver(NativeSubscription sub, Publish* publish, NativeCore source) except -1:
    if sub.core is not None:
        return sub.core._deliver(sub, publish, source)
    sub.session.deliver(sub, as_message(publish, source))
    return 1


cdef bint may_pass(NativeLink link, NativeLink target, Publish* publish) except -1:
    """Whether a message may go out to a link: if it came over another one, only to those that one was told of."""
    if target is link or target.closed is not None:
        return False
    if link is not None and not (link._hears >> target._origin) & 1:
        return False
    return not target._filtered or target.may_send(PyBytes_FromStringAndSize(publish.subject, publish.subject_size))


cdef inline Py_ssize_t weight_of(Interest sub, bint beyond, Publish* publish, NativeLink link) except -1:
    """Tickets of a member in the draw: for near ones in the first, for those beyond a leafnode in the second."""
    cdef NativeLink session
    if not sub.weight:
        return not beyond
    session = (<NativeLinkSubscription>sub).session
    return sub.weight if session._is_route != beyond and may_pass(link, session, publish) else 0


cdef void fill(Publish* publish, args, bytes body):
    """Point into the arguments and the body of a message, which must outlive it."""
    cdef bytes subject, reply, header_text, size_text
    subject, reply, header_text, size_text, publish.header_size, publish.size = args
    publish.subject = PyBytes_AS_STRING(subject)
    publish.subject_size = PyBytes_GET_SIZE(subject)
    publish.reply = PyBytes_AS_STRING(reply)
    publish.reply_size = PyBytes_GET_SIZE(reply)
    publish.header_text = PyBytes_AS_STRING(header_text)
    publish.header_text_size = PyBytes_GET_SIZE(header_text)
    publish.size_text = PyBytes_AS_STRING(size_text)
    publish.size_text_size = PyBytes_GET_SIZE(size_text)
    publish.tail = NULL
    publish.body = PyBytes_AS_STRING(body)
    publish.chunk = NULL


cdef object as_message(Publish* publish, NativeCore source):
    args = (
        PyBytes_FromStringAndSize(publish.subject, publish.subject_size),
        PyBytes_FromStringAndSize(publish.reply, publish.reply_size),
        PyBytes_FromStringAndSize(publish.header_text, publish.header_text_size),
        PyBytes_FromStringAndSize(publish.size_text, publish.size_text_size),
        publish.header_size,
        publish.size,
    )
    return Message(source, args, PyBytes_FromStringAndSize(publish.body, publish.size + 2))


# ---------------------------------------------------------------- what permissions said

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


# ---------------------------------------------------------------- sessions

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


# ---------------------------------------------------------------- links

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
