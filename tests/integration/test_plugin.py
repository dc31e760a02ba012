"""The pytest plugin in projects of other people: what their tests see, and what they never notice."""

from __future__ import annotations

import pytest

pytest_plugins = "pytester"

SAY = """
import socket

def info(server):
    with socket.create_connection((server.host, server.port), timeout=5) as sock:
        return sock.makefile("rb").readline()
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project that takes every warning, and every unknown marker, for an error."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.delenv("NATSCTL_REQUIRE_PEERS", raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # the plugins of our own tests take a second to load
    pytester.makeini("[pytest]\nfilterwarnings = error\n")
    pytester.makepyfile(say=SAY)
    return pytester


def run(project: pytest.Pytester, *args: str) -> pytest.RunResult:
    return project.runpytest_subprocess("--strict-markers", "-p", "natsctl.testing", *args, timeout=60)


def test_a_test_gets_a_broker_of_its_own(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        from say import info
        seen = set()

        def test_one(nats_server):
            assert info(nats_server).startswith(b"INFO ")
            seen.add(nats_server.broker.identity.server_id)

        def test_two(nats_server):
            assert nats_server.url == f"nats://127.0.0.1:{nats_server.port}"
            seen.add(nats_server.broker.identity.server_id)
            assert len(seen) == 2

        def test_nothing_is_left():
            import threading
            assert threading.active_count() == 1
        """
    )
    run(project).assert_outcomes(passed=3)


def test_markers_add_up_and_the_nearest_one_wins(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import pytest
        pytestmark = pytest.mark.nats_server(max_payload=1000, server_name="module")

        @pytest.mark.nats_server(server_name="class")
        class TestMarked:
            @pytest.mark.nats_server(max_payload=2000, config_text="max_connections: 3")
            def test_all(self, nats_server):
                options = nats_server.options
                assert (options.max_payload, options.server_name, options.max_connections) == (2000, "class", 3)

        def test_module(nats_server):
            assert (nats_server.options.max_payload, nats_server.options.server_name) == (1000, "module")
        """
    )
    run(project).assert_outcomes(passed=2)


def test_a_fixture_of_the_project_holds_the_options_of_every_broker(project: pytest.Pytester) -> None:
    project.makefile(".conf", nats="authorization { token: sesame }\nmax_payload: 100")
    project.makeconftest(
        """
        from pathlib import Path
        import pytest

        @pytest.fixture(scope="session")
        def nats_server_options():
            return {"config": Path(__file__).with_name("nats.conf"), "server_name": "conftest"}
        """
    )
    project.makepyfile(
        """
        import pytest
        from say import info

        @pytest.mark.nats_server(max_payload=200)
        def test_options(nats_server, nats_server_session, nats_server_factory):
            servers = nats_server, nats_server_session, nats_server_factory(server_name="made")
            assert [server.options.max_payload for server in servers] == [200, 100, 100]
            assert [server.options.server_name for server in servers] == ["conftest", "conftest", "made"]
            assert all(b'"auth_required":true' in info(server) for server in servers)
        """
    )
    run(project).assert_outcomes(passed=1)


def test_the_session_has_one_broker(project: pytest.Pytester) -> None:
    for name in ("one", "two"):
        project.makepyfile(
            **{
                f"test_{name}": """
                import sys

                def test_same(nats_server_session):
                    before = sys.modules.setdefault("seen", nats_server_session)
                    assert before is nats_server_session
                """
            }
        )
    run(project).assert_outcomes(passed=2)


def test_a_test_may_have_several_brokers_and_stop_them(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import pytest
        from say import info

        def test_fleet(nats_server_factory):
            fleet = [nats_server_factory(server_name=name) for name in ("one", "two")]
            assert len({server.port for server in fleet}) == 2
            fleet[0].stop()
            with pytest.raises(ConnectionRefusedError):
                info(fleet[0])
            assert b'"two"' in info(fleet[1])
            fleet[0].start()
            assert b'"one"' in info(fleet[0])
        """
    )
    run(project).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("marker", "line"),
    [
        ("max_paylod=1", "the NATS broker of this test cannot start: no such option: max_paylod"),
        ("config='nowhere.conf'", "the NATS broker of this test cannot start: nowhere.conf: no such file or directory"),
        ("host='192.0.2.1'", "the NATS broker of this test cannot start: Error listening on port: 192.0.2.1:*"),
        ("1024", "the marker nats_server takes options by name, not 1024"),
    ],
)
def test_a_broker_that_cannot_start_is_one_clear_line(project: pytest.Pytester, marker: str, line: str) -> None:
    project.makepyfile(
        f"""
        import pytest

        @pytest.mark.nats_server({marker})
        def test_it(nats_server):
            pass
        """
    )
    result = run(project)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([line])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_broker_that_fails_is_an_error_of_the_test(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        def test_it(nats_server):
            nats_server._loop.call_soon_threadsafe(lambda: 1 / 0)
        """
    )
    result = run(project)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*the broker failed while it ran: ZeroDivisionError*"])


def test_the_log_of_the_broker_is_shown_with_a_test_that_failed(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        def test_it(nats_server):
            assert not nats_server
        """
    )
    result = run(project, "--log-level=INFO")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*natsctl.broker*Server is ready"])


