"""What is over, in the order of its end, and no more of it than is kept."""

from racoon_exporter.sa.archive import Archive
from racoon_exporter.sa.model import Negotiation, to_json


def over(ended: float) -> Negotiation:
    return Negotiation(1, "", None, "198.51.100.7", None, None, 0.0, ended=ended, state="failed")


def ends(archive: Archive) -> list[float | None]:
    return [one.ended for one in archive.negotiations]


def test_what_is_told_late_stands_where_it_ended() -> None:
    archive = Archive(None)
    for ended in (1.0, 5.0, 9.0):
        archive.add(archive.negotiations, over(ended))
    archive.insert(archive.negotiations, over(5.0))
    archive.insert(archive.negotiations, over(0.5))
    archive.insert(archive.negotiations, over(10.0))
    assert ends(archive) == [0.5, 1.0, 5.0, 5.0, 9.0, 10.0]


def test_what_was_written_down_before_is_written_in_the_same_order() -> None:
    archive = Archive(None)
    for ended in (1.0, 5.0):
        archive.add(archive.negotiations, over(ended))
    archive.to_json()
    archive.insert(archive.negotiations, over(3.0))
    assert archive.to_json()["negotiations"] == [to_json(one) for one in archive.negotiations]


def test_the_oldest_tenth_goes_when_there_are_too_many_in_whatever_order_they_come() -> None:
    archive = Archive(20)
    for ended in range(20):
        archive.add(archive.negotiations, over(float(ended)))
    archive.to_json()
    archive.insert(archive.negotiations, over(4.5))
    assert ends(archive)[:4] == [2.0, 3.0, 4.0, 4.5]
    assert archive.to_json()["negotiations"] == [to_json(one) for one in archive.negotiations]
