"""Generated trees that mirror the real data sets; the files are empty, for readers only walk."""

from __future__ import annotations

import json

import pytest

from deepfake.data.datasets import READERS
from deepfake.data.datasets.celeb_df import celeb_df
from deepfake.data.datasets.cifake import cifake
from deepfake.data.datasets.dfdc import dfdc
from deepfake.data.datasets.face_forensics import face_forensics
from deepfake.data.datasets.folder import folder
from deepfake.data.index import Row
from deepfake.data.split import check_disjoint
from deepfake.errors import DatasetError

CELEB = ("Celeb-real/id0_0000.mp4", "YouTube-real/00170.mp4", "Celeb-synthesis/id0_id16_0000.mp4", "Celeb-real/id1_0003.mp4")  # fmt: skip
LIST = "List_of_testing_videos.txt"


@pytest.fixture
def tree(tmp_path):
    """Writes files below a folder: a path alone is empty, `(path, content)` holds a text, or else JSON."""

    def make(*files):
        for file in files:
            path, content = file if isinstance(file, tuple) else (file, "")
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(content if isinstance(content, str) else json.dumps(content))
        return tmp_path

    return make


@pytest.mark.parametrize("name", READERS)
def test_a_folder_without_the_data_set_is_refused_with_the_layout(tree, name):
    root = tree("notes.txt", ".hidden/real/a.png", "__MACOSX/real/a.png", "real/.a.png", "real/a.txt")
    with pytest.raises(DatasetError, match="Found none in .* Expected: .*(mp4|json|jpg)"):
        READERS[name](root)
    with pytest.raises(DatasetError, match="Received: .*absent, which is none. Expected: .*(mp4|json|jpg)"):
        READERS[name](root / "absent")
    with pytest.raises(DatasetError, match="notes.txt, which is none"):
        READERS[name](root / "notes.txt")


def test_celeb_df(tree):
    listed = "1 YouTube-real/00170.mp4\r\n0 Celeb-synthesis/id0_id16_0000.mp4\r\n\r\n"
    root = tree(*CELEB, "Celeb-real/notes.txt", "Celeb-real/.id0_0001.mp4", "other/id0_0000.mp4", (LIST, listed))
    assert celeb_df(root) == [
        Row("Celeb-real/id0_0000.mp4", "real", "celeb_df_v2", "", "id0", "", "Celeb-real/id0_0000"),
        Row("Celeb-real/id1_0003.mp4", "real", "celeb_df_v2", "", "id1", "", "Celeb-real/id1_0003"),
        Row("Celeb-synthesis/id0_id16_0000.mp4", "fake", "celeb_df_v2", "test", "id0+id16", "celeb_synthesis",
            "Celeb-synthesis/id0_id16_0000"),
        Row("YouTube-real/00170.mp4", "real", "celeb_df_v2", "test", "", "", "YouTube-real/00170"),
    ]  # fmt: skip


@pytest.mark.parametrize(("listed", "message"), [
    ("1 Celeb-real/id9_0000.mp4", r"id9_0000\.mp4, listed as real, is absent"),
    ("0 YouTube-real/00170.mp4", r"00170\.mp4, listed as fake, lies in a folder of real videos"),
    ("1 Celeb-synthesis/id0_id16_0000.mp4", "id0_id16_0000.mp4, listed as real, lies in a folder of fake videos"),
    ("1 YouTube-real/00170.mp4\n2 Celeb-real/id0_0000.mp4", "line 2: must be 0 or 1 .* Received: '2 Celeb-real"),
    ("YouTube-real/00170.mp4", "line 1: must be 0 or 1"),
])  # fmt: skip
def test_celeb_df_with_a_wrong_list_is_refused(tree, listed, message):
    with pytest.raises(DatasetError, match=message):
        celeb_df(tree(*CELEB, (LIST, listed)))


def test_celeb_df_without_its_list_or_names_is_refused(tree):
    with pytest.raises(DatasetError, match=f"Put {LIST}, which comes with the data set, into"):
        celeb_df(tree(*CELEB))
    with pytest.raises(DatasetError, match="must keep the names .* Received: .*portrait.mp4"):
        celeb_df(tree("Celeb-real/portrait.mp4", (LIST, "")))


