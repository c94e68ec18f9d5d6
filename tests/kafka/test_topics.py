"""The source `kafka` against a real broker: one instance, several, restarts, and what goes wrong."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewPartitions, NewTopic

from racoon_exporter.source.kafka.checkpoints import CheckpointError, FileCheckpoints, LostError, Place
from racoon_exporter.source.kafka.records import ENVELOPES
from racoon_exporter.source.kafka.settings import KafkaOptions, Sasl, Tls
from racoon_exporter.source.kafka.topic_checkpoints import TopicCheckpoints
from tests.exporter.reading import start, up
from tests.kafka.brokers import Cluster, cluster
from tests.kafka.instance import PATIENCE, UP, Gateways, Instance, Make, turn_until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(900)]
FLEET = [f"gw-{number}" for number in range(20)]
COOKIES = "{:016x}:0123456789abcdef"
NUMBERS = count(1)

Keep = Callable[[], TopicCheckpoints]
T = TypeVar("T")


@pytest.fixture
def keep(broker: Cluster, topic: str) -> Iterator[Keep]:
    """Makes those who keep the checkpoints of the topic; all are closed, however the test ends."""
    with ExitStack() as made:
        options = KafkaOptions(broker.bootstrap, (topic,), group=topic, checkpoints=f"{topic}.cp")
        yield lambda: made.enter_context(closing(TopicCheckpoints(options)))


def delete(broker: Cluster, topic: str) -> None:
    admin = broker.admin()
    admin.delete_topics([topic])[topic].result(PATIENCE)


def establish(gateways: Gateways, times: int = 1) -> None:
    for _ in range(times):
        for gateway in FLEET:
            gateways.say(gateway, start(), up(COOKIES.format(next(NUMBERS))))
    gateways.flush()


def after_trouble(work: Callable[[], T]) -> T:
    """Do something with checkpoints, again where brokers are not ready for it or too busy, as those do who hold partitions."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return work()
        except LostError:
            raise
        except CheckpointError:
            assert time.monotonic() < until


def take(checkpoints: TopicCheckpoints, place: Place) -> dict[str, Any] | None:
    return after_trouble(lambda: checkpoints.take(place))


def save(checkpoints: TopicCheckpoints, place: Place, content: dict[str, Any]) -> None:
    after_trouble(lambda: checkpoints.save(place, content))


