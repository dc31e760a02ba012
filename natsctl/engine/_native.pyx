# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The compiled part of the native engine: the sublist, whole publishes, deliveries and the outbox.

No Python object is made for a message: a publish is a few pointers into the bytes that were read (:c:type:`Publish`), and
each delivery is copied once, into the receiver's chunk, which itself is the ``bytes`` the broker will write. What is rare
(a subscription, a violation, a traced line) is left to the Python halves the native session is joined with.

Lifetimes: a ``Match`` owns references to its subscriptions and is counted itself, because a delivery may cut a receiver
and so change the sublist while the match is walked.
"""

from collections import deque
from os import urandom

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.ref cimport Py_DECREF, Py_INCREF, PyObject
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memchr, memcmp, memcpy, memmove

from natsctl.engine.routing import Message

cdef extern from "Python.h":
    PyObject* bytes_new "PyBytes_FromStringAndSize"(const char* data, Py_ssize_t size) except NULL
    char* bytes_data "PyBytes_AS_STRING"(PyObject* data) noexcept
    int bytes_resize "_PyBytes_Resize"(PyObject** data, Py_ssize_t size) except -1
    void xdecref "Py_XDECREF"(PyObject* thing) noexcept

cdef enum:
    BRANCHES = 256
    SWEEP_EVERY = 4096
    VERDICTS = 256
    FIRST_CHUNK = 512
    MAX_CHUNK = 262144
    MAX_SIZE_DIGITS = 9

cdef uint64_t _seed = int.from_bytes(urandom(8), "little")  # peers choose subjects: they must not choose collisions


# ---------------------------------------------------------------- the sublist

cdef struct Group:
    PyObject* queue
    PyObject** members
    Py_ssize_t n
    Py_ssize_t room
    Group* next

cdef struct Node:
    Node* parent
    Node* star
    Node* rest
    uint64_t hash
    char* token
    Py_ssize_t token_size
    Py_ssize_t n_children
    PyObject** plain
    Py_ssize_t n_plain
    Py_ssize_t plain_room
    Group* groups

cdef struct Match:
    Py_ssize_t refs
    uint64_t hash
    uint64_t stamp
    uint32_t branch
    char* subject
    Py_ssize_t subject_size
    Py_ssize_t n_plain
    Py_ssize_t n_groups
    PyObject** subs  # the plain ones, then group after group
    Py_ssize_t* group_ends

cdef struct Publish:
    const char* subject
    Py_ssize_t subject_size
    const char* reply
    Py_ssize_t reply_size
    const char* header_text
    Py_ssize_t header_text_size
    const char* size_text
    Py_ssize_t size_text_size
    Py_ssize_t header_size
    Py_ssize_t size
    const char* body  # size + 2 bytes

cdef struct Verdict:
    uint64_t hash
    PyObject* subject
    bint allowed


cdef inline uint64_t hash_bytes(const char* data, Py_ssize_t size, uint64_t seed) noexcept nogil:
    cdef uint64_t h = seed ^ (<uint64_t>size * 0x9E3779B97F4A7C15ULL)
    cdef uint64_t word
    while size >= 8:
        memcpy(&word, data, 8)
        h = (h ^ word) * 0xFF51AFD7ED558CCDULL
        h ^= h >> 32
        data += 8
        size -= 8
    word = 0
    while size > 0:
        size -= 1
        word = (word << 8) | <unsigned char>data[size]
    h = (h ^ word) * 0xC4CEB9FE1A85EC53ULL
    h ^= h >> 29
    h *= 0x9E3779B97F4A7C15ULL
    return h ^ (h >> 32)


cdef void append_ref(PyObject*** array, Py_ssize_t* n, Py_ssize_t* room, object thing) except *:
    cdef PyObject** grown
    cdef Py_ssize_t wanted
    if n[0] == room[0]:
        wanted = max(1, room[0] * 2)
        grown = <PyObject**>realloc(array[0], wanted * sizeof(PyObject*))
        if grown == NULL:
            raise MemoryError
        array[0] = grown
        room[0] = wanted
    Py_INCREF(thing)
    array[0][n[0]] = <PyObject*>thing
    n[0] += 1


cdef void remove_ref(PyObject** array, Py_ssize_t* n, object thing) except *:
    cdef Py_ssize_t i
    for i in range(n[0]):
        if array[i] == <PyObject*>thing:
            # Those behind move up, so that members keep the order in which they came.
            memmove(array + i, array + i + 1, (n[0] - i - 1) * sizeof(PyObject*))
            n[0] -= 1
            Py_DECREF(thing)
            return
    raise KeyError("subscription")


cdef void free_match(Match* match) noexcept:
    cdef Py_ssize_t i, n
    if match == NULL:
        return
    match.refs -= 1
    if match.refs:
        return
    n = match.group_ends[match.n_groups - 1] if match.n_groups else match.n_plain
    for i in range(n):
        xdecref(match.subs[i])
    free(match.subs)
    free(match.group_ends)
    free(match.subject)
    free(match)


cdef void free_verdicts(Verdict* table) noexcept:
    cdef int i
    if table == NULL:
        return
    for i in range(VERDICTS):
        xdecref(table[i].subject)
    free(table)


cdef void free_node(Node* node) noexcept:
    free(node.token)
    free(node.plain)
    free(node)


cdef class NativeSubscription:
    """One SUB of one session; ``max_msgs`` 0 has no end."""

    cdef readonly object session
    cdef NativeCore core  # None for a session inside the broker
    cdef readonly bytes subject
    cdef readonly object queue
    cdef readonly bytes sid
    cdef public uint64_t delivered
    cdef public uint64_t max_msgs
    cdef Node* node

    def __init__(self, session, bytes subject not None, queue, bytes sid not None):
        self.session = session
        self.core = session if isinstance(session, NativeCore) else None
        self.subject = subject
        self.queue = queue
        self.sid = sid


cdef class NativeAccount:
    """A subject space; a trie whose edges stand in one hash table. See :class:`natsctl.engine.routing.Account`."""

    cdef readonly str name
    cdef readonly Py_ssize_t n_subscriptions
    cdef Node* _root
    cdef Node** _edges
    cdef Py_ssize_t _n_edges
    cdef size_t _edge_mask
    cdef Match** _cache
    cdef size_t _cache_mask
    cdef uint64_t _stamp
    cdef uint64_t _branch_stamps[BRANCHES]
    cdef unsigned int _bumps
    cdef uint64_t _random
    cdef Node** _level
    cdef Node** _next_level
    cdef Node** _hits
    cdef Py_ssize_t _level_room
    cdef Py_ssize_t _hits_room

    def __cinit__(self, str name not None, Py_ssize_t cache_size):
        cdef size_t slots = 1
        self.name = name
        self._random = _seed | 1
        self._edge_mask = 63
        self._root = <Node*>calloc(1, sizeof(Node))
        self._edges = <Node**>calloc(64, sizeof(Node*))
        if self._root == NULL or self._edges == NULL:
            raise MemoryError
        if cache_size > 0:
            while slots < <size_t>cache_size:
                slots *= 2
            self._cache_mask = slots - 1
            self._cache = <Match**>calloc(slots, sizeof(Match*))
            if self._cache == NULL:
                raise MemoryError

    def __dealloc__(self):
        cdef size_t i
        if self._cache != NULL:
            for i in range(self._cache_mask + 1):
                free_match(self._cache[i])
            free(self._cache)
        if self._root != NULL:
            self._free_tree(self._root)
        free(self._edges)
        free(self._level)
        free(self._next_level)
        free(self._hits)

    cdef void _free_tree(self, Node* root) noexcept:
        # The children of literal tokens stand only in the edge table: each is freed from there.
        cdef size_t i
        self._free_contents(root)
        for i in range(self._edge_mask + 1 if self._edges != NULL else 0):
            if self._edges[i] != NULL:
                self._free_contents(self._edges[i])

    cdef void _free_contents(self, Node* node) noexcept:
        cdef Py_ssize_t i
        cdef Group* group = node.groups
        cdef Group* following
        if node.star != NULL:
            self._free_contents(node.star)
        if node.rest != NULL:
            self._free_contents(node.rest)
        for i in range(node.n_plain):
            xdecref(node.plain[i])
        while group != NULL:
            following = group.next
            for i in range(group.n):
                xdecref(group.members[i])
            xdecref(group.queue)
            free(group.members)
            free(group)
            group = following
        free_node(node)

    # ---- edges

    cdef inline uint64_t _edge_hash(self, Node* parent, const char* token, Py_ssize_t size) noexcept:
        return hash_bytes(token, size, _seed ^ (<uint64_t><size_t>parent * 0x9E3779B97F4A7C15ULL))

    cdef Node* _find_edge(self, Node* parent, const char* token, Py_ssize_t size) noexcept:
        cdef uint64_t h = self._edge_hash(parent, token, size)
        cdef size_t i = h & self._edge_mask
        cdef Node* child
        while True:
            child = self._edges[i]
            if child == NULL:
                return NULL
            if (child.hash == h and child.parent == parent and child.token_size == size
                    and memcmp(child.token, token, size) == 0):
                return child
            i = (i + 1) & self._edge_mask

    cdef void _place_edge(self, Node** edges, size_t mask, Node* child) noexcept:
        cdef size_t i = child.hash & mask
        while edges[i] != NULL:
            i = (i + 1) & mask
        edges[i] = child

    cdef int _add_edge(self, Node* child) except -1:
        cdef Node** grown
        cdef size_t mask, i
        if <size_t>self._n_edges * 2 >= self._edge_mask:
            mask = self._edge_mask * 2 + 1
            grown = <Node**>calloc(mask + 1, sizeof(Node*))
            if grown == NULL:
                raise MemoryError
            for i in range(self._edge_mask + 1):
                if self._edges[i] != NULL:
                    self._place_edge(grown, mask, self._edges[i])
            free(self._edges)
            self._edges = grown
            self._edge_mask = mask
        self._place_edge(self._edges, self._edge_mask, child)
        self._n_edges += 1
        child.parent.n_children += 1
        return 0

    cdef void _remove_edge(self, Node* child) noexcept:
        cdef size_t hole = child.hash & self._edge_mask
        cdef size_t i, home
        while self._edges[hole] != child:
            hole = (hole + 1) & self._edge_mask
        # Close the hole: whoever was pushed past it moves back.
        i = hole
        while True:
            i = (i + 1) & self._edge_mask
            if self._edges[i] == NULL:
                break
            home = self._edges[i].hash & self._edge_mask
            if ((i - home) & self._edge_mask) >= ((i - hole) & self._edge_mask):
                self._edges[hole] = self._edges[i]
                hole = i
        self._edges[hole] = NULL
        self._n_edges -= 1
        child.parent.n_children -= 1

    cdef Node* _make_child(self, Node* parent, const char* token, Py_ssize_t size) except NULL:
        cdef Node* child
        cdef bint is_star = size == 1 and token[0] == c"*"
        cdef bint is_rest = size == 1 and token[0] == c">"
        if is_star and parent.star != NULL:
            return parent.star
        if is_rest and parent.rest != NULL:
            return parent.rest
        if not (is_star or is_rest):
            child = self._find_edge(parent, token, size)
            if child != NULL:
                return child
        child = <Node*>calloc(1, sizeof(Node))
        if child == NULL:
            raise MemoryError
        child.parent = parent
        if is_star:
            parent.star = child
            return child
        if is_rest:
            parent.rest = child
            return child
        child.token = <char*>malloc(size + 1)
        if child.token == NULL:
            free(child)
            raise MemoryError
        memcpy(child.token, token, size)
        child.token_size = size
        child.hash = self._edge_hash(parent, token, size)
        try:
            self._add_edge(child)
        except MemoryError:
            free_node(child)
            raise
        return child

    cdef void _prune(self, Node* node) noexcept:
        cdef Node* parent
        while node != self._root and not (node.n_plain or node.groups != NULL or node.n_children
                                          or node.star != NULL or node.rest != NULL):
            parent = node.parent
            if parent.star == node:
                parent.star = NULL
            elif parent.rest == node:
                parent.rest = NULL
            else:
                self._remove_edge(node)
            free_node(node)
            node = parent

    # ---- subscriptions

    def subscribe(self, session, bytes subject not None, queue, bytes sid not None):
        """Let a session receive what comes on a subject, which must be valid."""
        cdef NativeSubscription sub = NativeSubscription(session, subject, queue, sid)
        cdef const char* at = PyBytes_AS_STRING(subject)
        cdef const char* end = at + PyBytes_GET_SIZE(subject)
        cdef const char* dot
        cdef Node* node = self._root
        while True:
            dot = <const char*>memchr(at, c".", end - at)
            if dot == NULL:
                dot = end
            node = self._make_child(node, at, dot - at)
            if dot == end:
                break
            at = dot + 1
        try:
            self._hold(node, sub)
        except MemoryError:
            self._prune(node)
            raise
        sub.node = node
        self.n_subscriptions += 1
        self._invalidate(subject)
        return sub

    cdef int _hold(self, Node* node, NativeSubscription sub) except -1:
        cdef Group* group
        cdef Group** link
        if sub.queue is None:
            append_ref(&node.plain, &node.n_plain, &node.plain_room, sub)
            return 0
        link = &node.groups
        while link[0] != NULL:
            if <object>link[0].queue == sub.queue:
                break
            link = &link[0].next
        group = link[0]
        if group == NULL:
            group = <Group*>calloc(1, sizeof(Group))
            if group == NULL:
                raise MemoryError
            Py_INCREF(sub.queue)
            group.queue = <PyObject*>sub.queue
            link[0] = group
        append_ref(&group.members, &group.n, &group.room, sub)
        return 0

    def unsubscribe(self, NativeSubscription sub not None):
        """Let a subscription receive no more."""
        cdef Node* node = sub.node
        cdef Group* group
        cdef Group** link
        if node == NULL:
            raise KeyError(sub.subject)
        sub.node = NULL
        if sub.queue is None:
            remove_ref(node.plain, &node.n_plain, sub)
        else:
            link = &node.groups
            while <object>link[0].queue != sub.queue:
                link = &link[0].next
            group = link[0]
            remove_ref(group.members, &group.n, sub)
            if group.n == 0:
                link[0] = group.next
                xdecref(group.queue)
                free(group.members)
                free(group)
        self._prune(node)
        self.n_subscriptions -= 1
        self._invalidate(sub.subject)

    cdef void _invalidate(self, bytes subject) noexcept:
        """Forget the results a change on this subject can touch: one, those of its first token, or all."""
        cdef const char* at = PyBytes_AS_STRING(subject)
        cdef Py_ssize_t size = PyBytes_GET_SIZE(subject)
        cdef const char* end = at + size
        cdef const char* dot
        cdef uint64_t h
        cdef bint first = True
        cdef Match* match
        if self._cache == NULL:
            return
        while at < end:
            dot = <const char*>memchr(at, c".", end - at)
            if dot == NULL:
                dot = end
            if dot - at == 1 and (at[0] == c"*" or at[0] == c">"):
                if first:
                    self._stamp += 1
                else:
                    self._branch_stamps[self._branch(subject)] += 1
                self._bumps += 1
                if self._bumps % SWEEP_EVERY == 0:
                    self._sweep()
                return
            first = False
            at = dot + 1
        h = hash_bytes(PyBytes_AS_STRING(subject), size, _seed)
        match = self._cache[h & self._cache_mask]
        if match != NULL and match.hash == h:
            self._cache[h & self._cache_mask] = NULL
            free_match(match)

    cdef uint32_t _branch(self, bytes subject) noexcept:
        return self._branch_of(PyBytes_AS_STRING(subject), PyBytes_GET_SIZE(subject))

    cdef uint32_t _branch_of(self, const char* subject, Py_ssize_t size) noexcept:
        cdef const char* dot = <const char*>memchr(subject, c".", size)
        return hash_bytes(subject, dot - subject if dot != NULL else size, _seed) & (BRANCHES - 1)

    cdef void _sweep(self) noexcept:
        """Let go of stale results now and then: they keep subscriptions of closed sessions alive."""
        cdef size_t i
        cdef Match* match
        for i in range(self._cache_mask + 1):
            match = self._cache[i]
            if match != NULL and match.stamp != self._stamp + self._branch_stamps[match.branch]:
                self._cache[i] = NULL
                free_match(match)

    # ---- matching

    cdef Match* _match(self, const char* subject, Py_ssize_t size) except? NULL:
        """Find everybody a subject reaches; NULL for nobody. Borrowed: count it up to keep it."""
        cdef uint64_t h = hash_bytes(subject, size, _seed)
        cdef Match* match
        if self._cache != NULL:
            match = self._cache[h & self._cache_mask]
            if (match != NULL and match.hash == h and match.subject_size == size
                    and match.stamp == self._stamp + self._branch_stamps[match.branch]
                    and memcmp(match.subject, subject, size) == 0):
                return match
        return self._look_up(subject, size, h)

    cdef Match* _look_up(self, const char* subject, Py_ssize_t size, uint64_t h) except? NULL:
        cdef Py_ssize_t n_hits
        cdef Match* match
        if not self.n_subscriptions:
            return NULL
        n_hits = self._walk(subject, size)
        if n_hits == 0:
            return NULL
        match = self._collect(n_hits)
        match.hash = h
        match.branch = self._branch_of(subject, size)
        match.stamp = self._stamp + self._branch_stamps[match.branch]
        match.subject = <char*>malloc(size + 1)
        if match.subject == NULL:
            free_match(match)
            raise MemoryError
        memcpy(match.subject, subject, size)
        match.subject_size = size
        self._keep(match)
        return match

    cdef void _keep(self, Match* match) noexcept:
        """Remember a result; without a cache the last one is kept, so that somebody owns it."""
        cdef Match** slot
        if self._cache == NULL:
            return
        slot = &self._cache[match.hash & self._cache_mask]
        free_match(slot[0])
        slot[0] = match

    cdef Py_ssize_t _walk(self, const char* at, Py_ssize_t size) except -1:
        """Collect into ``_hits`` the nodes with subscriptions that a subject reaches; returns how many."""
        cdef const char* end = at + size
        cdef const char* dot
        cdef Node** swap
        cdef Node* node
        cdef Node* child
        cdef Py_ssize_t n_level = 1, n_next, n_hits = 0, i
        if size == 0 or at[0] == c"." or (end - 1)[0] == c".":
            return 0
        self._make_room(1, 0)
        self._level[0] = self._root
        while True:
            dot = <const char*>memchr(at, c".", end - at)
            if dot == NULL:
                dot = end
            elif dot[1] == c".":
                return 0
            self._make_room(2 * n_level, n_hits + n_level)
            n_next = 0
            for i in range(n_level):
                node = self._level[i]
                if node.rest != NULL:
                    self._hits[n_hits] = node.rest
                    n_hits += 1
                if node.star != NULL:
                    self._next_level[n_next] = node.star
                    n_next += 1
                if node.n_children:
                    child = self._find_edge(node, at, dot - at)
                    if child != NULL:
                        self._next_level[n_next] = child
                        n_next += 1
            swap = self._level
            self._level = self._next_level
            self._next_level = swap
            n_level = n_next
            if dot == end or n_level == 0:
                break
            at = dot + 1
        if dot != end:
            return n_hits if self._tokens_are_full(dot + 1, end) else 0
        self._make_room(n_level, n_hits + n_level)
        for i in range(n_level):
            node = self._level[i]
            if node.n_plain or node.groups != NULL:
                self._hits[n_hits] = node
                n_hits += 1
        return n_hits

    cdef bint _tokens_are_full(self, const char* at, const char* end) noexcept:
        while at < end:
            if at[0] == c"." and at[1] == c".":
                return False
            at += 1
        return True

    cdef int _make_room(self, Py_ssize_t level, Py_ssize_t hits) except -1:
        cdef void* grown
        if level > self._level_room:
            grown = realloc(self._level, 2 * level * sizeof(Node*))
            if grown == NULL:
                raise MemoryError
            self._level = <Node**>grown
            grown = realloc(self._next_level, 2 * level * sizeof(Node*))
            if grown == NULL:
                raise MemoryError
            self._next_level = <Node**>grown
            self._level_room = 2 * level
        if hits > self._hits_room:
            grown = realloc(self._hits, 2 * hits * sizeof(Node*))
            if grown == NULL:
                raise MemoryError
            self._hits = <Node**>grown
            self._hits_room = 2 * hits
        return 0

    cdef Match* _collect(self, Py_ssize_t n_hits) except NULL:
        cdef Py_ssize_t n_plain = 0, n_groups = 0, n_members = 0, i, k
        cdef Group* group
        cdef Match* match
        cdef PyObject** plain
        cdef PyObject** members
        for i in range(n_hits):
            n_plain += self._hits[i].n_plain
            group = self._hits[i].groups
            while group != NULL:
                n_groups += 1
                n_members += group.n
                group = group.next
        match = <Match*>calloc(1, sizeof(Match))
        if match == NULL:
            raise MemoryError
        match.refs = 1
        match.subs = <PyObject**>malloc((n_plain + n_members + 1) * sizeof(PyObject*))
        match.group_ends = <Py_ssize_t*>malloc((n_groups + 1) * sizeof(Py_ssize_t))
        if match.subs == NULL or match.group_ends == NULL:
            free_match(match)
            raise MemoryError
        match.n_plain = n_plain
        match.n_groups = n_groups
        plain, members, n_groups = match.subs, match.subs + n_plain, 0
        for i in range(n_hits):
            for k in range(self._hits[i].n_plain):
                Py_INCREF(<object>self._hits[i].plain[k])
                plain[0] = self._hits[i].plain[k]
                plain += 1
            group = self._hits[i].groups
            while group != NULL:
                for k in range(group.n):
                    Py_INCREF(<object>group.members[k])
                    members[0] = group.members[k]
                    members += 1
                match.group_ends[n_groups] = members - match.subs
                n_groups += 1
                group = group.next
        return match

    def plain_subscriptions(self, bytes subject not None):
        """The subscriptions without a queue group that a message on this subject reaches."""
        cdef Match* match = self._match(PyBytes_AS_STRING(subject), PyBytes_GET_SIZE(subject))
        cdef Py_ssize_t i
        if match == NULL:
            return ()
        found = tuple([<object>match.subs[i] for i in range(match.n_plain)])
        if self._cache == NULL:
            free_match(match)
        return found

    # ---- delivery

    def route(self, source, args, bytes body not None):
        """Deliver a message whose body ends in CRLF; returns to how many."""
        cdef Publish publish
        cdef bytes subject, reply, header_text, size_text
        subject, reply, header_text, size_text, header_size, size = args
        publish.subject = PyBytes_AS_STRING(subject)
        publish.subject_size = PyBytes_GET_SIZE(subject)
        publish.reply = PyBytes_AS_STRING(reply)
        publish.reply_size = PyBytes_GET_SIZE(reply)
        publish.header_text = PyBytes_AS_STRING(header_text)
        publish.header_text_size = PyBytes_GET_SIZE(header_text)
        publish.size_text = PyBytes_AS_STRING(size_text)
        publish.size_text_size = PyBytes_GET_SIZE(size_text)
        publish.header_size = header_size
        publish.size = size
        publish.body = PyBytes_AS_STRING(body)
        return self._route(&publish, source if isinstance(source, NativeCore) else None)

    cdef Py_ssize_t _route(self, Publish* publish, NativeCore source) except -1:
        cdef Match* match = self._match(publish.subject, publish.subject_size)
        cdef Py_ssize_t i, g, begin, n, first, reached = 0
        if match == NULL:
            return 0
        match.refs += 1
        if self._cache == NULL:
            match.refs -= 1
        try:
            for i in range(match.n_plain):
                reached += deliver(<NativeSubscription>match.subs[i], publish, source)
            begin = match.n_plain
            for g in range(match.n_groups):
                n = match.group_ends[g] - begin
                first = self._pick(n)
                for i in range(n):
                    if deliver(<NativeSubscription>match.subs[begin + (first + i) % n], publish, source):
                        reached += 1
                        break
                begin = match.group_ends[g]
        finally:
            free_match(match)
        return reached

    cdef inline Py_ssize_t _pick(self, Py_ssize_t n) noexcept:
        """A uniform random number below n (xorshift, then Lemire's multiplication)."""
        if n == 1:
            return 0
        self._random ^= self._random << 13
        self._random ^= self._random >> 7
        self._random ^= self._random << 17
        return <Py_ssize_t>(((self._random >> 32) * <uint64_t>n) >> 32)


cdef int deliver(NativeSubscription sub, Publish* publish, NativeCore source) except -1:
    if sub.core is not None:
        return sub.core._deliver(sub, publish, source)
    sub.session.deliver(sub, as_message(publish, source))
    return 1


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


# ---------------------------------------------------------------- sessions

cdef class NativeCore:
    """Storage, outbox and deliveries of a session; :class:`natsctl.engine.native.NativeSession` joins it with the rest."""

    cdef public object _account
    cdef public object _grant
    cdef public object _plane
    cdef public object _replies
    cdef public object _stalled_by
    cdef public object _subs
    cdef public object closed
    cdef public bint _filtered
    cdef public bint _fluent
    cdef public bint _simple
    cdef public bint _tracing
    cdef public int64_t _max_payload
    cdef public int64_t _max_pending
    cdef public int64_t _stall_mark
    cdef public int64_t pending_bytes
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
    cdef PyObject* _chunk
    cdef Py_ssize_t _chunk_size
    cdef Py_ssize_t _chunk_room
    cdef Py_ssize_t _last_taken
    cdef object _chunks
    cdef Verdict* _publishes
    cdef Verdict* _deliveries

    def __dealloc__(self):
        xdecref(self._chunk)
        self._forget_verdicts()

    def _mirror(self):
        """Copy what the grant says to where deliveries look."""
        grant = self._grant
        self._home = self._account
        self._echo = grant.echo
        self._headers = grant.headers
        self._verbose = grant.verbose
        self._no_responders = grant.no_responders
        self._guarded = grant.permissions is not None
        self._forget_verdicts()

    # ---- verdicts of the permissions, remembered per subject

    cdef void _forget_verdicts(self) noexcept:
        free_verdicts(self._publishes)
        free_verdicts(self._deliveries)
        self._publishes = NULL
        self._deliveries = NULL

    cdef Verdict* _verdict(self, Verdict** table, const char* subject, Py_ssize_t size, uint64_t h) except? NULL:
        """Find the remembered verdict on a subject; NULL when there is none."""
        cdef Verdict* found
        if table[0] == NULL:
            table[0] = <Verdict*>calloc(VERDICTS, sizeof(Verdict))
            if table[0] == NULL:
                raise MemoryError
        found = &table[0][h % VERDICTS]
        if (found.subject != NULL and found.hash == h and PyBytes_GET_SIZE(<object>found.subject) == size
                and memcmp(bytes_data(found.subject), subject, size) == 0):
            return found
        return NULL

    cdef void _remember(self, Verdict* table, bytes subject, uint64_t h, bint allowed) noexcept:
        cdef Verdict* slot = &table[h % VERDICTS]
        xdecref(slot.subject)
        Py_INCREF(subject)
        slot.subject = <PyObject*>subject
        slot.hash = h
        slot.allowed = allowed

    cdef bint _admits(self, Publish* publish) except -1:
        """Whether a publish may go its way; the client is told if not."""
        cdef char first = publish.subject[0]
        cdef bint special = first == c"$" or first == c"_"
        cdef bint reserved = special and is_reserved_subject(publish.subject, publish.subject_size)
        cdef uint64_t h
        cdef Verdict* known
        if publish.reply_size and is_reserved_reply(publish.reply, publish.reply_size):
            reserved = True
        if not (self._guarded or reserved):
            return True
        h = hash_bytes(publish.subject, publish.subject_size, _seed)
        if not reserved:
            known = self._verdict(&self._publishes, publish.subject, publish.subject_size, h)
            if known != NULL:
                return True
        subject = PyBytes_FromStringAndSize(publish.subject, publish.subject_size)
        reply = PyBytes_FromStringAndSize(publish.reply, publish.reply_size)
        if not self._admits_publish(subject, reply):
            return False
        # A yes that comes from the right to answer is worth one message; only that of the lists is remembered.
        if not reserved and self._grant.permissions.may_publish(subject):
            self._remember(self._publishes, subject, h, True)
        return True

    cdef bint _may_receive(self, Publish* publish) except -1:
        cdef uint64_t h = hash_bytes(publish.subject, publish.subject_size, _seed)
        cdef Verdict* known = self._verdict(&self._deliveries, publish.subject, publish.subject_size, h)
        if known != NULL:
            return known.allowed
        subject = PyBytes_FromStringAndSize(publish.subject, publish.subject_size)
        allowed = self._grant.permissions.may_deliver(subject)
        self._remember(self._deliveries, subject, h, allowed)
        return allowed

    # ---- the outbox

    def has_output(self):
        """Whether :meth:`take` would give anything."""
        return self._chunk_size > 0 or bool(self._chunks)

    def take(self):
        """Take the oldest queued output, a chunk at a time; empty when there is none."""
        if self._chunks:
            return self._chunks.popleft()
        return self._seal() if self._chunk_size else b""

    def compact(self):
        """Cut the last chunk to what is in it; call it when the peer cannot be written to now."""
        if self._chunk_size:
            self._queue_chunk()

    def sent(self, int64_t n_bytes):
        """Tell that taken output left the process."""
        self.pending_bytes -= n_bytes

    def drop_output(self):
        """Forget everything queued; ``pending_bytes`` keeps counting what was already taken."""
        cdef int64_t unsent = self._chunk_size
        for chunk in self._chunks or ():
            unsent += len(chunk)
        xdecref(self._chunk)
        self._chunk = NULL
        self._chunk_size = 0
        self._chunks = None
        self.pending_bytes -= unsent

    cdef object _seal(self):
        cdef PyObject* chunk = self._chunk
        cdef Py_ssize_t size = self._chunk_size
        cdef object taken
        self._chunk = NULL
        self._chunk_size = 0
        self._last_taken = size
        bytes_resize(&chunk, size)
        taken = <object>chunk
        Py_DECREF(taken)
        return taken

    cdef int _queue_chunk(self) except -1:
        if self._chunks is None:
            self._chunks = deque()
        self._chunks.append(self._seal())
        return 0

    cdef char* _reserve(self, Py_ssize_t size) except NULL:
        """Make room for so many bytes at the end of the output; the caller fills it."""
        cdef Py_ssize_t room
        cdef char* at
        if self._chunk_size + size > self._chunk_room and self._chunk_size:
            self._queue_chunk()
            self._last_taken = min(self._last_taken * 4, MAX_CHUNK)
        if not self._chunk_size:
            # Chunks grow with what a batch brought last time: a busy session gets by with one.
            room = max(size, min(max(self._last_taken + (self._last_taken >> 2), FIRST_CHUNK), MAX_CHUNK))
            if self._chunk == NULL or self._chunk_room < room:
                xdecref(self._chunk)
                self._chunk = NULL
                self._chunk = bytes_new(NULL, room)
                self._chunk_room = room
            self._plane.touched.append(self)
        at = bytes_data(self._chunk) + self._chunk_size
        self._chunk_size += size
        self.pending_bytes += size
        return at

    def _enqueue(self, bytes data not None):
        cdef Py_ssize_t size = PyBytes_GET_SIZE(data)
        memcpy(self._reserve(size), PyBytes_AS_STRING(data), size)

    # ---- messages in

    def _take_whole(self, bytes data not None, Py_ssize_t at):
        """Publish as long as whole and faultless PUBs and HPUBs follow; returns where something else begins."""
        cdef const char* begin = PyBytes_AS_STRING(data)
        cdef const char* end = begin + PyBytes_GET_SIZE(data)
        cdef const char* here = begin + at
        cdef Py_ssize_t max_line = self._plane.limits.max_control_line
        cdef Publish publish
        cdef const char* body
        while self.closed is None:
            body = read_publish(here, end, max_line, &publish)
            if body == NULL or publish.size > self._max_payload or (publish.header_text_size and not self._headers):
                break
            here = body + publish.size + 2
            self._publish_whole(&publish)
        return here - begin

    cdef int _publish_whole(self, Publish* publish) except -1:
        self.in_msgs += 1
        self.in_bytes += publish.size
        if not self._admits(publish):
            return 0
        if self._verbose:
            memcpy(self._reserve(5), b"+OK\r\n", 5)
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

    # ---- messages out

    cdef int _deliver(self, NativeSubscription sub, Publish* publish, NativeCore source) except -1:
        cdef bint headers
        cdef Py_ssize_t header_size, size, sid_size, total
        cdef char digits[24]
        cdef const char* size_text
        cdef Py_ssize_t size_text_size
        cdef char* at
        if not self._simple:
            if self.closed is not None or (source is self and not self._echo):
                return 0
            if self._filtered and not self._may_receive(publish):
                return 0
        if self.pending_bytes > self._stall_mark and not self._admit_over_mark(source):
            return 0
        sub.delivered += 1
        if sub.delivered == sub.max_msgs:
            self._remove(sub)
        headers = publish.header_size > 0 and self._headers
        header_size = 0 if headers else publish.header_size
        size_text, size_text_size = publish.size_text, publish.size_text_size
        if header_size:
            size_text_size = write_number(digits, publish.size - header_size)
            size_text = digits
        size = publish.size - header_size
        sid_size = PyBytes_GET_SIZE(sub.sid)
        total = 4 + publish.subject_size + 1 + sid_size + 1 + size_text_size + 2 + size + 2
        if publish.reply_size:
            total += publish.reply_size + 1
        if headers:
            total += 1 + publish.header_text_size + 1
        at = self._reserve(total)
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
        put(at, publish.body + header_size, size + 2)
        self.out_msgs += 1
        self.out_bytes += size
        if not self._simple:
            self._note_delivery(sub, publish, source)
        if self.pending_bytes > self._max_pending:
            self._press()
        return 1

    cdef int _note_delivery(self, NativeSubscription sub, Publish* publish, NativeCore source) except -1:
        if self._replies is not None and publish.reply_size:
            self._may_be_answered(PyBytes_FromStringAndSize(publish.reply, publish.reply_size))
        if self._tracing:
            message = as_message(publish, source)
            if message.header_size and not self._headers:
                message = message.without_headers()
            self._trace_delivery(message, message.head + sub.sid + message.tail)
        return 0


# ---------------------------------------------------------------- bytes

cdef inline char* put(char* at, const char* data, Py_ssize_t size) noexcept:
    memcpy(at, data, size)
    return at + size


cdef inline char* put_word(char* at, const char* data, Py_ssize_t size) noexcept:
    memcpy(at, data, size)
    at[size] = c" "
    return at + size + 1


cdef Py_ssize_t write_number(char* digits, Py_ssize_t number) noexcept:
    cdef char reversed_digits[24]
    cdef Py_ssize_t n = 0, i
    while True:
        reversed_digits[n] = <char>(c"0" + number % 10)
        n += 1
        number //= 10
        if number == 0:
            break
    for i in range(n):
        digits[i] = reversed_digits[n - 1 - i]
    return n


cdef inline Py_ssize_t read_number(const char* text, Py_ssize_t size) noexcept:
    cdef Py_ssize_t number = 0, i
    if size > MAX_SIZE_DIGITS:
        return -1
    for i in range(size):
        if text[i] < c"0" or text[i] > c"9":
            return -1
        number = number * 10 + (text[i] - c"0")
    return number


cdef inline bint starts(const char* data, Py_ssize_t size, const char* prefix, Py_ssize_t prefix_size) noexcept:
    return size >= prefix_size and memcmp(data, prefix, prefix_size) == 0


cdef bint is_reserved_subject(const char* data, Py_ssize_t size) noexcept:
    return (starts(data, size, b"_GR_.", 5) and size > 5) or (starts(data, size, b"$GR.", 4) and size > 4) \
        or starts(data, size, b"$NRG.", 5)


cdef bint is_reserved_reply(const char* data, Py_ssize_t size) noexcept:
    if data[0] != c"$" and data[0] != c"_":
        return False
    return starts(data, size, b"_R_.", 4) or starts(data, size, b"_GR_.", 5) or starts(data, size, b"$GR.", 4) \
        or (starts(data, size, b"$JS.ACK.", 8) and size > 8)


cdef const char* read_publish(const char* at, const char* end, Py_ssize_t max_line, Publish* publish) noexcept:
    """Read a whole and faultless PUB or HPUB; returns its body, or NULL when it is something else or not all there."""
    cdef const char* start = at
    cdef const char* words[5]
    cdef Py_ssize_t sizes[5]
    cdef int n = 0, wanted
    cdef bint headers
    if end - at < 8:
        return NULL
    headers = (at[0] | 32) == c"h"
    if headers:
        at += 1
    if (at[0] | 32) != c"p" or (at[1] | 32) != c"u" or (at[2] | 32) != c"b" or (at[3] != c" " and at[3] != c"\t"):
        return NULL
    at += 4
    while True:
        while at < end and (at[0] == c" " or at[0] == c"\t"):
            at += 1
        if at >= end:
            return NULL
        if at[0] == c"\n" or at[0] == c"\r":
            break
        if n == 4:
            return NULL
        words[n] = at
        while at < end and at[0] != c" " and at[0] != c"\t" and at[0] != c"\r" and at[0] != c"\n":
            at += 1
        sizes[n] = at - words[n]
        n += 1
    if at[0] == c"\r":
        at += 1
    if at >= end or at[0] != c"\n":
        return NULL
    at += 1
    wanted = 3 if headers else 2
    if n < wanted or n > wanted + 1 or at - start > max_line:
        return NULL
    publish.subject, publish.subject_size = words[0], sizes[0]
    publish.reply, publish.reply_size = words[1], sizes[1] if n > wanted else 0
    publish.size_text, publish.size_text_size = words[n - 1], sizes[n - 1]
    publish.size = read_number(words[n - 1], sizes[n - 1])
    publish.header_text, publish.header_text_size, publish.header_size = words[n - 2], 0, 0
    if headers:
        publish.header_text_size = sizes[n - 2]
        publish.header_size = read_number(words[n - 2], sizes[n - 2])
    if publish.size < 0 or publish.header_size < 0 or publish.header_size > publish.size:
        return NULL
    if end - at < publish.size + 2 or at[publish.size] != c"\r" or at[publish.size + 1] != c"\n":
        return NULL
    publish.body = at
    return at