FORENSICS = (
    "original_sequences/youtube/c23/videos/033.mp4",
    "original_sequences/youtube/c23/videos/097.mp4",
    "manipulated_sequences/Deepfakes/c23/videos/033_097.mp4",
    "manipulated_sequences/FaceShifter/c23/videos/097_033.mp4",
)
PAIRS = {"train": [["071", "054"]], "val": [["097", "033"]], "test": [["953", "974"]]}


def test_face_forensics_without_the_lists(tree):
    root = tree(
        *FORENSICS,
        "manipulated_sequences/Deepfakes/c40/videos/033_097.mp4",
        "manipulated_sequences/Deepfakes/masks/videos/033_097.mp4",
        "manipulated_sequences/NeuralTextures/raw/images/071_054/0001.png",
        "manipulated_sequences/NeuralTextures/raw/images/071_054/0002.png",
        "original_sequences/actors/c23/videos/01__exit_phone_room.mp4",
        "manipulated_sequences/DeepFakeDetection/c23/faces/01_02__outside_talking__YVGY8LOK/7.png",
    )
    fake, real = "manipulated_sequences", "original_sequences"
    actors = "01_02__outside_talking__YVGY8LOK"
    rows = face_forensics(root)
    assert rows == [
        Row(path, "fake" if path.startswith(fake) else "real", "faceforensics", "", identity, method, clip)
        for path, identity, method, clip in (
            (f"{fake}/DeepFakeDetection/c23/faces/{actors}/7.png", "actor01+actor02", "DeepFakeDetection", f"DeepFakeDetection/c23/{actors}"),
            (f"{fake}/Deepfakes/c23/videos/033_097.mp4", "033+097", "Deepfakes", "Deepfakes/c23/033_097"),
            (f"{fake}/Deepfakes/c40/videos/033_097.mp4", "033+097", "Deepfakes", "Deepfakes/c40/033_097"),
            (f"{fake}/FaceShifter/c23/videos/097_033.mp4", "097+033", "FaceShifter", "FaceShifter/c23/097_033"),
            (f"{fake}/NeuralTextures/raw/images/071_054/0001.png", "071+054", "NeuralTextures", "NeuralTextures/raw/071_054"),
            (f"{fake}/NeuralTextures/raw/images/071_054/0002.png", "071+054", "NeuralTextures", "NeuralTextures/raw/071_054"),
            (f"{real}/actors/c23/videos/01__exit_phone_room.mp4", "actor01", "", "actors/c23/01__exit_phone_room"),
            (f"{real}/youtube/c23/videos/033.mp4", "033", "", "youtube/c23/033"),
            (f"{real}/youtube/c23/videos/097.mp4", "097", "", "youtube/c23/097"),
        )
    ]  # fmt: skip
    for level in ("raw", "c23", "c40"):
        assert face_forensics(root, level) == [row for row in rows if f"/{level}/" in row.path]
    with pytest.raises(ValueError, match=r"raw, c23, c40\. Received: 'c50'"):
        face_forensics(root, "c50")


@pytest.mark.parametrize("place", ["splits/", ""])
def test_face_forensics_puts_a_pair_in_both_orders_into_its_official_split(tree, place):
    actors = "original_sequences/actors/c23/videos/01__exit_phone_room.mp4"
    test = "manipulated_sequences/Face2Face/c40/videos/974_953.mp4"
    root = tree(*FORENSICS, actors, test, *((f"{place}{split}.json", pairs) for split, pairs in PAIRS.items()))
    rows = face_forensics(root)
    assert {row.path: row.split for row in rows} == {**dict.fromkeys(FORENSICS, "val"), actors: "", test: "test"}
    check_disjoint(rows)