@pytest.mark.parametrize("checkpoints", ["file", "topic"])
def test_a_line_counts_once_over_a_restart(
    checkpoints: str, broker: Cluster, topic: str, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    kept = {"checkpoints": "file"} if checkpoints == "file" else {}
    gateways = Gateways(broker.bootstrap, topic)
    establish(gateways, 3)
    first = make(**kept)
    first.turn()
    assert first.follower.ready()[0] is False
    first.until(lambda: first.counted() == 60)
    assert first.follower.ready()[0] is True
    assert len(first.held) == 4
    assert sum(status.counts.lines for status in first.follower.statuses()) == 120
    first.close()
    establish(gateways, 2)
    second = make(**kept)
    second.until(lambda: len(second.held) == 4 and not second.follower.partitions.behind)
    assert second.counted() == 100
    assert sum(status.counts.lines for status in second.follower.statuses()) == 200
    second.until(lambda: sum(status.lag_records or 0 for status in second.follower.statuses()) == 0)
    assert "anew" not in caplog.text


def test_lines_that_wait_while_the_exporter_ends_are_read_after_it(topic: str, broker: Cluster, make: Make) -> None:
    gateways = Gateways(broker.bootstrap, topic)
    said = [f"2026-01-15T08:00:00Z gw-1 racoon: {up(COOKIES.format(number))}\n" for number in range(2000)]
    gateways.put("".join(said).encode(), "gw-1", 0)
    gateways.flush()
    first = make()
    first.until(lambda: sum(status.counts.lines for status in first.follower.statuses()) == 2000)
    first.close()  # one block of several was taken
    second = make()
    second.until(lambda: len(second.held) == 4 and not second.follower.partitions.behind)
    assert second.counted() == 2000


def test_instances_share_the_partitions_and_hand_them_over_with_their_state(broker: Cluster, topic: str, make: Make) -> None:
    gateways = Gateways(broker.bootstrap, topic)
    establish(gateways)
    first = make()
    first.until(lambda: first.counted() == 20)
    second = make()
    both = [first, second]
    turn_until(both, lambda: len(first.held) == len(second.held) == 2 and not second.follower.partitions.behind)
    assert not first.held & second.held
    assert first.counted() + second.counted() == 20
    establish(gateways)
    turn_until(both, lambda: first.counted() + second.counted() == 40)
    of_gateways = [{series for series in each.scrape if series.startswith(UP)} for each in both]
    assert not of_gateways[0] & of_gateways[1]
    first.close()
    second.until(lambda: len(second.held) == 4 and not second.follower.partitions.behind)
    assert second.counted() == 40


def test_who_lost_a_partition_cannot_overwrite_what_the_new_one_wrote(topic: str, keep: Keep) -> None:
    place = Place(topic, 1)
    old, new = keep(), keep()
    assert take(old, place) is None
    save(old, place, {"next": 1})
    assert take(new, place) == {"next": 1}
    save(new, place, {"next": 2})
    with pytest.raises(LostError):
        save(old, place, {"next": 99})
    with pytest.raises(LostError):
        save(old, place, {"next": 100})
    assert take(keep(), place) == {"next": 2}


def test_a_partition_that_was_lost_leaves_the_checkpoints_of_others_where_they_are(topic: str, keep: Keep) -> None:
    lost, held = Place(topic, 1), Place(topic, 2)
    ours, other = keep(), keep()
    for place in (lost, held):
        assert take(ours, place) is None
        save(ours, place, {"next": 1})
    take(other, lost)
    with pytest.raises(LostError):
        save(ours, lost, {"next": 2})
    save(ours, held, {"next": 2})
    assert take(other, held) == {"next": 2}


def test_a_large_checkpoint_comes_back_whole_and_a_smaller_one_after_it(topic: str, keep: Keep) -> None:
    writing, reading = keep(), keep()
    large = {"rows": [COOKIES.format(number * 0x9E3779B97F4A7C15 % 2**64) for number in range(200_000)]}
    for place in (Place(topic, 0), Place(topic, 2)):
        take(writing, place)
    for number in range(80):
        save(writing, Place(topic, 0), {"number": number})
    for content in (large, {"small": 1}):
        save(writing, Place(topic, 2), content)
        assert take(reading, Place(topic, 2)) == content
        take(writing, Place(topic, 2))
    assert take(reading, Place(topic, 0)) == {"number": 79}


def test_records_of_others_among_checkpoints_are_no_pieces(broker: Cluster, topic: str, keep: Keep) -> None:
    ours, place = keep(), Place(topic, 0)
    take(ours, place)
    save(ours, place, {"next": 1})
    others, long = Producer({"bootstrap.servers": broker.bootstrap, "log_level": 0}), "9" * 5000
    for number, pieces in ((long, "1"), ("0", long), ("0", "٣"), ("0", "0"), ("1", "1"), ("0", "-1")):
        key = f"{topic}/{topic}/0/{number}"
        others.produce(f"{topic}.cp", b"x", key, partition=0, headers={"checkpoint": b"x", "pieces": pieces.encode()})
    assert others.flush(PATIENCE) == 0
    assert take(keep(), place) == {"next": 1}


def make_checkpoint_topic(broker: Cluster, topic: str, **settings: str) -> None:
    name, admin = f"{topic}.cp", broker.admin()
    made = NewTopic(name, 2, 1, config={key.replace("_", "."): value for key, value in settings.items()})
    admin.create_topics([made])[name].result(PATIENCE)
    broker.wait_for_leaders(name)


def test_checkpoints_fit_a_topic_that_takes_small_records_only(
    broker: Cluster, topic: str, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    make_checkpoint_topic(broker, topic, max_message_bytes="1800", cleanup_policy="compact")
    establish(Gateways(broker.bootstrap, topic), 20)
    first = make(order="partition")
    first.until(lambda: first.counted() == 400 and len(first.held) == 4)
    first.until(lambda: first.follower.partitions.saved_at > 0 and not first.error)
    first.close()
    assert "cut to 1024 bytes" in caplog.text
    assert caplog.text.count("cannot be written: ProduceRequest") < 20  # told once where only the brokers' numbers differ
    second = make(order="partition")
    second.until(lambda: len(second.held) == 4 and not second.follower.partitions.behind)
    assert second.counted() == 400
    assert sum(status.counts.lines for status in second.follower.statuses()) == 800
    assert "its checkpoint is gone" not in caplog.text


@pytest.mark.parametrize(("policy", "told"), [("delete", True), ("compact", False)])
def test_a_topic_for_checkpoints_that_forgets_is_told_of(
    policy: str,
    told: bool,  # noqa: FBT001  a parameter
    broker: Cluster,
    topic: str,
    make: Make,
    caplog: pytest.LogCaptureFixture,
) -> None:
    make_checkpoint_topic(broker, topic, cleanup_policy=policy)
    instance = make(order="partition")
    instance.until(lambda: len(instance.held) == 4)
    assert (f"{topic}.cp has cleanup.policy=delete: brokers will delete checkpoints" in caplog.text) == told


def test_records_that_hold_no_line_stop_nothing_and_are_counted(broker: Cluster, topic: str, make: Make) -> None:
    gateways = Gateways(broker.bootstrap, topic)
    wanted = 0
    for partition in range(4):
        for value in (None, b"\xff\x00junk", b"{}", b'{"message": 1}', b"[" * 60_000, b"x" * 600_000):
            gateways.put(value, "gw-0", partition)
            gateways.put(f'{{"message": "INFO: {"x" * 10}", "host": "gw-0"}}'.encode(), "gw-0", partition)
            wanted += 1
    gateways.flush()
    instance = make(keys=ENVELOPES["vector"])
    instance.until(lambda: sum(status.counts.lines for status in instance.follower.statuses()) == wanted)
    assert instance.counted("racoon_exporter_source_passed_over_records_total") == wanted
    assert instance.counted("racoon_exporter_record_errors_total") == 0
    reasons = {"tombstone", "not_json", "no_text"}
    assert all(f'reason="{reason}"' in str(instance.scrape) for reason in reasons)


def test_a_checkpoint_topic_that_somebody_deletes_is_written_anew_from_what_is_known(
    broker: Cluster, topic: str, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    gateways = Gateways(broker.bootstrap, topic)
    establish(gateways)
    first = make()
    first.until(lambda: first.counted() == 20 and first.follower.partitions.saved_at > 0)
    delete(broker, f"{topic}.cp")
    establish(gateways)
    first.until(lambda: first.counted() == 40)
    first.until(lambda: f"is gone from topic {topic}.cp" in caplog.text)
    first.until(lambda: not first.error)
    first.close()
    second = make()
    second.until(lambda: len(second.held) == 4 and not second.follower.partitions.behind)
    assert second.counted() == 40


def test_without_checkpoints_a_topic_that_was_read_is_read_again_and_that_is_told(
    broker: Cluster, topic: str, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    gateways = Gateways(broker.bootstrap, topic)
    establish(gateways)
    first = make()
    first.until(lambda: first.counted() == 20)
    first.close()
    delete(broker, f"{topic}.cp")
    second = make()
    second.until(lambda: second.counted() == 20)
    assert "its checkpoint is gone: it is read again from what the topic still holds" in caplog.text


@pytest.mark.parametrize("damage", [{"version": 0}, {"next": "x"}, {"counts": []}, {"state": {}}, {"state": []}])
def test_a_partition_whose_checkpoint_cannot_be_used_is_read_anew(
    damage: dict[str, Any], broker: Cluster, topic: str, directory: Path, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    establish(Gateways(broker.bootstrap, topic))
    first = make(checkpoints="file")
    first.until(lambda: first.counted() == 20)
    first.close()
    kept = FileCheckpoints(directory, topic)
    for place in (Place(topic, number) for number in range(4)):
        kept.save(place, (kept.take(place) or {}) | damage)
    second = make(checkpoints="file")
    second.until(lambda: second.counted() == 20)
    assert sum(status.counts.lines for status in second.follower.statuses()) == 40
    assert caplog.text.count("cannot be used") == 4


def test_partitions_that_are_added_are_read_and_told_of(
    broker: Cluster, topic: str, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    gateways = Gateways(broker.bootstrap, topic)
    establish(gateways)
    first = make()
    first.until(lambda: first.counted() == 20)
    first.close()
    admin = broker.admin()
    admin.create_partitions([NewPartitions(topic, 6)])[topic].result(PATIENCE)
    second = make()
    second.until(lambda: len(second.held) == 6)
    establish(Gateways(broker.bootstrap, topic))
    second.until(lambda: second.counted() == 40)
    assert "has 6 partitions and had 4" in caplog.text


def test_partitions_that_are_added_meanwhile_are_taken_up_and_nothing_falls(broker: Cluster, topic: str, make: Make) -> None:
    gateways = Gateways(broker.bootstrap, topic)
    establish(gateways)
    instance = make()
    instance.until(lambda: instance.counted() == 20)
    before = {series: value for series, value in instance.scrape.items() if 'gateway="' in series}
    admin = broker.admin()
    admin.create_partitions([NewPartitions(topic, 9)])[topic].result(PATIENCE)
    instance.until(lambda: len(instance.held) == 9)
    establish(Gateways(broker.bootstrap, topic))
    instance.until(lambda: instance.counted() == 40)
    instance.until(lambda: not instance.follower.partitions.behind)
    after = instance.scrape
    rising = ("_total", "_up{", "_info")
    fallen = {series for series, value in before.items() if any(word in series for word in rising) and after[series] < value}
    assert fallen == set()
    assert instance.counted(f'{UP}{{gateway="gw-0"') == 2


def made_anew(broker: Cluster, topic: str, partitions: int) -> Gateways:
    """Delete a topic and make it again; gives gateways that write into the new one."""
    delete(broker, topic)
    broker.make_topic(topic, partitions)
    return Gateways(broker.bootstrap, topic)


@pytest.mark.parametrize("order", ["partition", "time"])
def test_a_topic_that_is_made_anew_is_read_from_its_beginning_be_it_meanwhile_or_between(
    order: str, broker: Cluster, topic: str, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where it holds more than the one before did: nothing of it stands behind the offsets that were read."""
    establish(Gateways(broker.bootstrap, topic))
    instance = make(order=order)
    instance.until(lambda: instance.counted() == 20)
    establish(made_anew(broker, topic, 4))
    instance.until(lambda: instance.counted() == 40)
    instance.close()
    assert "the topic was made anew" in caplog.text
    establish(made_anew(broker, topic, 4), 3)
    instance = make(order=order)
    instance.until(lambda: instance.counted() == 100)
    instance.until(lambda: not instance.follower.partitions.behind)
    assert sum(status.counts.lines for status in instance.follower.statuses()) == 200


@pytest.mark.parametrize("while_running", [True, False], ids=["meanwhile", "between"])
def test_of_partitions_that_are_gone_all_that_was_counted_goes_on(
    while_running: bool,  # noqa: FBT001  a parameter
    broker: Cluster,
    topic: str,
    make: Make,
) -> None:
    establish(Gateways(broker.bootstrap, topic), 3)
    instance = make(order="partition")
    instance.until(lambda: instance.counted() == 60)
    before = {series: value for series, value in instance.scrape.items() if "_total{gateway=" in series}
    for rounds, partitions in enumerate((2, 4, 1), start=1):
        if not while_running:
            instance.close()
        gateways = made_anew(broker, topic, partitions)
        if not while_running:
            instance = make(order="partition")
        establish(gateways)
        wanted = 60 + 20 * rounds
        instance.until(lambda: len(instance.held) == partitions and instance.counted() == wanted)  # noqa: B023
    instance.until(lambda: not instance.follower.partitions.behind)
    after = instance.scrape
    assert {series for series, value in before.items() if after[series] < value} == set()
    instance.close()
    again = make(order="partition")
    again.until(lambda: len(again.held) == 1 and not again.follower.partitions.behind)
    assert again.counted() == 120


def test_what_another_instance_knows_of_a_partition_that_is_gone_is_waited_for(
    broker: Cluster, topic: str, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """It learns later than others that the topic was made anew, and has written none of its last lines."""
    gateways = Gateways(broker.bootstrap, topic)
    establish(gateways)
    both = [make(order="partition", checkpoint_seconds=3600.0) for _ in range(2)]
    turn_until(both, lambda: len(both[0].held) == len(both[1].held) == 2 and both[0].counted() + both[1].counted() == 20)
    establish(gateways)
    turn_until(both, lambda: both[0].counted() + both[1].counted() == 40)
    (early,) = (each for each in both if f"kafka:{topic}/0" in each.held)
    made_anew(broker, topic, 1)
    early.until(lambda: "the topic was made anew" in caplog.text or bool(early.error))
    turn_until(both, lambda: len(early.held) == 1 and not early.follower.partitions.behind)
    assert early.counted() == 40


def test_a_topic_without_keys_that_is_read_by_partition_is_told_of(
    broker: Cluster, topic: str, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    gateways = Gateways(broker.bootstrap, topic)
    for number in range(40):
        gateways.say("gw-1", up(COOKIES.format(next(NUMBERS))), key=False, partition=number % 4)
    gateways.flush()
    instance = make(order="partition")
    instance.until(lambda: instance.counted() == 40)
    instance.until(lambda: "the lines of gateway gw-1 come through" in caplog.text)
    assert f"records of topic {topic} have no key" in caplog.text


def test_records_that_went_before_they_were_read_are_told_and_counted(
    broker: Cluster, topic: str, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    gateways = Gateways(broker.bootstrap, topic)
    establish(gateways)
    first = make()
    first.until(lambda: first.counted() == 20)
    first.close()
    establish(gateways)
    admin = broker.admin()
    for deleted in admin.delete_records([TopicPartition(topic, number, -1) for number in range(4)]).values():
        deleted.result(PATIENCE)
    second = make()
    second.until(lambda: len(second.held) == 4 and not second.follower.partitions.behind)
    assert second.counted("racoon_exporter_source_dropped_messages_total") == 40
    assert "records are gone that were never read" in caplog.text
    assert second.counted() == 20


def test_brokers_may_come_later_than_the_exporter_and_go_before_it(tmp_path: Path, directory: Path) -> None:
    """Who ends while they are away waits for them once, and not for each partition."""
    late = Cluster(tmp_path / "late")
    with ExitStack() as ending:
        ending.callback(late.stop)
        instance = ending.enter_context(closing(Instance(late.bootstrap, directory, session_seconds=60)))
        instance.until(lambda: "racoon" in instance.error)
        assert instance.scrape['racoon_exporter_source_up{source="kafka:racoon"}'] == 0
        late.start()
        late.make_topic("racoon", 4)
        gateways = Gateways(late.bootstrap)
        establish(gateways)
        instance.until(lambda: instance.counted() == 20)
        instance.until(lambda: instance.scrape['racoon_exporter_source_up{source="kafka:racoon"}'] == 1)
        establish(gateways)
        instance.until(lambda: instance.counted() == 40)
        late.stop()
        before = instance.follower.partitions.failures
        instance.close()
        assert instance.follower.partitions.failures <= before + 1


def test_brokers_that_are_away_are_waited_for_once_however_many_partitions_there_are(tmp_path: Path, directory: Path) -> None:
    """They go when partitions were given and none of them is opened yet; other sources are to be read meanwhile."""
    with cluster(tmp_path / "broker") as running:
        running.make_topic("racoon", 4)
        with closing(Instance(running.bootstrap, directory, order="partition", session_seconds=60)) as instance:
            instance.until(lambda: len(instance.follower.statuses()) > 1)
            running.stop()
            failures = instance.follower.partitions.failures
            instance.until(lambda: instance.follower.partitions.failures > failures)
            for _ in range(50):
                instance.turn()
            assert instance.follower.partitions.failures <= failures + 2
            running.start()
            instance.until(lambda: len(instance.held) == 4)


@pytest.fixture
def secured(broker: Cluster, tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "password").write_text("correct horse\n")
    return {
        "bootstrap": broker.secure,
        "tls": Tls(ca=str(broker.authority)),
        "sasl": Sasl("PLAIN", "exporter", str(tmp_path / "password")),
    }


@pytest.mark.parametrize("order", ["partition", "time"])
@pytest.mark.parametrize(
    ("kind", "ending"),
    [
        pytest.param(ResourceType.TOPIC, "", id="every topic"),
        pytest.param(ResourceType.TOPIC, ".cp", id="the topic of checkpoints"),
        pytest.param(ResourceType.GROUP, "", id="the group"),
        pytest.param(ResourceType.TRANSACTIONAL_ID, "", id="transactions"),
    ],
)
def test_a_right_that_is_taken_away_meanwhile_is_told_and_costs_nothing_once_it_is_given_back(
    order: str, kind: ResourceType, ending: str, broker: Cluster, topic: str, make: Make, secured: dict[str, Any]
) -> None:
    broker.allow("exporter", topic)
    gateways = Gateways(broker.bootstrap, topic)
    establish(gateways)
    instance = make(**secured, order=order)
    instance.until(lambda: instance.counted() == 20)
    with broker.denied("exporter", kind, f"{topic}{ending}"):
        establish(gateways)
        instance.until(lambda: "authoriz" in instance.error.lower())
    instance.until(lambda: instance.counted() == 40 and not instance.error)
    instance.until(lambda: all(status.up for status in instance.follower.statuses()))
    instance.close()
    again = make(**secured, order=order)
    again.until(lambda: len(again.held) == 4 and not again.follower.partitions.behind)
    assert again.counted() == 40


def test_who_may_not_read_is_told_and_reads_once_it_may(
    broker: Cluster,
    topic: str,
    make: Make,
    secured: dict[str, Any],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    establish(Gateways(broker.bootstrap, topic))
    instance = make(**secured)
    instance.until(lambda: "authoriz" in instance.error.lower())
    assert instance.counted() == 0
    broker.allow("exporter", topic)
    instance.until(lambda: instance.counted() == 20)
    (tmp_path / "password").write_text("wrong\n")
    refused = make(**secured)
    refused.until(lambda: "authentication" in refused.error.lower())
    for secret in ("correct horse", "wrong\n"):
        assert secret not in caplog.text + refused.error
