"""The client protocol in C: reading a whole publish, and small pieces of bytes.

Source: nats-server ``client.go`` (processPub, processHeaderPub), ``util.go`` (parseSize).
"""

from cpython.ref cimport PyObject
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memchr, memcmp, memcpy

cdef enum:
    MAX_SIZE_DIGITS = 9

cdef enum Line:
    LINE_IS_PUBLISH  # a whole and faultless PUB or HPUB line
    LINE_IS_CUT      # the faultless beginning of one
    LINE_IS_OTHER

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
    const char* tail      # "[reply ][header size ]size\r\n" if it stands there just as receivers get it, or NULL
    Py_ssize_t tail_size
    bint tail_is_joined   # the body follows the tail in memory
    const char* body      # size + 2 bytes
    PyObject* chunk       # the Chunk that is the body, or NULL


cdef inline uint64_t load8(const char* data) noexcept nogil:
    cdef uint64_t word
    memcpy(&word, data, 8)
    return word


cdef inline uint64_t load4(const char* data) noexcept nogil:
    cdef uint32_t word
    memcpy(&word, data, 4)
    return word


cdef inline uint64_t hash_bytes(const char* data, Py_ssize_t size, uint64_t seed) noexcept nogil:
    """Hash eight bytes at a time; the last step reads some bytes once more instead of counting what is left."""
    cdef uint64_t h = seed ^ (<uint64_t>size * 0x9E3779B97F4A7C15ULL)
    cdef const char* end = data + size
    cdef uint64_t word
    while end - data > 8:
        h = (h ^ load8(data)) * 0xFF51AFD7ED558CCDULL
        h ^= h >> 32
        data += 8
    if size >= 8:
        word = load8(end - 8)
    elif size >= 4:
        word = load4(data) | (load4(end - 4) << 32)
    elif size > 0:
        word = (<uint64_t><unsigned char>data[0]) | (<uint64_t><unsigned char>data[size >> 1] << 8) \
            | (<uint64_t><unsigned char>end[-1] << 16)
    else:
        word = 0
    h = (h ^ word) * 0xC4CEB9FE1A85EC53ULL
    h ^= h >> 29
    h *= 0x9E3779B97F4A7C15ULL
    return h ^ (h >> 32)


cdef inline bint same_bytes(const char* a, const char* b, Py_ssize_t size) noexcept nogil:
    """Compare short words without a call."""
    if size > 16:
        return memcmp(a, b, size) == 0
    if size >= 8:
        return load8(a) == load8(b) and load8(a + size - 8) == load8(b + size - 8)
    if size >= 4:
        return load4(a) == load4(b) and load4(a + size - 4) == load4(b + size - 4)
    if size > 0:
        return a[0] == b[0] and a[size >> 1] == b[size >> 1] and a[size - 1] == b[size - 1]
    return True


cdef inline char* put(char* at, const char* data, Py_ssize_t size) noexcept nogil:
    memcpy(at, data, size)
    return at + size


cdef inline char* put_word(char* at, const char* data, Py_ssize_t size) noexcept nogil:
    memcpy(at, data, size)
    at[size] = c" "
    return at + size + 1


cdef inline Py_ssize_t write_number(char* digits, Py_ssize_t number) noexcept nogil:
    """Write a number in decimal into up to 24 bytes; returns how many it took."""
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


cdef inline Py_ssize_t read_number(const char* text, Py_ssize_t size) noexcept nogil:
    """Read up to nine digits; -1 for anything else."""
    cdef Py_ssize_t number = 0, i
    if size > MAX_SIZE_DIGITS:
        return -1
    for i in range(size):
        if text[i] < c"0" or text[i] > c"9":
            return -1
        number = number * 10 + (text[i] - c"0")
    return number


cdef inline bint starts(const char* data, Py_ssize_t size, const char* prefix, Py_ssize_t prefix_size) noexcept nogil:
    return size >= prefix_size and memcmp(data, prefix, prefix_size) == 0


cdef inline bint is_special(const char* subject) noexcept nogil:
    """Whether a subject begins as those of the system do; the others need no closer look."""
    return subject[0] == c"$" or subject[0] == c"_"


