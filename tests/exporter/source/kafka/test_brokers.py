"""What brokers are asked now and then, by somebody who waits for no answer."""

from concurrent.futures import Future

import pytest
from confluent_kafka import KafkaError, KafkaException, Uuid
from confluent_kafka.admin import TopicDescription  # type: ignore[attr-defined]

from racoon_exporter.source.kafka.brokers import Description, Question

SECONDS = 10.0


class Silent:
    """Brokers who answer when they are told to."""

    def __init__(self) -> None:
        self.asked: list[Future[TopicDescription]] = []

    def ask(self, topic: str) -> Future[TopicDescription]:
        assert topic == "racoon"
        self.asked.append(Future())
        return self.asked[-1]

    def answer(self, number: int) -> None:
        self.asked[-1].set_result(TopicDescription("racoon", Uuid(0, number), False, []))  # noqa: FBT003


def test_brokers_that_are_away_are_asked_once_and_not_waited_for() -> None:
    brokers = Silent()
    question = Question("racoon", brokers, SECONDS)  # type: ignore[arg-type]
    for now in (0.0, 1.0, SECONDS, 9 * SECONDS):
        assert question.answer(now) is None
        assert not question.is_answered
    assert len(brokers.asked) == 1
    brokers.answer(1)
    assert question.is_answered
    assert question.answer(9 * SECONDS) == Description(0, str(Uuid(0, 1)))
    assert question.answer(9 * SECONDS) is None
    assert len(brokers.asked) == 2


def test_brokers_that_answer_are_asked_again_when_it_is_time_or_at_once_if_somebody_has_reason() -> None:
    brokers = Silent()
    question = Question("racoon", brokers, SECONDS)  # type: ignore[arg-type]
    question.answer(0.0)
    brokers.answer(0)
    assert question.answer(1.0) == Description(0, None)
    question.answer(SECONDS - 1)
    assert len(brokers.asked) == 1
    question.answer(SECONDS)
    assert len(brokers.asked) == 2
    question.hurry()  # what is under way may be of before
    brokers.answer(1)
    assert question.answer(SECONDS) is not None
    question.answer(SECONDS)
    assert len(brokers.asked) == 3


def test_trouble_is_told_once_and_asked_about_again_later() -> None:
    brokers = Silent()
    question = Question("racoon", brokers, SECONDS)  # type: ignore[arg-type]
    question.answer(0.0)
    brokers.asked[-1].set_exception(KafkaException(KafkaError(KafkaError._TIMED_OUT)))
    with pytest.raises(KafkaException):
        question.answer(5.0)
    assert question.answer(5.0) is None
    assert len(brokers.asked) == 1
    question.answer(SECONDS)
    assert len(brokers.asked) == 2
