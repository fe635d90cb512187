"""A model folder: whole or not at all, the same model when read back, and no change goes unseen."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.model.models import ROWS, example, model
from watchkeeper.core.encoding import digest
from watchkeeper.core.errors import ExistsError, InputError, IntegrityError
from watchkeeper.model.artefact import artefact_digest, load, save

FILES = ["booster.ubj", "encoder.json", "example.json", "manifest.json", "schema.json"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(tmp_path / "models" / "m", model(), example())
    return tmp_path / "models" / "m"


def test_a_model_comes_back_the_same(folder: Path) -> None:
    written, back = model(), load(folder)
    assert (back.encoder, back.schema, back.target) == (written.encoder, written.schema, written.target)
    assert np.array_equal(back.predict(ROWS).values, written.predict(ROWS).values)
    assert back.predict(ROWS).values.dtype == np.float64


def test_the_folder_holds_plain_files_alone(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == FILES
    assert [path.name for path in folder.parent.iterdir()] == ["m"]


def test_the_digest_is_the_manifests_and_one_model_has_one(folder: Path, tmp_path: Path) -> None:
    assert artefact_digest(folder) == digest((folder / "manifest.json").read_bytes())
    assert save(tmp_path / "again", model(), example()) == artefact_digest(folder)


def test_predictions_count_what_training_has_not_seen() -> None:
    answered = model().predict({"town": ["A", "Z", None], "area": ["50", "50", "50"]})
    assert answered.values.shape == (3,)
    assert np.isfinite(answered.values).all()
    assert answered.unseen == {"town": 1}


def test_no_rows_have_no_predictions() -> None:
    assert model().predict({"town": [], "area": []}).values.shape == (0,)


def test_a_folder_is_written_once(folder: Path) -> None:
    with pytest.raises(ExistsError, match="written once"):
        save(folder, model(), example())


@pytest.mark.parametrize("name", FILES[:3] + FILES[4:])
def test_a_changed_byte_is_found(folder: Path, name: str) -> None:
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(IntegrityError, match=f"want {name} with sha256"):
        load(folder)


def test_a_file_that_is_gone_is_found(folder: Path) -> None:
    (folder / "encoder.json").unlink()
    with pytest.raises(IntegrityError, match=r"encoder\.json is gone"):
        load(folder)


def _rewrite(folder: Path, name: str, data: bytes) -> None:
    """Change a file and its digest in the manifest alike."""
    (folder / name).write_bytes(data)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["files"][name] = digest(data)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_example_rows_that_are_answered_otherwise_are_found(folder: Path) -> None:
    stored = json.loads((folder / "example.json").read_bytes())
    stored["predictions"][2] *= 1 + 1e-5
    _rewrite(folder, "example.json", json.dumps(stored).encode())
    with pytest.raises(IntegrityError, match="example row 3: want"):
        load(folder)


def test_trees_that_are_none_are_found(folder: Path) -> None:
    _rewrite(folder, "booster.ubj", b"{not trees")
    with pytest.raises(IntegrityError, match=r"booster\.ubj cannot be read"):
        load(folder)


def test_a_manifest_that_is_none_is_found(folder: Path) -> None:
    (folder / "manifest.json").write_text("[]")
    with pytest.raises(IntegrityError, match="Manifest cannot be read"):
        load(folder)


def test_a_folder_without_a_model_says_so(tmp_path: Path) -> None:
    for read in (load, artefact_digest):
        with pytest.raises(InputError, match=r"want a model folder with manifest\.json"):
            read(tmp_path)
