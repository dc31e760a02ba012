# Subject spaces: who holds which interest, and how a message reaches all of them. Part of _native.pyx.

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
