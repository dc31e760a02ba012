# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False, auto_pickle=False
"""The compiled sublist: who is interested in a subject.

A trie whose literal edges stand in one hash table for all nodes, and a direct-mapped cache of results. A change forgets
only the results it can touch: one, those that share its first token, or all (a wildcard as first token); misses on
subjects nobody wants leave nothing behind.

Lifetimes: the entries are owned by a Python set, where the garbage collector sees them; nodes and matches only point at
them. A match that is not stale holds nobody who was removed. Who is removed while a match is walked is kept until the
walk is over, and the match itself is counted.

Source: nats-server ``sublist.go``.
"""

from os import urandom

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.list cimport PyList_GET_SIZE
from cpython.ref cimport Py_INCREF, PyObject
from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memchr, memcpy, memmove

from natsctl.engine._wire cimport hash_bytes, same_bytes

cdef extern from "Python.h":
    void xdecref "Py_XDECREF"(PyObject* thing) noexcept

cdef enum:
    FIRST_EDGES = 64

cdef uint64_t _seed = int.from_bytes(urandom(8), "little")  # peers choose subjects: they must not choose collisions


# ---- arrays of entries

cdef int append(PyObject*** array, Py_ssize_t* n, Py_ssize_t* room, Interest entry) except -1:
    cdef PyObject** grown
    cdef Py_ssize_t wanted
    if n[0] == room[0]:
        wanted = max(1, room[0] * 2)
        grown = <PyObject**>realloc(array[0], wanted * sizeof(PyObject*))
        if grown == NULL:
            raise MemoryError
        array[0] = grown
        room[0] = wanted
    array[0][n[0]] = <PyObject*>entry
    n[0] += 1
    return 0


cdef void take_out(PyObject** array, Py_ssize_t* n, Interest entry) noexcept:
    cdef Py_ssize_t i
    for i in range(n[0]):
        if array[i] == <PyObject*>entry:
            # Those behind move up, so that members keep the order in which they came.
            memmove(array + i, array + i + 1, (n[0] - i - 1) * sizeof(PyObject*))
            n[0] -= 1
            return


# ---- matches and nodes

cdef inline Py_ssize_t n_entries(Match* match) noexcept:
    return match.group_ends[match.n_groups - 1] if match.n_groups else match.n_plain


cdef void let_go(Match* match) noexcept:
    """Give back a reference to a match; NULL is none."""
    if match == NULL:
        return
    match.refs -= 1
    if match.refs:
        return
    free(match.entries)
    free(match.group_ends)
    free(match.subject)
    free(match)


cdef void free_node(Node* node) noexcept:
    free(node.token)
    free(node.plain)
    free(node)


cdef void free_branch(Node* node) noexcept:
    """Free a node, what it holds, and its wildcard children; literal ones stand in the edge table."""
    cdef Group* group = node.groups
    cdef Group* following
    if node.star != NULL:
        free_branch(node.star)
    if node.rest != NULL:
        free_branch(node.rest)
    while group != NULL:
        following = group.next
        xdecref(group.queue)
        free(group.members)
        free(group)
        group = following
    free_node(node)


cdef void place_edge(Node** edges, size_t mask, Node* child) noexcept:
    cdef size_t i = child.hash & mask
    while edges[i] != NULL:
        i = (i + 1) & mask
    edges[i] = child


cdef bint tokens_are_full(const char* at, const char* end) noexcept:
    while at < end:
        if at[0] == c"." and at[1] == c".":
            return False
        at += 1
    return True


cdef class Interest:
    """A subject pattern someone holds; ``queue`` is None without a queue group."""

    def __init__(self, bytes subject not None, queue, uint32_t weight=0):
        self.subject = subject
        self.queue = queue
        self.weight = weight


