from pathlib import Path

import pytest

from accidents.atomic_write import atomic_write, write_bytes, write_text


def test_content_replaces_the_old_one_and_nothing_else_is_left(tmp_path: Path) -> None:
    target = tmp_path / "new folder" / "file.txt"
    write_text(target, "é\n")
    assert target.read_bytes() == "é\n".encode()
    write_bytes(target, b"new")
    assert target.read_bytes() == b"new"
    assert list(target.parent.iterdir()) == [target]


def test_the_old_content_stays_until_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "file.txt"
    target.write_text("old")
    with atomic_write(target) as temporary:
        assert temporary.parent == tmp_path  # a rename is atomic within one file system
        temporary.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"


def test_an_error_keeps_the_old_content_and_deletes_the_temporary_file(tmp_path: Path) -> None:
    target = tmp_path / "file.txt"
    target.write_text("old")

    def fail_halfway(temporary: Path) -> None:
        temporary.write_text("ne")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"), atomic_write(target) as temporary:
        fail_halfway(temporary)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_a_block_that_writes_nothing_is_an_error(tmp_path: Path) -> None:
    target = tmp_path / "file.txt"
    target.write_text("old")
    with pytest.raises(FileNotFoundError), atomic_write(target):
        pass
    assert target.read_text() == "old"
