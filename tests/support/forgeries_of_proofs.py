"""Forgeries of proofs: each example must fit all that is published, and together they must show enough."""

import json
from collections.abc import Mapping
from pathlib import Path

from etl.exchange.release_folder import write_sums
from tests.support.forging import PROOF, Forgery, about, each, edit, examples, first, moved_in_examples
from tests.support.releases import loaded, stored


def of_another(folder: Path) -> None:
    """The proof of the release before."""
    other = loaded(folder.parent / "0001" / PROOF)
    stored(folder / PROOF, other)


def with_number_of(folder: Path) -> None:
    """The counts and examples of the release before, under this one's number."""
    other, own = loaded(folder.parent / "0001" / PROOF), loaded(folder / PROOF)
    stored(folder / PROOF, own | {"counts": other["counts"], "examples": other["examples"]})


def cut_to_the_last(folder: Path) -> None:
    """A proof of the last release, which assumes something, without those before it."""
    data = loaded(folder / PROOF)
    number = sum(name.startswith(f"{folder.name}/") for name in data["counts"])
    rows = [example[-number:] for example in data["examples"]]
    stored(folder / PROOF, data | {"counts": data["counts"][-number:], "examples": rows})


def far_too_many(folder: Path) -> None:
    """More numbers than are checked, in a small file: most examples are empty."""
    data = loaded(folder / PROOF)
    data["examples"] += [[]] * (20_000_000 // len(data["counts"]) + 1)
    (folder / PROOF).write_text(json.dumps(data, separators=(",", ":")), "utf-8")


PROOFS: Mapping[str, Forgery] = {
    "one entry more in the proof": Forgery(edit(PROOF, lambda data: data.update(note="a name")), "file"),
    "no examples in the proof": Forgery(edit(PROOF, lambda data: data.pop("examples")), "file"),
    "a proof of another number": Forgery(edit(PROOF, lambda data: data.update(release="0002")), "file"),
    "a proof of other figures": Forgery(
        each(edit(PROOF, lambda data: data.update(sha256="0" * 64)), write_sums), "file", is_sealed=False
    ),
    "the proof of another release": Forgery(of_another, "file", "stack"),
    "the proof of another release under this one's number": Forgery(with_number_of, "file", "stack"),
    "a proof of the last release alone": Forgery(
        edit(PROOF, lambda data: data.update(counts=data["counts"][len(data["counts"]) // 2 :])), "file", "pair"
    ),
    "a proof of no count": Forgery(edit(PROOF, lambda data: data.update(counts=[])), "file"),
    "a count left out": Forgery(edit(PROOF, lambda data: data["counts"].pop()), "file"),
    "a count named twice": Forgery(edit(PROOF, lambda data: data["counts"].append(data["counts"][0])), "file"),
    "counts in another order": Forgery(edit(PROOF, lambda data: data["counts"].reverse()), "file"),
    "a count that there is not": Forgery(
        edit(PROOF, lambda data: data["counts"].__setitem__(0, "0001/N.verified")), "file"
    ),
    "a proof without examples": Forgery(edit(PROOF, lambda data: data.update(examples=[])), "file"),
    "a proof of more than can be checked": Forgery(far_too_many, "file", "pair"),
    "one example alone": Forgery(examples(lambda rows: rows.__delitem__(slice(1, None))), "narrow"),
    "the same example again and again": Forgery(
        examples(lambda rows: rows.__setitem__(slice(None), rows[:1] * 9)), "narrow"
    ),
    "an example that is incomplete": Forgery(examples(lambda rows: rows[0].pop()), "shape"),
    "an example with a number more": Forgery(examples(lambda rows: rows[0].append(0)), "shape"),
    "an example of nothing": Forgery(examples(lambda rows: rows.append([])), "shape"),
    "an example that is no list": Forgery(examples(lambda rows: rows.append(7)), "file"),
    "an example that is an object": Forgery(examples(lambda rows: rows.append({})), "shape"),
    "an example with more children than there are": Forgery(first(10**9), "shape"),
    "an example with as many children as can be": Forgery(first(10**9 - 1), "fits"),
    "an example in words": Forgery(first("0"), "shape"),
    "an example with a null": Forgery(first(None), "shape"),
    "an example with a truth value": Forgery(first(True), "shape"),
    "an example with a list": Forgery(first([0]), "shape"),
    "a negative example": Forgery(first(-1), "shape"),
    "a fractional example": Forgery(first(36.5), "shape"),
    "a whole fraction": Forgery(first(36.0), "shape"),
    "an example with infinitely many": Forgery(first(float("inf")), "shape"),
    "an example that does not add up": Forgery(moved_in_examples("0001/u0.deducted", 1), "fits"),
    "an example with one category more": Forgery(moved_in_examples("0001/A.verified", 1), "fits"),
    "an example of another figure": Forgery(moved_in_examples("0001/I.verified", 1), "fits"),
    "an example in which who has not reported has": Forgery(moved_in_examples("0001/u5.verified", 1), "fits"),
    "an example in which who has reported has not": Forgery(moved_in_examples("0001/u0.unverified", 1), "fits"),
    "an assumption that the examples do not follow": Forgery(
        about(assumed={"key": "still", "fixed": ["suspected", "returned", "still_out"], "grows": ["deducted"]}),
        "fits", "pair",
    ),
    "no assumption and a proof of two releases": Forgery(
        about(assumed={"key": "none", "fixed": [], "grows": []}), "file", "pair"
    ),
    "an assumption and a proof of the last release": Forgery(cut_to_the_last, "file", "pair"),
    "examples of the last release alone": Forgery(
        examples(lambda rows: rows.__setitem__(slice(None), [row[len(row) // 2 :] for row in rows])), "file", "pair"
    ),
}  # fmt: skip