@pytest.mark.parametrize("mode", ["auto", "strict"])
def test_coroutines_get_it_in_every_mode_of_pytest_asyncio(project: pytest.Pytester, mode: str) -> None:
    project.makepyfile(
        """
        import nats
        import pytest

        @pytest.mark.asyncio
        async def test_own(nats_server):
            await greet(nats_server)

        @pytest.mark.asyncio(loop_scope="module")
        async def test_shared(nats_server_session):
            await greet(nats_server_session)

        async def greet(server):
            client = await nats.connect(server.url)
            inbox = await client.subscribe("greetings")
            await client.publish("greetings", b"hello")
            assert (await inbox.next_msg()).data == b"hello"
            await client.close()
        """
    )
    options = (f"--asyncio-mode={mode}", "-o", "asyncio_default_fixture_loop_scope=function")
    run(project, "-p", "pytest_asyncio.plugin", *options).assert_outcomes(passed=2)


def test_workers_of_xdist_have_brokers_of_their_own(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import pytest
        from say import info

        @pytest.mark.parametrize("number", range(6))
        def test_it(nats_server, nats_server_session, number):
            assert info(nats_server) != info(nats_server_session)
        """
    )
    run(project, "-p", "xdist.plugin", "-n", "2").assert_outcomes(passed=6)


def test_a_project_that_needs_no_broker_pays_nothing_for_it(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import sys

        def test_it():
            ours = {name for name in sys.modules if name.partition(".")[0] == "natsctl"}
            assert ours == {"natsctl", "natsctl.testing", "natsctl.testing.plugin"}
            assert not {"asyncio", "msgspec", "uvloop", "nats", "rich", "typer"} & set(sys.modules)
        """
    )
    run(project).assert_outcomes(passed=1)


@pytest.mark.parametrize(("option", "outcome"), [((), "passed"), (("-p", "no:natsctl"), "errors")])
def test_pytest_finds_the_plugin_by_itself_unless_it_is_switched_off(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, option: tuple[str, ...], outcome: str
) -> None:
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    project.makepyfile("def test_it(nats_server): pass")
    quiet = ("-o", "asyncio_default_fixture_loop_scope=function")
    assert project.runpytest_subprocess(*quiet, *option, timeout=60).parseoutcomes()[outcome] == 1


def test_the_marker_and_the_fixtures_describe_themselves(project: pytest.Pytester) -> None:
    shown = run(project, "--markers").stdout.str()
    assert "@pytest.mark.nats_server(**options): what the broker of nats_server is told" in shown
    shown = run(project, "--fixtures").stdout.str()
    for name in ("nats_server", "nats_server_factory", "nats_server_options", "nats_server_session"):
        assert f"\n{name}" in shown
