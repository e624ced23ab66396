"""Shell completion, requested as the shells request it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import checkpoints
from checkpoints import FileHandler, tags

SOURCES = str(Path(checkpoints.__file__).parents[1])
WORDS = Path(checkpoints.__file__).with_name("cli") / "_completion_words.py"
# Options without a completer of their own have that of what they ask for.
BY_METAVAR = {
    "COLUMN": "column",
    "FILE": "file",
    "MODULE:FUNCTION": "probe",
    "PATTERN": "names",
    "ROOT": "root",
    "RULE": "rule",
    "RUN": "root",
    "TAG": "tag",
}


def completer_of(param):
    own = param._custom_shell_complete
    if own is not None:
        return own.__name__.removeprefix("complete_")
    if param.type.name in ("file", "filename"):
        return "file"
    return BY_METAVAR.get((param.metavar or "").strip("[]."), "")


def words():
    """Return the arguments and the options of all commands, as click knows them."""
    import click

    from checkpoints.cli._program import program

    arguments, options = {}, {}
    for name, command in sorted(program.commands.items()):
        arguments[name] = tuple(
            (param.name, completer_of(param))
            for param in command.params
            if isinstance(param, click.Argument)
        )
        options[name] = {
            spelling: None if param.is_flag else completer_of(param)
            for param in command.params
            if isinstance(param, click.Option)
            for spelling in [*param.opts, *param.secondary_opts]
        }
    return arguments, options


@pytest.fixture
def environment():
    pytest.importorskip("click", reason="the scripts are printed by it")
    pytest.importorskip("rich", reason="the program is not there without it")
    return {**os.environ, "PYTHONPATH": SOURCES}


@pytest.fixture
def answered(environment):
    """Ask as a shell does; return its lines, each with the kind of the offer."""

    def answered(*words, shell="zsh", folder=None):
        done = subprocess.run(
            [sys.executable, "-m", "checkpoints", *map(str, words)],
            env={**environment, "_CHECKPOINTS_COMPLETE": shell},
            capture_output=True,
            cwd=folder,
            text=True,
            check=True,
        )
        assert done.stderr == ""
        return done.stdout.splitlines()

    return answered


@pytest.fixture
def offered(answered):
    """Ask as a shell does; return the texts that are offered."""

    def offered(*words, **options):
        return [line.partition(" ")[2] for line in answered(*words, **options)]

    return offered


class TestTable:
    def test_it_has_the_arguments_and_options_of_every_command(self):
        """`python tests/cli/test_completion.py` writes it anew."""
        pytest.importorskip("click", reason="it knows the commands")
        pytest.importorskip("rich", reason="the program is not there without it")
        from checkpoints.cli._completion_words import ARGUMENTS, OPTIONS

        assert words() == (ARGUMENTS, OPTIONS)


class TestAnswer:
    @pytest.fixture
    def loaded(self, environment):
        """Return the answer to some words, and the modules that it has loaded."""

        def loaded(*words):
            program = (
                "import sys, atexit\n"
                "atexit.register(lambda: print(sorted(sys.modules), file=sys.stderr))\n"
                f"sys.argv = ['checkpoints', *{list(map(str, words))!r}]\n"
                "from checkpoints.cli import main; main()"
            )
            done = subprocess.run(
                [sys.executable, "-c", program],
                env={**environment, "_CHECKPOINTS_COMPLETE": "zsh"},
                capture_output=True,
                text=True,
                check=True,
            )
            return done.stdout, done.stderr

        return loaded

    def test_it_loads_neither_click_nor_the_reading_side(self, loaded, root):
        answer, modules = loaded("ls", root, "--where", "d")
        assert answer == "part day=\n"
        for heavy in ("click", "rich", "checkpoints._index", "checkpoints._kinds"):
            assert f"'{heavy}'" not in modules

    @pytest.mark.parametrize("words", [("oven.ckpt.zip", ""), ("", "oven", "")])
    def test_values_of_a_file_need_nothing_that_is_known_about_values(
        self, loaded, root, words
    ):
        path, *rest = words
        answer, modules = loaded("show", root / path, *rest)
        assert answer == "word heat\n"
        for heavy in ("families", "decoder", "encoder", "kind"):
            assert f"'checkpoints._kinds.{heavy}'" not in modules

    def test_commands_and_options(self, answered):
        assert answered("sh") == ["word show"]
        assert answered("ls", "--tr") == ["word --tree"]
        assert answered("--v") == ["word --version"]
        assert answered("nothing", "a") == []

    @pytest.mark.parametrize("command", ["ls", "rm", "gc", "cp", "verify", "runs"])
    def test_a_root_is_a_folder_that_the_shell_finds(self, answered, command):
        assert answered(command, "sav") == ["folder "]

    @pytest.mark.parametrize("command", ["ls", "rm", "gc", "show", "export"])
    def test_names_under_the_root(self, offered, root, command):
        assert offered(command, root, "o") == ["oven"]
        assert offered(command, root, "") == ["bakery.order", "oven"]

    def test_names_of_a_run(self, offered, tmp_path):
        with checkpoints.config("a", tmp_path / "saved"):
            checkpoints.checkpoint("a.b", 1)
        assert offered("ls", f"{tmp_path / 'saved'}@last", "") == ["a.b"]

    def test_runs_of_a_root_by_id_and_name(self, offered, tmp_path):
        root = tmp_path / "saved"
        with checkpoints.config("a", root / "run={run}"):
            checkpoints.checkpoint("a.b", 1)
        (run,) = checkpoints.runs(root)
        for command in ("ls", "diff", "runs"):
            assert offered(command, f"{root}@") == [f"{root}@{run.id}", f"{root}@last"]
        path = next(root.glob("*/.runs/*.json"))
        record = json.loads(path.read_text())
        path.write_text(json.dumps({**record, "name": "before"}))
        assert offered("ls", f"{root}@be") == [f"{root}@before"]

    def test_names_under_the_root_that_is_copied_from(self, offered, root):
        assert offered("cp", root, "kept", "ov") == ["oven"]

    @pytest.mark.parametrize("command", ["ls", "show", "cp", "diff"])
    def test_tags_of_which_more_has_to_follow_and_their_values(
        self, answered, root, command
    ):
        assert answered(command, root, "--where", "d") == ["part day="]
        assert answered(command, root, "--where", "day=1") == ["word day=10"]
        assert answered(command, root, "--where=day=1") == ["word --where=day=10"]

    def test_files_folders_and_modules(self, answered, tmp_path):
        (tmp_path / "stages.py").touch()
        assert answered("run", "--config", "c") == ["file "]
        assert answered("run", "--config=c") == ["file --config="]
        assert answered("run", "mypkg=./o") == ["folder mypkg="]
        assert answered("run", "a", "--", "night") == ["file "]
        ask = {"folder": tmp_path}
        assert answered("available", "stag", **ask) == ["word stages"]
        assert answered("run", "--probe", "stag", **ask) == ["part stages:"]
        assert answered("run", "a", "--", "-m", "stag", **ask) == ["word stages"]
        assert "word email.mime" in answered("available", "email.m")

    def test_a_package_is_no_module_of_itself(self, answered, tmp_path):
        (tmp_path / "mypkg").mkdir()
        for name in ("__init__", "load"):
            (tmp_path / "mypkg" / f"{name}.py").touch()
        told = answered("run", "--probe", "mypkg.", folder=tmp_path)
        assert told == ["part mypkg.load:"]

    def test_tags_and_columns_as_values_of_options(self, offered, root):
        assert offered("gc", root, "--per", "s") == ["shop"]
        assert offered("ls", root, "--sort", "s") == [
            "saved",
            "sequence",
            "shop",
            "size",
        ]
        assert offered("ls", root, "--limit", "") == []

    def test_values_of_an_entry(self, offered, root):
        assert offered("show", root / "oven.ckpt.zip", "") == ["heat"]
        assert offered("export", root, "bakery.order", "n") == ["note"]

    def test_what_a_shell_would_obey_is_not_offered(self, offered, tmp_path):
        handler = FileHandler(tmp_path / "odd")
        for name in ("$(reboot)", "a;b", "a b", "a'", "\x1b[2J", "good"):
            with tags({f"tag{name}": name}):
                handler.checkpoint(name, **{name: 1})
        assert offered("ls", tmp_path / "odd", "") == ["good"]

    def test_a_tag_that_a_shell_would_obey_is_offered_encoded(self, offered, tmp_path):
        with tags({"$(a)": "1", "b": "$(x), *"}):
            FileHandler(tmp_path / "odd").checkpoint("a", 1)
        where = ("ls", tmp_path / "odd", "--where")
        assert offered(*where, "") == ["%24%28a%29=", "b="]
        assert offered(*where, "b=") == ["b==%24%28x%29%2C%20%2A"]

    def test_where_nothing_is_nothing_is_offered(self, offered, tmp_path):
        assert offered("ls", tmp_path / "nowhere", "") == []
        assert offered("show", tmp_path / "nowhere.ckpt.zip", "") == []


@pytest.fixture
def bin_folder(tmp_path):
    """A folder with the command."""
    script = tmp_path / "bin" / "checkpoints"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -m checkpoints "$@"\n')
    script.chmod(0o700)
    return script.parent


class TestInBash:
    @pytest.fixture
    def typed(self, environment, bin_folder, root):
        """Press tab after a line; return what the last word may become."""
        if shutil.which("bash") is None:
            pytest.skip("needs bash")

        def typed(line):
            program = f"""
                eval "$(checkpoints completion bash)"
                compopt() {{ :; }}
                COMP_LINE={line!r} COMP_POINT=${{#COMP_LINE}}
                word=${{COMP_LINE##*[ =@:]}}
                _checkpoints_completion checkpoints "$word" before
                printf '%s|' "${{COMPREPLY[@]}}"
            """
            path = os.pathsep.join([str(bin_folder), os.environ["PATH"]])
            done = subprocess.run(
                ["bash", "--norc", "-i", "-c", program],
                env={**environment, "PATH": path},
                cwd=root.parent,
                capture_output=True,
                text=True,
                check=True,
                stdin=subprocess.DEVNULL,
            )
            return done.stdout.split("|")[:-1]

        return typed

    def test_a_value_is_completed_behind_its_equals_sign(self, typed):
        assert typed("checkpoints ls saved --where da") == ["day="]
        assert typed("checkpoints ls saved --where day=1") == ["10 "]
        assert typed("checkpoints ls saved --where=day=1") == ["10 "]
        assert typed("checkpoints ls 'saved' ov") == ["oven "]

    def test_files_and_folders_are_completed(self, typed, root):
        (root.parent / "rules.toml").touch()
        assert typed("checkpoints ls sav") == ["saved"]
        assert typed("checkpoints run --config rul") == ["rules.toml"]
        assert typed("checkpoints run mypkg=sav") == ["saved"]


class TestInFish:
    def test_values_files_and_folders_are_completed(
        self, environment, bin_folder, root
    ):
        if shutil.which("fish") is None:
            pytest.skip("needs fish")
        program = """
            checkpoints completion fish | source
            for line in 'ls saved --where da' 'ls saved --where day=1' \
                    'ls sav' 'run mypkg=sav' 'run --config=rul'
                complete -C"checkpoints $line"
            end
        """
        (root.parent / "rules.toml").touch()
        path = os.pathsep.join([str(bin_folder), os.environ["PATH"]])
        done = subprocess.run(
            ["fish", "--no-config", "-c", program],
            env={**environment, "PATH": path, "HOME": str(root.parent)},
            cwd=root.parent,
            capture_output=True,
            text=True,
            check=True,
        )
        assert [line.partition("\t")[0] for line in done.stdout.splitlines()] == [
            "day=",
            "day=10",
            "saved/",
            "mypkg=saved/",
            "--config=rules.toml",
        ]


class TestInZsh:
    """In a terminal of its own: zsh completes only what is typed."""

    def test_values_and_folders_are_completed(self, environment, bin_folder, root):
        if shutil.which("zsh") is None:
            pytest.skip("needs zsh")
        keys = {
            "checkpoints ls saved --where da": "day=",
            "checkpoints ls saved --where day=1": "day=10 ",
            "checkpoints ls sav": "saved/",
            "checkpoints run mypkg=sav": "mypkg=saved/",
        }
        program = f"""
            zmodload zsh/zpty
            zpty shell zsh -f -i
            zpty -w shell 'PATH={bin_folder}:$PATH; cd {root.parent}; PS1=; \
                autoload -U compinit; compinit -D -u'
            zpty -w shell 'eval "$(checkpoints completion zsh)"'
            zpty -w shell 'show() {{ print -r -- "<$BUFFER>"; BUFFER=; }}; \
                zle -N show; bindkey "^X" show; print -r -- rea"dy"'
            zpty -r -m shell found '*ready*'
            for line in {" ".join(map(repr, keys))}; do
                zpty -w -n shell "$line"$'\\t'$'\\x18'
                zpty -r -m shell found '*<*>*'
                print -r -- "${{${{found#*<}}%%>*}}"
            done
            zpty -d shell
        """
        done = subprocess.run(
            ["zsh", "-f", "-c", program],
            env={**environment, "TERM": "dumb"},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        wanted = [line.rpartition(" ")[0] + " " + end for line, end in keys.items()]
        assert done.stdout.splitlines() == wanted


def written() -> str:
    """Return the table as a module."""
    arguments, options = words()
    return (
        '"""The words of each command; the tests of completion write them."""\n\n'
        "from __future__ import annotations\n\n"
        '__all__ = ["ARGUMENTS", "OPTIONS"]\n\n'
        "# How the arguments of each command are completed; the last repeats.\n"
        f"ARGUMENTS: dict[str, tuple[tuple[str, str], ...]] = {arguments!r}\n"
        "# None is a flag; an empty text a value that cannot be completed.\n"
        f"OPTIONS: dict[str, dict[str, str | None]] = {options!r}\n"
    )


if __name__ == "__main__":
    WORDS.write_text(written(), encoding="utf-8")
    subprocess.run([sys.executable, "-m", "ruff", "format", WORDS], check=True)
