"""All subscriptions, and who receives a message on a subject."""

from __future__ import annotations

import time
from collections.abc import Hashable, Sequence
from typing import ClassVar

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from natsctl.monitoring.figures import format_count
from natsctl.monitoring.snapshot import Query, Snapshot
from natsctl.tui.board import Board
from natsctl.tui.formats import rate
from natsctl.tui.screens.connection import ConnectionScreen
from natsctl.tui.screens.listing import ListScreen
from natsctl.tui.views.client import plural
from natsctl.tui.views.subscriptions import Receivers, Subscription, receivers, subject_problem, subscriptions
from natsctl.tui.widgets.prompt import Prompt
from natsctl.tui.widgets.table import Column, LineTable

__all__ = ["SubjectsScreen"]


class SubjectsScreen(ListScreen[Subscription]):
    """Lists subscriptions; with a subject only those that a message on it would reach.

    Args:
        board: What is known.
        subject: The subject to begin with, "" for all subscriptions.
    """

    BINDING_GROUP_TITLE = "Subscriptions"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "who", "Who receives", id="subjects.who", tooltip="Ask who receives a message on a subject"),
    ]
    DEFAULT_CSS = """
    SubjectsScreen #verdict { height: auto; max-height: 3; padding: 0 1; display: none; }
    SubjectsScreen #verdict.-asked { display: block; }
    SubjectsScreen #verdict.-reached { color: $text-success; }
    SubjectsScreen #verdict.-nobody { color: $text-warning; text-style: bold; }
    """

    def __init__(self, board: Board, subject: str = "") -> None:
        super().__init__(board)
        self._subject = subject
        self._asked_mono = time.monotonic()
        self._answers: dict[str, Snapshot] = {}

    def query_for(self, server: str) -> Query:
        """Ask for all subscriptions in detail, and for those that the subject reaches."""
        return msgspec.structs.replace(super().query_for(server), subs="detail", subsz=True, test=self._subject or None)

    def compose_body(self) -> ComposeResult:
        """Put the verdict above the table."""
        yield Static(id="verdict", markup=False)
        yield from super().compose_body()

    def columns(self) -> Sequence[Column[Subscription]]:
        """What is subscribed to, by whom, and how busy it is."""
        raw = self.board.settings.raw
        return [
            *self.server_columns(),
            Column("subject", "SUBJECT", lambda row: row.subject, max_width=48, look=lambda row: "accent"),
            Column("queue", "QUEUE", lambda row: row.queue),
            Column("client", "CLIENT", lambda row: row.client),
            Column("cid", "CID", lambda row: str(row.cid), lambda row: row.cid, is_right=True),
            Column("sid", "SID", lambda row: row.sid, is_right=True),
            Column("msgs", "MSGS", lambda row: format_count(row.msgs, raw=raw), lambda row: row.msgs, True, True),
            Column(
                "rate", "MSGS/S", lambda row: rate(row.msgs_per_s, raw=raw), lambda row: row.msgs_per_s or 0, True, True
            ),
            Column("max", "MAX", lambda row: str(row.max or ""), lambda row: row.max, True, True),
            Column("account", "ACCOUNT", lambda row: row.account),
        ]

    def rows(self) -> Sequence[Subscription]:
        """The subscriptions, or the receivers; these with plain ones before queue groups."""
        if not self._subject:
            return subscriptions(*self.board.snapshots)
        found = self._receivers()
        return [*found.plain, *(member for group in found.groups for member in group.members)]

    def key(self, row: Subscription) -> Hashable:
        """A subscription is told apart by its connection and sid."""
        return row.key

    def summary(self, rows: Sequence[Subscription]) -> str:
        """How many, and how well the sublists work."""
        if self._subject:
            return f'{plural(len(rows), "subscription")} of "{self._subject}"'
        stats = [snapshot.subsz for snapshot in self.board.snapshots if snapshot.subsz]
        cached = f", {stats[0].cache_hit_rate:.0%} of matches out of the cache" if len(stats) == 1 else ""
        total = sum(answer.num_subscriptions for answer in stats)
        return f"{plural(len(rows), 'subscription')} of clients, {total} with those of the servers{cached}"

    def show(self) -> None:
        """Show the verdict, if a question was asked, and the subscriptions."""
        self._take_answers()
        super().show()
        verdict = self.query_one("#verdict", Static)
        verdict.set_class(bool(self._subject), "-asked")
        if self._subject:
            found = self._receivers()
            is_reached = bool(found.plain or found.groups)
            verdict.update(found.verdict)
            verdict.set_class(is_reached, "-reached")
            verdict.set_class(found.is_answer and not is_reached, "-nobody")

    def _receivers(self) -> Receivers:
        if self.board.source.player:
            return Receivers(self._subject, "a recording cannot be asked who receives a message")
        servers = self.board.servers
        answers = [self._answers[server] for server in servers if server in self._answers]
        return receivers(self._subject, answers, n_silent=len(servers) - len(answers))

    def _take_answers(self) -> None:
        """Keep what was answered to this question; a poll that had begun before answers another one."""
        for snapshot in self.board.snapshots:
            began_mono = snapshot.taken_mono - snapshot.took_s
            if snapshot.subsz and not snapshot.error and began_mono >= self._asked_mono:
                self._answers[snapshot.server] = snapshot

    def action_who(self) -> None:
        """Ask for a subject, and then the servers who receives it."""
        self.query_one(Prompt).ask("who receives:", self._subject, self._ask_who)

    def _ask_who(self, subject: str) -> str:
        problem = subject_problem(subject) if subject else ""
        if not problem:
            self._subject = subject
            self._asked_mono = time.monotonic()
            self._answers = {}
            self.ask()
            self.draw()
        return problem

    def action_back(self) -> None:
        """Go from the receivers to all subscriptions, else back."""
        if self._subject and not self.is_searching:
            self._ask_who("")
        else:
            super().action_back()

    @on(LineTable.Opened)
    def _open_connection(self, event: LineTable.Opened) -> None:
        row: Subscription = event.row
        snapshot = self.board.snapshot(row.url)
        conns = snapshot.connz.connections if snapshot and snapshot.connz else []
        for conn in conns:
            if conn.cid == row.cid:
                self.app.push_screen(ConnectionScreen(self.board, row.url, conn.cid, conn.start))
                return
        self.notify(f"connection {row.cid} is not among the {len(conns)} connections asked for", severity="warning")