cdef inline bint is_reserved_subject(const char* data, Py_ssize_t size) noexcept nogil:
    return (starts(data, size, b"_GR_.", 5) and size > 5) or (starts(data, size, b"$GR.", 4) and size > 4) \
        or starts(data, size, b"$NRG.", 5)


cdef inline bint is_reserved_reply(const char* data, Py_ssize_t size) noexcept nogil:
    return starts(data, size, b"_R_.", 4) or starts(data, size, b"_GR_.", 5) or starts(data, size, b"$GR.", 4) \
        or (starts(data, size, b"$JS.ACK.", 8) and size > 8)


cdef inline bint begins_pub(const char* at, Py_ssize_t size) noexcept nogil:
    return (size < 1 or (at[0] | 32) == c"p") and (size < 2 or (at[1] | 32) == c"u") \
        and (size < 3 or (at[2] | 32) == c"b")


cdef inline const char* end_of_word(const char* at, const char* end) noexcept nogil:
    while at < end:
        # Nearly every byte of a word is above the blank; the other control characters are part of it, too.
        if <unsigned char>at[0] <= c" " and (at[0] == c" " or at[0] == c"\t" or at[0] == c"\r" or at[0] == c"\n"):
            return at
        at += 1
    return end


cdef inline Line read_line(const char** cursor, const char* end, Py_ssize_t max_line, Publish* publish) noexcept nogil:
    """Read the control line of a PUB or HPUB; moves the cursor behind it only when it is whole and faultless."""
    cdef const char* at = cursor[0]
    cdef const char* start = at
    cdef const char* words[5]
    cdef Py_ssize_t sizes[5]
    cdef int n = 0, wanted = 2
    cdef bint canonical = True
    if at == end:
        return LINE_IS_OTHER
    if (at[0] | 32) == c"h":
        at += 1
        wanted = 3
    if end - at < 4:
        return LINE_IS_CUT if begins_pub(at, end - at) else LINE_IS_OTHER
    if not begins_pub(at, 3) or (at[3] != c" " and at[3] != c"\t"):
        return LINE_IS_OTHER
    at += 4
    while True:
        if n and at < end and at[0] == c" ":  # one blank between two words, as clients write
            at += 1
        while at < end and (at[0] == c" " or at[0] == c"\t"):
            canonical = canonical and n == 0
            at += 1
        if at >= end:
            return LINE_IS_CUT if at - start <= max_line else LINE_IS_OTHER
        if at[0] == c"\n" or at[0] == c"\r":
            break
        if n == 4:
            return LINE_IS_OTHER
        words[n] = at
        at = end_of_word(at, end)
        sizes[n] = at - words[n]
        n += 1
    if n < wanted or n > wanted + 1:
        return LINE_IS_OTHER
    canonical = canonical and at == words[n - 1] + sizes[n - 1] and at[0] == c"\r"
    if at[0] == c"\r":
        at += 1
    if at >= end:
        return LINE_IS_CUT if at - start <= max_line else LINE_IS_OTHER
    if at[0] != c"\n":
        return LINE_IS_OTHER
    at += 1
    if at - start > max_line:
        return LINE_IS_OTHER
    publish.subject, publish.subject_size = words[0], sizes[0]
    publish.reply, publish.reply_size = words[1], sizes[1] if n > wanted else 0
    publish.size_text, publish.size_text_size = words[n - 1], sizes[n - 1]
    publish.size = read_number(words[n - 1], sizes[n - 1])
    publish.header_text, publish.header_text_size, publish.header_size = words[n - 2], 0, 0
    if wanted == 3:
        publish.header_text_size = sizes[n - 2]
        publish.header_size = read_number(words[n - 2], sizes[n - 2])
    if publish.size < 0 or publish.header_size < 0 or publish.header_size > publish.size:
        return LINE_IS_OTHER
    publish.tail = words[1] if canonical else NULL
    publish.tail_size = at - words[1]
    publish.tail_is_joined = True
    publish.body = at
    publish.chunk = NULL
    cursor[0] = at
    return LINE_IS_PUBLISH


# ---- what servers send each other

cdef struct Routed:
    const char* account
    Py_ssize_t account_size  # 0 on a leafnode
    const char* queues       # "q1 q2" of the groups that are to be served
    Py_ssize_t queues_size


