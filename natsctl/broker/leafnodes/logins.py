"""Who may connect as a leafnode, and to which account that binds.

Source: nats-server ``auth.go`` (isLeafNodeAuthorized, registerLeafWithAccount).
"""

from __future__ import annotations

from dataclasses import replace

from natsctl.broker.auth import GLOBAL_ACCOUNT, Authenticator, Login
from natsctl.config import Options
from natsctl.config.options import AccountLimits, AccountOptions, AuthorizationOptions, LeafOptions, LeafUser, User

__all__ = ["LEAFNODE", "leaf_authenticator", "open_login"]

LEAFNODE = "LEAFNODE"
"""How users are told that they may connect as leafnodes."""


def leaf_authenticator(options: Options) -> Authenticator:
    """Make the logins of the port for leafnodes: its own where there are some, or else those of clients."""
    users = _own_users(options.leafnodes)
    if not users:
        return Authenticator(replace(options, tls=options.leafnodes.tls), LEAFNODE)
    by_account: dict[str, list[User]] = {}
    for user, account in users:
        by_account.setdefault(account or GLOBAL_ACCOUNT, []).append(user)
    accounts = [AccountOptions(name, each, _limits(options, name)) for name, each in by_account.items()]
    tls = options.leafnodes.tls
    own = replace(options, authorization=AuthorizationOptions(), accounts=accounts, no_auth_user="", tls=tls)
    return Authenticator(own, LEAFNODE)


def open_login(options: Options) -> Login:
    """What everybody is who need not log in."""
    account = options.leafnodes.account or GLOBAL_ACCOUNT
    return Login(account=account, limits=_limits(options, account))


def _own_users(options: LeafOptions) -> list[tuple[User, str]]:
    if options.user:
        return [(User(options.user, options.password), options.account)]
    if options.nkey:
        return [(User(nkey=options.nkey), options.account)]
    return [(_as_user(each), each.account) for each in options.users]


def _as_user(user: LeafUser) -> User:
    return User(user.user, user.password)


def _limits(options: Options, name: str) -> AccountLimits:
    return next((account.limits for account in options.accounts if account.name == name), AccountLimits())