cdef class Sublist:
    """Interests by subject.

    Args:
        cache_size: Results remembered; 0 remembers none.
    """

    def __cinit__(self, Py_ssize_t cache_size):
        cdef size_t slots = 1
        self._entries = set()
        self._removed = []
        self._edge_mask = FIRST_EDGES - 1
        self._root = <Node*>calloc(1, sizeof(Node))
        self._edges = <Node**>calloc(FIRST_EDGES, sizeof(Node*))
        if self._root == NULL or self._edges == NULL:
            raise MemoryError
        if cache_size > 0:
            while slots < <size_t>cache_size:
                slots *= 2
            self._cache = <Match**>calloc(slots, sizeof(Match*))
            if self._cache == NULL:
                raise MemoryError
            self._cache_mask = slots - 1

    def __dealloc__(self):
        cdef size_t i
        if self._cache != NULL:
            for i in range(self._cache_mask + 1):
                let_go(self._cache[i])
            free(self._cache)
        self._free_tree()
        free(self._edges)
        free(self._level)
        free(self._next_level)
        free(self._hits)

    cdef void _free_tree(self) noexcept:
        cdef size_t i
        if self._root != NULL:
            free_branch(self._root)
        if self._edges != NULL:
            for i in range(self._edge_mask + 1):
                if self._edges[i] != NULL:
                    free_branch(self._edges[i])

    # ---- changes

    @property
    def count(self):
        """Interests held."""
        return len(self._entries)

    def __iter__(self):
        """All interests, in no particular order."""
        return iter(tuple(self._entries))

    def insert(self, Interest entry not None):
        """Add an interest; its subject must be valid."""
        cdef Node* node
        try:
            self._entries.add(entry)  # may leave it in the set although it fails
            node = self._make_path(entry.subject)
            try:
                self._hold(node, entry)
            except BaseException:
                self._prune(node)
                raise
        except BaseException:
            self._entries.discard(entry)
            raise
        entry.node = node
        self._n_far += entry.weight > 0
        self._invalidate(entry.subject)

    def remove(self, Interest entry not None):
        """Take an interest out; once is enough."""
        cdef Node* node = entry.node
        cdef Group* group
        cdef Group** link
        if node == NULL:
            return
        if self._walks:
            self._removed.append(entry)
        entry.node = NULL
        self._n_far -= entry.weight > 0
        self._invalidate(entry.subject)
        if entry.queue is None:
            take_out(node.plain, &node.n_plain, entry)
        else:
            link = &node.groups
            while <object>link[0].queue != entry.queue:
                link = &link[0].next
            group = link[0]
            take_out(group.members, &group.n, entry)
            if group.n == 0:
                link[0] = group.next
                xdecref(group.queue)
                free(group.members)
                free(group)
        self._prune(node)
        self._n_removes += 1
        self._entries.discard(entry)

    cdef int _hold(self, Node* node, Interest entry) except -1:
        cdef Group* group
        cdef Group** link
        if entry.queue is None:
            return append(&node.plain, &node.n_plain, &node.plain_room, entry)
        link = &node.groups
        while link[0] != NULL and <object>link[0].queue != entry.queue:
            link = &link[0].next
        if link[0] != NULL:
            return append(&link[0].members, &link[0].n, &link[0].room, entry)
        group = <Group*>calloc(1, sizeof(Group))
        if group == NULL:
            raise MemoryError
        try:
            append(&group.members, &group.n, &group.room, entry)
        except MemoryError:
            free(group)
            raise
        Py_INCREF(entry.queue)
        group.queue = <PyObject*>entry.queue
        link[0] = group
        return 0

    # ---- the cache

    cdef void _invalidate(self, bytes subject) noexcept:
        """Forget the results a change on this subject can touch: one, those of its first token, or all."""
        cdef const char* at = PyBytes_AS_STRING(subject)
        cdef Py_ssize_t size = PyBytes_GET_SIZE(subject)
        cdef const char* end = at + size
        cdef const char* dot
        cdef uint64_t h
        cdef bint first = True
        cdef Match** slot
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
                    self._branch_stamps[self._branch_of(PyBytes_AS_STRING(subject), size)] += 1
                return
            first = False
            at = dot + 1
        h = hash_bytes(PyBytes_AS_STRING(subject), size, _seed)
        slot = &self._cache[h & self._cache_mask]
        if slot[0] != NULL and slot[0].hash == h:
            let_go(slot[0])
            slot[0] = NULL

    cdef uint32_t _branch_of(self, const char* subject, Py_ssize_t size) noexcept:
        cdef const char* dot = <const char*>memchr(subject, c".", size)
        return hash_bytes(subject, dot - subject if dot != NULL else size, _seed) & (BRANCHES - 1)

    cdef inline bint _is_fresh(self, Match* match) noexcept:
        return match.stamp == self._stamp + self._branch_stamps[match.branch]

    def stats(self):
        """The fields of :class:`natsctl.engine.sublist.SublistStats`, in their order."""
        cdef size_t i
        cdef Match* match
        cdef Py_ssize_t n_cache = 0, fanout, max_fanout = 0, total_fanout = 0
        if self._cache != NULL:
            for i in range(self._cache_mask + 1):
                match = self._cache[i]
                if match != NULL and self._is_fresh(match):
                    n_cache += 1
                    fanout = n_entries(match)
                    total_fanout += fanout
                    max_fanout = max(max_fanout, fanout)
        return (len(self._entries), n_cache, len(self._entries) + self._n_removes, self._n_removes, self._n_matches, self._n_hits,
                max_fanout, total_fanout)

    # ---- matching

    cdef int match(self, const char* subject, Py_ssize_t size, Match** found) except -1:
        """Find everybody a subject reaches; ``found`` becomes NULL for nobody. Else the caller must :meth:`leave` it."""
        cdef uint64_t h = hash_bytes(subject, size, _seed)
        cdef Match* match
        self._n_matches += 1
        if self._cache != NULL:
            match = self._cache[h & self._cache_mask]
            if (match != NULL and match.hash == h and match.subject_size == size and self._is_fresh(match)
                    and same_bytes(match.subject, subject, size)):
                self._n_hits += 1
                match.refs += 1
                self._walks += 1
                found[0] = match
                return 0
        found[0] = NULL
        if self._may_match(subject, size):
            self._look_up(subject, size, h, found)
            self._walks += found[0] != NULL
        return 0

    cdef void leave(self, Match* match) noexcept:
        """End the walk over a match."""
        let_go(match)
        self._walks -= 1
        if self._walks == 0 and PyList_GET_SIZE(self._removed):
            self._removed.clear()

    def reached(self, bytes subject not None):
        """The interests a subject reaches: those without a queue group, and a tuple for each group."""
        cdef Match* match
        cdef Py_ssize_t i, g, begin
        self.match(PyBytes_AS_STRING(subject), PyBytes_GET_SIZE(subject), &match)
        if match == NULL:
            return (), ()
        try:
            plain = tuple([<object>match.entries[i] for i in range(match.n_plain)])
            groups = []
            begin = match.n_plain
            for g in range(match.n_groups):
                groups.append(tuple([<object>match.entries[i] for i in range(begin, match.group_ends[g])]))
                begin = match.group_ends[g]
            return plain, tuple(groups)
        finally:
            self.leave(match)

    cdef bint _may_match(self, const char* subject, Py_ssize_t size) noexcept:
        """Whether somebody wants something that begins with this token: most subjects nobody wants end here."""
        cdef const char* dot
        if self._root.star != NULL or self._root.rest != NULL:
            return True
        dot = <const char*>memchr(subject, c".", size)
        return self._find_edge(self._root, subject, dot - subject if dot != NULL else size) != NULL

    cdef int _look_up(self, const char* subject, Py_ssize_t size, uint64_t h, Match** found) except -1:
        cdef Py_ssize_t n_hits = self._walk(subject, size)
        cdef Match* match
        cdef Match** slot
        if n_hits == 0:
            return 0
        match = found[0] = self._collect(n_hits)
        if self._cache == NULL:
            return 0
        match.subject = <char*>malloc(size + 1)
        if match.subject == NULL:
            return 0  # it serves this once
        memcpy(match.subject, subject, size)
        match.subject_size = size
        match.hash = h
        match.branch = self._branch_of(subject, size)
        match.stamp = self._stamp + self._branch_stamps[match.branch]
        slot = &self._cache[h & self._cache_mask]
        let_go(slot[0])
        slot[0] = match
        match.refs += 1
        return 0

    cdef Py_ssize_t _walk(self, const char* at, Py_ssize_t size) except -1:
        """Collect into ``_hits`` the nodes with interests that a subject reaches; returns how many."""
        cdef const char* end = at + size
        cdef const char* dot
        cdef Node** swap
        cdef Node* node
        cdef Node* child
        cdef Py_ssize_t n_level = 1, n_next, n_hits = 0, i
        if size == 0 or at[0] == c"." or (end - 1)[0] == c".":
            return 0
        if not self._level_room:
            self._make_room(1, 0)
        self._level[0] = self._root
        while True:
            dot = <const char*>memchr(at, c".", end - at)
            if dot == NULL:
                dot = end
            elif dot[1] == c".":
                return 0
            if 2 * n_level > self._level_room or n_hits + n_level > self._hits_room:
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
            return n_hits if tokens_are_full(dot + 1, end) else 0
        self._make_room(n_level, n_hits + n_level)
        for i in range(n_level):
            node = self._level[i]
            if node.n_plain or node.groups != NULL:
                self._hits[n_hits] = node
                n_hits += 1
        return n_hits

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
        """Make a match of the entries of the first ``_hits``."""
        cdef Py_ssize_t n_plain = 0, n_groups = 0, n_members = 0, n_parts, i, k
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
        match.entries = <PyObject**>malloc((n_plain + n_members + 1) * sizeof(PyObject*))
        match.group_ends = <Py_ssize_t*>malloc((n_groups + 1) * sizeof(Py_ssize_t))
        if match.entries == NULL or match.group_ends == NULL:
            let_go(match)
            raise MemoryError
        match.n_plain = n_plain
        plain, members, n_parts = match.entries, match.entries + n_plain, 0
        for i in range(n_hits):
            for k in range(self._hits[i].n_plain):
                plain[0] = self._hits[i].plain[k]
                plain += 1
            n_parts += self._hits[i].groups != NULL
        if n_parts > 1:
            self._merge_groups(n_hits, match)
        elif n_parts:
            for i in range(n_hits):
                group = self._hits[i].groups
                while group != NULL:
                    for k in range(group.n):
                        members[0] = group.members[k]
                        members += 1
                    match.group_ends[match.n_groups] = members - match.entries
                    match.n_groups += 1
                    group = group.next
        match.is_far = self._n_far > 0 and self._is_far(match)
        return match

    cdef int _merge_groups(self, Py_ssize_t n_hits, Match* match) except -1:
        """The name makes the group: members of "foo q" and "* q" share the messages on foo."""
        cdef dict merged = {}
        cdef Py_ssize_t i, k
        cdef PyObject** members = match.entries + match.n_plain
        cdef Group* group
        try:
            for i in range(n_hits):
                group = self._hits[i].groups
                while group != NULL:
                    same_name = merged.setdefault(<object>group.queue, [])
                    for k in range(group.n):
                        same_name.append(<object>group.members[k])
                    group = group.next
        except MemoryError:
            let_go(match)
            raise
        for same_name in merged.values():
            for entry in same_name:
                members[0] = <PyObject*>entry
                members += 1
            match.group_ends[match.n_groups] = members - match.entries
            match.n_groups += 1
        return 0

    cdef bint _is_far(self, Match* match) noexcept:
        cdef Py_ssize_t i
        for i in range(n_entries(match)):
            if (<Interest>match.entries[i]).weight:
                return True
        return False

    # ---- the trie

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
                    and same_bytes(child.token, token, size)):
                return child
            i = (i + 1) & self._edge_mask

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
                    place_edge(grown, mask, self._edges[i])
            free(self._edges)
            self._edges = grown
            self._edge_mask = mask
        place_edge(self._edges, self._edge_mask, child)
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

    cdef Node* _make_path(self, bytes subject) except NULL:
        """Find the node of a subject pattern, making what is missing."""
        cdef const char* at = PyBytes_AS_STRING(subject)
        cdef const char* end = at + PyBytes_GET_SIZE(subject)
        cdef const char* dot
        cdef Node* node = self._root
        cdef Node* child
        while True:
            dot = <const char*>memchr(at, c".", end - at)
            if dot == NULL:
                dot = end
            try:
                child = self._make_child(node, at, dot - at)
            except MemoryError:
                self._prune(node)
                raise
            node = child
            if dot == end:
                return node
            at = dot + 1

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
            free_node(child)
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
        """Free a node that has become empty, and those above it."""
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
