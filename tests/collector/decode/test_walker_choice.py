"""Which of the two walkers is used, and how the compiled one comes to be there."""

import ctypes
import runpy
import shutil
import sys
from pathlib import Path

import pytest

from llmvitals import semconv
from llmvitals_collector import decode
from llmvitals_collector.decode import build, choice, protobuf

ROOT = Path(__file__).parents[3]


def test_the_compiled_walker_is_used_where_there_is_one(compiled):
    assert choice.choose(None) == ("compiled", compiled)
    assert choice.choose("") == ("compiled", compiled)
    assert choice.choose("compiled") == ("compiled", compiled)


def test_the_readable_walker_can_always_be_had():
    assert choice.choose("python") == ("python", protobuf)


def test_it_can_be_asked_which_is_used():
    assert decode.WALKER in semconv.DECODERS


@pytest.mark.parametrize("asked", ["rust", "COMPILED"])
def test_a_walker_that_there_is_not_is_refused_in_one_sentence(asked):
    with pytest.raises(choice.WalkerError, match=f"^LLMVITALS_COLLECTOR_DECODER: '{asked}' is no decoder; valid are"):
        choice.choose(asked)


def test_without_the_compiled_walker_the_readable_one_is_used_unless_it_is_asked_for(monkeypatch):
    monkeypatch.setitem(sys.modules, "llmvitals_collector.decode.compiled", None)  # as if it could not be imported
    assert choice.choose(None) == ("python", protobuf)
    with pytest.raises(choice.WalkerError, match=r"^LLMVITALS_COLLECTOR_DECODER: 'compiled' cannot be had: "):
        choice.choose("compiled")


def test_a_library_of_another_source_is_not_loaded(tmp_path):
    """Its columns could be others than those that compiled.py takes."""
    for source in build.HERE.glob("*.rs"):
        (tmp_path / source.name).write_bytes(source.read_bytes())
    assert build.library(tmp_path).name == build.library().name
    (tmp_path / "wire.rs").write_text("// another")
    assert build.library(tmp_path).name != build.library().name


def test_without_a_compiler_nothing_is_built(tmp_path, monkeypatch):
    (tmp_path / "walk.rs").touch()
    monkeypatch.setenv("PATH", "")
    assert build.build(tmp_path) is None


def test_what_was_built_from_an_earlier_source_is_removed(tmp_path, compiled):
    shutil.copy(build.library(), tmp_path)
    earlier = tmp_path / f"walk-0123456789abcdef{build.library().suffix}"
    earlier.touch()
    (tmp_path / "walk.rs").write_text('#[no_mangle] pub extern "C" fn nothing() {}')
    if build.compiler() is None:
        pytest.skip("needs rustc")
    built = build.build(tmp_path)
    assert built == build.library(tmp_path)
    assert [path for path in tmp_path.iterdir() if path.name.startswith("walk-")] == [built]
    ctypes.CDLL(str(built)).nothing()


def test_a_wheel_with_the_library_is_for_this_platform_and_without_it_for_all(tmp_path, monkeypatch, compiled):
    decode = tmp_path / "collector_processors" / "llmvitals_collector" / "decode"
    decode.mkdir(parents=True)
    for path in (build.HERE / "build.py", *build.HERE.glob("*.rs")):
        shutil.copy(path, decode)
    hook = runpy.run_path(str(ROOT / "hatch_build.py"))["WalkerHook"](str(tmp_path), {}, None, None, "", "wheel")
    monkeypatch.setenv("PATH", "")
    pure = {"force_include": {}}
    hook.initialize("standard", pure)
    assert pure == {"force_include": {}}
    shutil.copy(build.library(), decode)
    built = {"force_include": {}}
    hook.initialize("standard", built)
    assert (built["pure_python"], built["tag"].startswith("py3-none-")) == (False, True)
    assert list(built["force_include"].values()) == [f"llmvitals_collector/decode/{build.library().name}"]
    editable = {"force_include": {}}
    hook.initialize("editable", editable)
    assert editable == {"force_include": {}}
