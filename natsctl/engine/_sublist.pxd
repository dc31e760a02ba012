"""What the sublist offers to other compiled modules; see ``_sublist.pyx``."""

from cpython.ref cimport PyObject
from libc.stdint cimport uint32_t, uint64_t

cdef enum:
    BRANCHES = 256

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
    bint is_far  # some of the entries are interest of other servers
    Py_ssize_t n_plain
    Py_ssize_t n_groups
    PyObject** entries  # the plain ones, then group after group
    Py_ssize_t* group_ends


cdef class Interest:
    cdef readonly bytes subject
    cdef readonly object queue
    cdef public uint32_t weight  # members of the group, for interest of another server; 0 for interest of this one
    cdef Node* node


cdef class Sublist:
    cdef set _entries
    cdef list _removed
    cdef Py_ssize_t _n_far
    cdef Py_ssize_t _walks
    cdef uint64_t _n_removes
    cdef uint64_t _n_matches
    cdef uint64_t _n_hits
    cdef Node* _root
    cdef Node** _edges
    cdef Py_ssize_t _n_edges
    cdef size_t _edge_mask
    cdef Match** _cache
    cdef size_t _cache_mask
    cdef uint64_t _stamp
    cdef uint64_t _branch_stamps[BRANCHES]
    cdef Node** _level
    cdef Node** _next_level
    cdef Node** _hits
    cdef Py_ssize_t _level_room
    cdef Py_ssize_t _hits_room

    cdef int match(self, const char* subject, Py_ssize_t size, Match** found) except -1
    cdef void leave(self, Match* match) noexcept

    cdef int _hold(self, Node* node, Interest entry) except -1
    cdef void _invalidate(self, bytes subject) noexcept
    cdef uint32_t _branch_of(self, const char* subject, Py_ssize_t size) noexcept
    cdef bint _is_fresh(self, Match* match) noexcept
    cdef int _look_up(self, const char* subject, Py_ssize_t size, uint64_t h, Match** found) except -1
    cdef bint _may_match(self, const char* subject, Py_ssize_t size) noexcept
    cdef Py_ssize_t _walk(self, const char* at, Py_ssize_t size) except -1
    cdef int _make_room(self, Py_ssize_t level, Py_ssize_t hits) except -1
    cdef Match* _collect(self, Py_ssize_t n_hits) except NULL
    cdef int _merge_groups(self, Py_ssize_t n_hits, Match* match) except -1
    cdef bint _is_far(self, Match* match) noexcept
    cdef void _free_tree(self) noexcept
    cdef uint64_t _edge_hash(self, Node* parent, const char* token, Py_ssize_t size) noexcept
    cdef Node* _find_edge(self, Node* parent, const char* token, Py_ssize_t size) noexcept
    cdef int _add_edge(self, Node* child) except -1
    cdef void _remove_edge(self, Node* child) noexcept
    cdef Node* _make_child(self, Node* parent, const char* token, Py_ssize_t size) except NULL
    cdef Node* _make_path(self, bytes subject) except NULL
    cdef void _prune(self, Node* node) noexcept
