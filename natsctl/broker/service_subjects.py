"""The subjects on which the broker answers in every account.

Source: nats-server ``events.go`` (accPingReqSubj, userDirectReqSubj).
"""

__all__ = ["PAGES", "USER_INFO"]

USER_INFO = b"$SYS.REQ.USER.INFO"
"""Where a client asks who it is."""
PAGES = {
    b"$SYS.REQ.ACCOUNT.PING.CONNZ": "CONNZ",
    b"$SYS.REQ.ACCOUNT.PING.STATZ": "STATZ",
    b"$SYS.REQ.SERVER.PING.CONNZ": "CONNZ",
}
"""Where an account asks for a page about itself."""