cdef inline const char* last_blank(const char* begin, const char* end) noexcept nogil:
    """The last blank before ``end``; NULL when there is none."""
    while end > begin:
        end -= 1
        if end[0] == c" ":
            return end
    return NULL


cdef inline Line read_routed_line(
    const char** cursor, const char* end, Py_ssize_t max_line, bint names_account, Routed* routed, Publish* publish
) noexcept nogil:
    """Read the line of an RMSG, LMSG or HMSG as servers write it; moves the cursor behind it when it is one."""
    cdef const char* at = cursor[0]
    cdef const char* stop
    cdef const char* blank
    cdef const char* sizes
    cdef bint has_header
    if end - at < 5 or at[1] != c"M" or at[2] != c"S" or at[3] != c"G" or at[4] != c" ":
        return LINE_IS_OTHER
    has_header = at[0] == c"H"
    if not has_header and at[0] != (c"R" if names_account else c"L"):
        return LINE_IS_OTHER
    stop = <const char*>memchr(at, c"\n", min(end - at, max_line))
    if stop == NULL or stop[-1] != c"\r":
        return LINE_IS_OTHER
    publish.body = stop + 1
    publish.tail_is_joined = True
    publish.chunk = NULL
    stop -= 1
    at += 5
    routed.account, routed.account_size = at, 0
    if names_account:
        blank = <const char*>memchr(at, c" ", stop - at)
        if blank == NULL:
            return LINE_IS_OTHER
        routed.account_size = blank - at
        at = blank + 1
    blank = <const char*>memchr(at, c" ", stop - at)
    if blank == NULL or blank == at:
        return LINE_IS_OTHER
    publish.subject, publish.subject_size = at, blank - at
    at = blank + 1
    sizes = last_blank(at, stop)
    publish.size_text = at if sizes == NULL else sizes + 1
    publish.size_text_size = stop - publish.size_text
    publish.size = read_number(publish.size_text, publish.size_text_size)
    publish.header_text, publish.header_text_size, publish.header_size = at, 0, 0
    if has_header:
        if sizes == NULL:
            return LINE_IS_OTHER
        blank = last_blank(at, sizes)
        publish.header_text = at if blank == NULL else blank + 1
        publish.header_text_size = sizes - publish.header_text
        publish.header_size = read_number(publish.header_text, publish.header_text_size)
        sizes = blank
    if (publish.size < 0 or publish.size_text_size == 0 or publish.header_size < 0
            or publish.header_size > publish.size or (has_header and publish.header_text_size == 0)):
        return LINE_IS_OTHER
    # From here to ``sizes`` stand the reply and the queue groups; from ``tail`` on it goes to receivers as it came.
    publish.tail = at
    publish.reply, publish.reply_size = at, 0
    routed.queues, routed.queues_size = at, 0
    if sizes != NULL:
        if sizes - at > 1 and at[0] == c"|" and at[1] == c" ":
            routed.queues, routed.queues_size = at + 2, sizes - at - 2
            publish.tail = sizes + 1
        elif sizes - at > 1 and at[0] == c"+" and at[1] == c" ":
            at += 2
            blank = <const char*>memchr(at, c" ", sizes - at)
            if blank == NULL or blank == at:
                return LINE_IS_OTHER
            publish.reply, publish.reply_size = at, blank - at
            routed.queues, routed.queues_size = blank + 1, sizes - blank - 1
            publish.tail = NULL
        elif sizes == at or (sizes - at == 1 and (at[0] == c"|" or at[0] == c"+")) or memchr(at, c" ", sizes - at) != NULL:
            return LINE_IS_OTHER
        else:
            publish.reply, publish.reply_size = at, sizes - at
    publish.tail_size = publish.body - publish.tail if publish.tail != NULL else 0
    cursor[0] = publish.body
    return LINE_IS_PUBLISH


cdef inline bint is_named(const char* names, Py_ssize_t size, const char* word, Py_ssize_t word_size) noexcept nogil:
    """Whether a word is among those that blanks part."""
    cdef const char* end = names + size
    cdef const char* blank
    while names < end:
        blank = <const char*>memchr(names, c" ", end - names)
        if blank == NULL:
            blank = end
        if blank - names == word_size and memcmp(names, word, word_size) == 0:
            return True
        names = blank + 1
    return False