@pytest.mark.parametrize(("changes", "message"), [
    ({"val": None, "test": None}, r"Missing: val\.json, test\.json"),
    ({"val": [["097", "071"]]}, r'val\.json must be a list of pairs .* Received: \["097", "071"\]'),
    ({"val": ["097"]}, r'list of pairs .* Received: "097"'),
    ({"val": {"097": "033"}}, 'list of pairs .* Received: {"097": "033"}'),
    ({"val": "[["}, r"val\.json cannot be read as JSON"),
    ({"val": [["097", "100"]]}, r"033_097\.mp4, in none, val"),
    ({"val": [["097", "100"]], "test": [["033", "974"]]}, r"033_097\.mp4, in test, val"),
])  # fmt: skip
def test_face_forensics_with_wrong_lists_is_refused(tree, changes, message):
    lists = {split: pairs for split, pairs in (PAIRS | changes).items() if pairs is not None}
    root = tree(*FORENSICS, *((f"splits/{split}.json", pairs) for split, pairs in lists.items()))
    with pytest.raises(DatasetError, match=message):
        face_forensics(root)


@pytest.mark.parametrize("path", [
    "original_sequences/youtube/c23/videos/portrait.mp4",
    "original_sequences/youtube/c23/videos/033_097.mp4",
    "manipulated_sequences/Deepfakes/c23/videos/033.mp4",
    "manipulated_sequences/DeepFakeDetection/c23/images/01__exit/1.png",
])  # fmt: skip
def test_face_forensics_with_another_name_is_refused(tree, path):
    with pytest.raises(DatasetError, match="must keep the names .* Expected: .*033_097.mp4"):
        face_forensics(tree(path))


FAKE = {"label": "FAKE", "split": "train", "original": "vudstovrck.mp4"}
REAL = {"label": "REAL", "split": "train", "original": None}


def test_dfdc(tree):
    root = tree(
        "part_0/aagfhgtpmv.mp4",
        "part_0/unlisted.mp4",
        ("part_0/metadata.json", {"aagfhgtpmv.mp4": FAKE, "vudstovrck.mp4": REAL}),
        "zip_1/part_1/abc.MP4",
        ("zip_1/part_1/metadata.json", {"abc.MP4": REAL}),
        "a/b/c/deep.mp4",
        ("a/b/c/metadata.json", {"deep.mp4": REAL}),
    )
    assert dfdc(root) == [
        Row("part_0/aagfhgtpmv.mp4", "fake", "dfdc", "", "vudstovrck", "dfdc", "aagfhgtpmv"),
        Row("zip_1/part_1/abc.MP4", "real", "dfdc", "", "abc", "", "abc"),
    ]
    assert dfdc(root / "part_0") == [Row("aagfhgtpmv.mp4", "fake", "dfdc", "", "vudstovrck", "dfdc", "aagfhgtpmv")]


@pytest.mark.parametrize(("listing", "message"), [
    ("{", r"x/metadata\.json cannot be read as JSON"),
    ([], r"x/metadata\.json must map videos to their labels\. Received: list"),
    ({"b.mp4": {"label": "MAYBE"}}, r'x/metadata\.json: .* Received: b\.mp4: {"label": "MAYBE"}'),
    ({"b.mp4": {"label": ["REAL"]}}, r"Received: b\.mp4"),
    ({"b.mp4": {"is_fake": 1}}, r"Received: b\.mp4"),
    ({"b.mp4": "FAKE"}, r'Received: b\.mp4: "FAKE"'),
    ({"b.mp4": {"label": "FAKE"}}, r"FAKE and its original\. Received: b\.mp4"),
    ({"absent.mp4": FAKE}, "Found none in"),
])  # fmt: skip
def test_dfdc_with_a_wrong_listing_is_refused(tree, listing, message):
    with pytest.raises(DatasetError, match=message):
        dfdc(tree("x/b.mp4", ("x/metadata.json", listing)))


def test_dfdc_with_a_video_twice_is_refused(tree):
    root = tree("x/a.mp4", "y/a.mp4", ("x/metadata.json", {"a.mp4": REAL}), ("y/metadata.json", {"a.mp4": REAL}))
    with pytest.raises(DatasetError, match=r"Received: x/a\.mp4 and y/a\.mp4"):
        dfdc(root)


