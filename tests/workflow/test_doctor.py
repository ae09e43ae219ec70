"""What `doctor` looks at: a fit machine, and each way of being unfit, reported with what to do."""

import datetime as dt
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from etl.cli.main import main
from etl.system.home import Home
from etl.workflow import doctor
from etl.workflow.doctor import Outcome, examine, swap
from etl.workflow.run import Run
from etl.workflow.texts import text


def outcomes(run: Run) -> dict[str, Outcome]:
    return {check.name: check.outcome for check in examine(run, run.home.demo_key)}


def test_a_home_in_order_has_nothing_bad(loaded: Run) -> None:
    found = outcomes(loaded)
    assert set(found) == {"key", "closed", "record", "clock", "disk", "swap", "fonts"}
    assert {name: found[name] for name in ("closed", "record", "clock")} == dict.fromkeys(
        ("closed", "record", "clock"), Outcome.FINE
    )
    assert found["key"] is Outcome.WARNING  # a demo's key is known


def test_every_outcome_has_a_text(loaded: Run) -> None:
    for check in examine(loaded, loaded.home.demo_key):
        assert text(check.key, **check.params)


def test_a_folder_or_a_database_that_others_may_read_is_bad(loaded: Run) -> None:
    for path, closed in ((loaded.home.vault, 0o600), (loaded.home.inbox, 0o700), (loaded.home.private, 0o700)):
        path.chmod(0o755)
        assert outcomes(loaded)["closed"] is Outcome.BAD, path
        path.chmod(closed)
    assert outcomes(loaded)["closed"] is Outcome.FINE


def test_a_damaged_record_is_bad_and_nothing_else_is_guessed(loaded: Run) -> None:
    loaded.home.vault.write_bytes(b"x" * 4096)
    found = outcomes(loaded)
    assert (found["record"], found["clock"]) == (Outcome.BAD, Outcome.WARNING)


def test_what_is_wrong_with_the_record_is_said_in_words(loaded: Run) -> None:
    loaded.home.vault.write_bytes(b"x" * 4096)
    (record,) = [check for check in examine(loaded, loaded.home.demo_key) if check.name == "record"]
    assert text(record.key, "zh", **record.params).startswith("数据库有问题：打不开 vault.db：密钥不对，或文件已损坏。")
    assert "vault.wrong" not in text(record.key, "en", **record.params)


def test_a_machine_without_a_home_is_examined_too(loaded: Run, tmp_path: Path) -> None:
    key = tmp_path / "master.key"
    shutil.copy(loaded.home.demo_key, key)
    new = replace(loaded, home=Home(tmp_path / "none"))
    found = {check.name: check for check in examine(new, key)}
    assert (found["closed"].outcome, found["record"].outcome) == (Outcome.FINE, Outcome.WARNING)
    assert text(found["record"].key).startswith("还没有数据库")


def test_a_clock_before_the_last_record_is_bad(loaded: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class Early(dt.date):
        @classmethod
        def today(cls) -> "Early":
            return cls(2020, 3, 1)

    monkeypatch.setattr("etl.workflow.doctor.dt.date", Early)
    assert outcomes(loaded)["clock"] is Outcome.BAD


def test_a_full_disk_is_bad(loaded: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "SPARE_BYTES", 10**18)
    assert outcomes(loaded)["disk"] is Outcome.BAD


@pytest.mark.parametrize(("device", "uuid", "outcome"), [
    ("/dev/zram0", "", Outcome.FINE), ("/dev/dm-7", "CRYPT-LUKS2-x", Outcome.FINE),
    ("/dev/dm-7", "LVM-x", Outcome.WARNING), ("/dev/sdz9", "", Outcome.WARNING), ("", "", Outcome.FINE),
])  # fmt: skip
def test_swap_is_safe_only_where_it_is_encrypted_or_memory(
    tmp_path: Path, device: str, uuid: str, outcome: Outcome
) -> None:
    swaps = tmp_path / "swaps"
    swaps.write_text(f"Filename Type Size Used Priority\n{device and device + ' partition 1 0 -2'}\n")
    if uuid:
        (tmp_path / Path(device).name / "dm").mkdir(parents=True)
        (tmp_path / Path(device).name / "dm" / "uuid").write_text(uuid)
    assert swap(swaps, tmp_path).outcome is outcome


def test_swap_that_cannot_be_known_is_no_pass(tmp_path: Path) -> None:
    assert swap(tmp_path / "none", tmp_path).outcome is Outcome.WARNING


def test_the_command_says_each_line_and_exits_with_one_if_something_is_bad(loaded: Run) -> None:
    given = ["--home", str(loaded.home.root), "--campaign", str(loaded.campaign_folder), "doctor"]
    assert "证据链完整" in CliRunner().invoke(main, given).output
    loaded.home.vault.chmod(0o644)
    said = CliRunner().invoke(main, given)
    assert (said.exit_code, "chmod" in said.output) == (1, True)
