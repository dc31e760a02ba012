"""What is wrong with a cluster follows from what its servers say of each other."""

from __future__ import annotations

from dataclasses import replace

from natsctl.ops.cluster.status import ClusterStatus, LostRoute, Member


def member(name: str, *linked: str, skew_s: float | None = 0.0, precision_s: float = 0.001) -> Member:
    """A server whose id is its name in capitals."""
    ids = frozenset(other.upper() for other in linked)
    return Member(f"http://{name}", name.upper(), name, cluster="c", linked=ids, skew_s=skew_s, precision_s=precision_s)


def silent(name: str, *, is_expected: bool) -> Member:
    return Member(f"http://{name}", name.upper(), name, "refuses connections", is_expected=is_expected)


def test_a_full_mesh_has_no_problems() -> None:
    found = ClusterStatus((member("a", "b", "c"), member("b", "a", "c"), member("c", "a", "b")))
    assert (found.n_servers, found.problems) == (3, [])


def test_a_pair_without_a_route_is_named() -> None:
    found = ClusterStatus((member("a", "b"), member("b", "a", "c"), member("c", "b")))
    assert found.problems == ["no route between a and c"]


def test_a_route_that_only_one_end_knows_is_told_by_who_claims_it() -> None:
    found = ClusterStatus((member("a"), member("b", "a")))
    assert found.problems == ["b has a route to a, which has none to it"]


def test_a_server_whose_monitoring_was_not_found_is_there_as_long_as_others_have_routes_to_it() -> None:
    found = ClusterStatus((member("a", "b", "c"), member("b", "a"), silent("c", is_expected=False)))
    assert found.n_servers == 3
    assert found.unseen == [found.members[2]]
    assert found.problems == ["no route between b and c"]


def test_a_server_that_is_gone_is_told_once() -> None:
    found = ClusterStatus((member("a", "b"), member("b", "a"), silent("c", is_expected=True)))
    assert found.n_servers == 2
    assert found.problems == ["c does not answer: refuses connections"]


def test_a_configured_route_to_nobody_is_a_problem() -> None:
    found = ClusterStatus((member("a"),), (LostRoute("10.0.0.2:6222", ("a",)),))
    assert found.problems == ["no server at 10.0.0.2:6222, a configured route of a"]


def test_clocks_are_apart_only_beyond_all_doubt() -> None:
    surely = ClusterStatus((member("a", "b", skew_s=-1.0), member("b", "a", skew_s=2.0, precision_s=0.499)))
    assert surely.clock_spread_s == 2.5
    assert surely.problems == ["the clock of b is 2.5 s ahead of that of a"]
    perhaps = ClusterStatus(
        (member("a", "b", skew_s=0.0, precision_s=1.0), member("b", "a", skew_s=2.0, precision_s=1.5))
    )
    assert (perhaps.clock_spread_s, perhaps.problems) == (0.0, [])


def test_a_clock_that_makes_no_sense_is_left_out() -> None:
    found = ClusterStatus((member("a", "b", skew_s=None), member("b", "a", skew_s=9.0)))
    assert found.clock_spread_s == 0.0


def test_names_that_are_shared_and_clusters_that_differ_are_problems() -> None:
    twins = member("a", "b"), replace(member("b", "a"), name="a", cluster="d")
    assert ClusterStatus(twins).problems == ['2 servers are named "a"', "clusters of different names: c, d"]
