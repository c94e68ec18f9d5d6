"""What the configuration file may say of a topic, and that faults are told with their lines."""

import subprocess
import sys
from pathlib import Path

import pytest

from racoon_exporter.config.file import read_config
from racoon_exporter.source.kafka.records import ENVELOPES
from racoon_exporter.source.kafka.settings import KafkaOptions

MINIMAL = "  bootstrap: kafka-1:9092,[2001:db8::1]:9092\n  topic: racoon\n"


def read(text: str, directory: Path) -> tuple[KafkaOptions, list[str]]:
    body = "".join(f"    {line}\n" for line in text.splitlines())
    config, problems = read_config(f"sources:\n  - kafka:\n{body}", directory)
    (source,) = config.sources
    assert isinstance(source.options, KafkaOptions)
    return source.options, list(map(str, problems))


def test_a_topic_and_where_it_is_are_enough(tmp_path: Path) -> None:
    options, problems = read(MINIMAL, tmp_path)
    assert not problems
    assert options.topics == ("racoon",)
    assert (options.group, options.checkpoints, options.naming, options.keys) == (
        "racoon-exporter",
        "racoon-exporter-checkpoints",
        "key",
        None,
    )
    assert options.client()["security.protocol"] == "PLAINTEXT"


def test_all_that_may_be_said_is_taken(tmp_path: Path) -> None:
    for name in ("ca.pem", "us.pem", "us.key"):
        (tmp_path / name).touch()
    (tmp_path / "password").write_text("s3cret\n")
    options, problems = read(
        """\
  bootstrap: kafka:9093
  topics: [a, b]
  group: g
  gateway: host
  envelope: vector
  fields: {host: site}
  checkpoints: file
  checkpoint_replicas: 3
  session_timeout: 20
  tls: {ca: ca.pem, certificate: us.pem, key: us.key, verify_name: false}
  sasl: {mechanism: SCRAM-SHA-512, username: exporter, password_file: password}
""",
        tmp_path,
    )
    assert not problems
    assert options.name == "kafka:a,b"
    vector = ENVELOPES["vector"]
    assert vector is not None
    assert options.keys == vector._replace(hosts=("site",))
    told = options.client()
    assert told["security.protocol"] == "SASL_SSL"
    assert told["sasl.password"] == "s3cret"
    assert told["ssl.endpoint.identification.algorithm"] == "none"
    assert "s3cret" not in repr(options)


@pytest.mark.parametrize("changed", [None, "password", "ca.pem", "us.key"])
def test_a_reload_takes_up_files_that_hold_something_else_under_the_same_name(changed: str | None, tmp_path: Path) -> None:
    for name in ("password", "ca.pem", "us.pem", "us.key"):
        (tmp_path / name).write_text("s3cret")
    text = (
        f"{MINIMAL}  tls: {{ca: ca.pem, certificate: us.pem, key: us.key}}\n  sasl: {{username: us, password_file: password}}\n"
    )
    before, _ = read(text, tmp_path)
    if changed is not None:
        (tmp_path / changed).write_text("another")
    after, _ = read(text, tmp_path)
    assert (after == before) is (changed is None)
    assert str(before.proofs) not in repr(before)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("  topic: racoon\n", "line 2: bootstrap is missing"),
        ("  bootstrap: kafka\n  topic: racoon\n", "line 3: 'kafka' is no HOST:PORT"),
        ("  bootstrap: kafka:²\n  topic: racoon\n", "line 3: 'kafka:²' is no HOST:PORT"),
        ("  bootstrap: k:1\n", "name either a topic or topics"),
        ("  bootstrap: k:1\n  topic: a\n  topics: [b]\n", "line 4: name either a topic or topics"),
        ("  bootstrap: k:1\n  topics:\n    - a\n    - 'b c'\n", "line 6: 'b c' is no name of a topic"),
        (f"{MINIMAL}  checkpoints: racoon\n", "line 5: checkpoints need a topic of their own: racoon holds lines"),
        (f"{MINIMAL}  checkpoints: a b\n", "line 5: 'a b' is no name of a topic for checkpoints"),
        (f"{MINIMAL}  group: eu/racoon\n", "'eu/racoon-checkpoints' is no name of a topic for checkpoints"),
        ("  bootstrap: k:1\n  topic: münchen\n", "line 4: 'münchen' is no name of a topic"),
        (f"{MINIMAL}  topics_: x\n", "line 5: kafka: unknown key 'topics_', did you mean topics?"),
        (f"{MINIMAL}  gateway: name\n", "line 5: gateway must be one of key, host, line"),
        (f"{MINIMAL}  envelope: beats\n", "line 5: envelope must be one of plain, json, vector, fluent-bit, rsyslog, filebeat"),
        (f"{MINIMAL}  envelope: plain\n  fields: {{host: h}}\n", "line 6: a plain record has no fields"),
        (f"{MINIMAL}  session_timeout: 0\n", "line 5: session_timeout must be from 1 to 3600"),
        (f"{MINIMAL}  tls: {{certificate: {__file__}}}\n", "line 5: a certificate needs its key, and a key its certificate"),
        (f"{MINIMAL}  tls: {{ca: nowhere.pem}}\n", "line 5: ca: there is no file"),
        (f"{MINIMAL}  sasl: {{username: me}}\n", "line 5: password_file is missing"),
        (
            f"{MINIMAL}  sasl: {{mechanism: GSSAPI, username: me, password_file: {__file__}}}\n",
            "line 5: mechanism must be one of PLAIN",
        ),
        (
            f"{MINIMAL}  sasl: {{username: me, password: s3cret}}\n",
            "line 5: sasl: unknown key 'password', did you mean password_file?",
        ),
    ],
)
def test_a_fault_is_told_with_its_line(text: str, problem: str, tmp_path: Path) -> None:
    _, problems = read(text, tmp_path)
    assert any(problem in each for each in problems), problems
    assert "s3cret" not in str(problems)


def test_a_gateway_beside_a_topic_is_refused(tmp_path: Path) -> None:
    text = f"sources:\n  - kafka:\n{MINIMAL.replace('  ', '      ')}    gateway: berlin\n"
    _, problems = read_config(text, tmp_path)
    assert [str(problem) for problem in problems] == [
        "line 5: the records of a topic name their gateways: say in kafka how (gateway: key, host or line)"
    ]


def test_without_the_extra_one_line_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "config.yml").write_text("sources:\n  - kafka: {bootstrap: 'localhost:1', topic: racoon}\n")
    program = "import sys; sys.modules['confluent_kafka'] = None; from racoon_exporter.cli import run; run()"
    serve = [
        sys.executable,
        "-c",
        program,
        "serve",
        "--config.file",
        str(tmp_path / "config.yml"),
        "--web.listen-address=127.0.0.1:0",
    ]
    ended = subprocess.run(serve, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert "kafka:racoon needs confluent-kafka: pip install 'racoon-exporter[kafka]'" in ended.stderr
    assert "Traceback" not in ended.stderr
    checked = [sys.executable, "-c", program, "check-config", str(tmp_path / "config.yml")]
    assert subprocess.run(checked, capture_output=True, timeout=60, check=False).returncode == 0