def test_cifake(tree):
    names = ("test/FAKE/0 (2).jpg", "test/REAL/0 (2).jpg", "train/FAKE/0 (2).jpg", "train/REAL/0 (2).jpg")
    root = tree(*names, "train/notes.jpg", "other/REAL/0.jpg")
    assert cifake(root) == [
        Row("test/FAKE/0 (2).jpg", "fake", "cifake", "test", "", "stable_diffusion_1.4", "test/FAKE/0 (2)"),
        Row("test/REAL/0 (2).jpg", "real", "cifake", "test", "", "", "test/REAL/0 (2)"),
        Row("train/FAKE/0 (2).jpg", "fake", "cifake", "", "", "stable_diffusion_1.4", "train/FAKE/0 (2)"),
        Row("train/REAL/0 (2).jpg", "real", "cifake", "", "", "", "train/REAL/0 (2)"),
    ]
    with pytest.raises(DatasetError, match=r"0 \(2\)\.jpg and train/REAL/0 \(2\)\.png"):
        cifake(tree("train/REAL/0 (2).png"))


@pytest.mark.parametrize(("path", "label", "split", "identity", "method", "clip"), [
    ("real/a.mp4", "real", "", "a", "", "real/a"),
    ("fake/a.mp4", "fake", "", "a", "", "fake/a"),
    ("fake/x.y.png", "fake", "", "x.y", "", "fake/x.y"),
    ("fake/Swap/x.png", "fake", "", "x", "Swap", "fake/Swap/x"),
    ("fake/Swap/x.MP4", "fake", "", "x", "Swap", "fake/Swap/x"),
    ("fake/Swap/c/0001.png", "fake", "", "c", "Swap", "fake/Swap/c"),
    ("real/c/0001.png", "real", "", "c", "", "real/c"),
    ("real/c/a.mov", "real", "", "a", "", "real/c/a"),
    ("TRAIN/Real/x.JPG", "real", "train", "", "", "TRAIN/Real/x"),
    ("deep/Valid/FAKES/gan/x.jpeg", "fake", "val", "", "gan", "deep/Valid/FAKES/gan/x"),
    ("validation/Originals/x.webp", "real", "val", "", "", "validation/Originals/x"),
    ("val/authentic/x.png", "real", "val", "", "", "val/authentic/x"),
    ("test/manipulated/x.png", "fake", "test", "", "", "test/manipulated/x"),
    ("train/x/test/generated/x.png", "fake", "test", "", "", "train/x/test/generated/x"),
    ("synthetic/test/x.png", "fake", "test", "", "", "synthetic/test/x"),
    ("original/train/c/1.png", "real", "train", "", "", "original/train/c"),
    ("real/all/fake/x.png", "fake", "", "x", "", "real/all/fake/x"),
    ("fake/Real/c/1.png", "real", "", "c", "", "fake/Real/c"),
])  # fmt: skip
def test_folder(tree, path, label, split, identity, method, clip):
    root = tree(path, "x.png", "other/y.mp4", "train/z.png")
    assert folder(root, "mine") == [Row(path, label, "mine", split, identity, method, clip)]
    assert [row.source for row in folder(root)] == [root.name]


def test_folder_keeps_an_original_and_its_fakes_linked_and_apart(tree):
    rows = folder(tree("real/a/1.png", "real/a/2.png", "fake/Swap/a/1.png", "fake/a.mp4", "real/a.mp4"))
    assert [row.path for row in rows] == sorted(row.path for row in rows)
    assert {row.identity for row in rows} == {"a"}
    clips = {label: {row.clip for row in rows if row.label == label} for label in ("real", "fake")}
    assert clips == {"real": {"real/a"}, "fake": {"fake/Swap/a", "fake/a"}}


def test_folder_with_frames_in_the_place_of_methods_is_refused(tree):
    root = tree("train/real/a/1.png", "train/fake/a/1.png")
    with pytest.raises(DatasetError, match="Received: a, below both in .* into fake/<method>/a"):
        folder(root)
