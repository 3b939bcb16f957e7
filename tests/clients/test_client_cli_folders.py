"""Folders by the command line: links, modes, and what is in the way."""

import os
import secrets
from pathlib import Path

import pytest

from client_cli import DONE, FAILED, USAGE, files, own, results, run  # noqa: F401


def test_a_folder_goes_into_a_folder(tmp_path, own):
    source, sealed, again = tmp_path / "source", tmp_path / "sealed", tmp_path / "again"
    (source / "deep/er").mkdir(parents=True)
    (source / "empty").mkdir()
    contents = {"a": b"", "deep/b": secrets.token_bytes(5000), "deep/er/ü \n c": b"c"}
    for name, content in contents.items():
        (source / name).write_bytes(content)
    (source / "a").chmod(0o750)
    done = run("encrypt", source, "-o", sealed, *own, "--json")
    assert files(sealed) == files(source)
    assert {Path(one["input"]) for one in results(done)} == {source / name for name in contents}
    run("decrypt", sealed, "-o", again, *own)
    assert files(again) == files(source)
    assert {name: (again / name).read_bytes() for name in contents} == contents
    assert (again / "a").stat().st_mode & 0o777 == 0o750
    # Again: every file is there already.
    done = run("decrypt", sealed, "-o", again, *own, "--json", code=FAILED)
    assert [one["code"] for one in results(done)] == [FAILED] * 3
    run("decrypt", sealed, "-o", again, *own, "--force")


def test_new_folders_let_in_nobody_whom_their_sources_keep_out(tmp_path, own):
    source, sealed, again = tmp_path / "source", tmp_path / "sealed", tmp_path / "again"
    (source / "private").mkdir(parents=True)
    (source / "private/a").write_bytes(b"secret")
    for folder, mode in ((source, 0o750), (source / "private", 0o500)):
        folder.chmod(mode)
    for command, one, other in (("encrypt", source, sealed), ("decrypt", sealed, again)):
        run(command, one, "-o", other, *own, preexec_fn=lambda: os.umask(0o002))
        assert [(other / name).stat().st_mode & 0o777 for name in ("", "private")] == [0o750, 0o700], command
    # The umask takes from it.
    run("decrypt", sealed, "-o", tmp_path / "third", *own, preexec_fn=lambda: os.umask(0o077))
    assert (tmp_path / "third").stat().st_mode & 0o777 == 0o700


def test_links_and_special_files_are_told_and_the_rest_goes_on(tmp_path, own):
    source, sealed = tmp_path / "source", tmp_path / "sealed"
    source.mkdir()
    (source / "a-link").symlink_to(source / "file")
    (source / "file").write_bytes(b"text")
    os.mkfifo(source / "pipe")
    done = run("encrypt", source, "-o", sealed, *own, "--json", code=FAILED)
    states = {Path(one["input"]).name: one["status"] for one in results(done)}
    assert states == {"a-link": "failed", "file": "done", "pipe": "failed"}
    assert files(sealed) == {"file"}
    # One that is named is followed.
    assert run("encrypt", source / "a-link", "-o", tmp_path / "one", *own).returncode == DONE


def test_below_the_target_folder_no_link_is_followed(tmp_path, own):
    source, sealed, target, outside = (tmp_path / name for name in ("source", "sealed", "target", "outside"))
    (source / "sub/deep").mkdir(parents=True)
    for name in ("link", "plain", "sub/new", "sub/deep/new"):
        (source / name).write_bytes(b"text")
    run("encrypt", source, "-o", sealed, *own)
    outside.mkdir()
    (outside / "victim").write_bytes(b"precious")
    target.mkdir()
    (target / "sub").symlink_to(outside)
    (target / "link").symlink_to(outside / "victim")
    done = run("decrypt", sealed, "-o", target, *own, "--force", "--json", code=FAILED)
    assert [Path(one["output"]).name for one in results(done) if one["status"] == "done"] == ["plain"]
    assert b"a symbolic link" in done.stderr
    assert files(outside) == {"victim"} and (outside / "victim").read_bytes() == b"precious"
    assert (target / "link").is_symlink()
    # A link that is named is followed, and stays one.
    (tmp_path / "way").symlink_to(outside)
    run("decrypt", sealed / "plain", "-o", tmp_path / "way/new", *own)
    run("decrypt", sealed / "plain", "-o", target / "link", "--force", *own)
    assert (target / "link").is_symlink() and (outside / "victim").read_bytes() == b"text"


@pytest.mark.skipif(os.geteuid() != 0, reason="files of others are root's to make")
def test_what_replaces_a_file_of_somebody_else_has_no_more_than_the_umask_lets_it(tmp_path, own):
    target = tmp_path / "target"
    sealed = run("encrypt", *own, stdin=b"text").stdout
    for owner, before, after in ((65534, 0o4777, 0o755), (65534, 0o600, 0o600), (0, 0o4777, 0o777)):
        target.write_bytes(b"old")
        os.chown(target, owner, owner)
        target.chmod(before)
        run("decrypt", "-o", target, "--force", *own, stdin=sealed, umask=0o022)
        assert target.stat().st_mode & 0o7777 == after and target.stat().st_uid == 0


def test_folders_stay_apart(tmp_path, own):
    (tmp_path / "source").mkdir()
    (tmp_path / "link").symlink_to("source")
    for target in (tmp_path / "source", tmp_path / "source/within", tmp_path / "source/with/in", tmp_path / "link/within"):
        run("encrypt", tmp_path / "source", "-o", target, *own, code=USAGE)
        assert files(tmp_path) == {"source", "link"}, "nothing was made"
    run("encrypt", "source", "-o", "source/with/in", *own, code=USAGE, cwd=tmp_path)
    assert files(tmp_path) == {"source", "link"}
    run("encrypt", tmp_path / "source", *own, code=USAGE)
