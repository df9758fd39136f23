from __future__ import annotations

import pytest

from deepfake.data.index import Row, located, read_index, read_indexes, write_index
from deepfake.errors import DatasetError

ROWS = [
    Row("a/1.mp4", "real", "made", "train", "p1"),
    Row("a/2.mp4", "fake", "made", "test", "p1+p2", "swap", "clip-2", "1 2 3 4", "1 1 2 2 3 3 4 4 5 5"),
]


def test_an_index_is_read_as_it_was_written(tmp_path):
    write_index(tmp_path / "new" / "index.csv", ROWS)
    assert read_index(tmp_path / "new" / "index.csv") == ROWS


def test_path_and_label_are_enough_and_group_is_an_identity(tmp_path):
    (tmp_path / "short.csv").write_text("label,path\nreal,a.png\n")
    (tmp_path / "group.csv").write_text("path,label,source,split,group,method\nb.png,fake,s,val,g7,swap\n")
    assert read_index(tmp_path / "short.csv") == [Row("a.png", "real")]
    assert read_index(tmp_path / "group.csv") == [Row("b.png", "fake", "s", "val", "g7", "swap")]


@pytest.mark.parametrize(("text", "message"), [
    ("path,source\na,real\n", "needs the columns path and label, and may have source, split.* Missing: label"),
    ("path,label\na,maybe\n", "line 2: `label` must be one of real, fake"),
    ("path,label,split\na,real,dev\n", "Received: 'real', 'dev'"),
])  # fmt: skip
def test_a_wrong_index_is_refused(tmp_path, text, message):
    (tmp_path / "index.csv").write_text(text)
    with pytest.raises(DatasetError, match=message):
        read_index(tmp_path / "index.csv")
    with pytest.raises(DatasetError, match="cannot be read"):
        read_index(tmp_path / "absent.csv")


def test_paths_name_the_same_files_from_another_folder(tmp_path):
    (tmp_path / "tables" / "deep").mkdir(parents=True)
    moved = located(ROWS, tmp_path / "data", tmp_path / "tables" / "deep")
    assert moved[0].path == "../../data/a/1.mp4"
    assert [row.clip_name for row in moved] == [row.clip_name for row in ROWS]
    assert located(ROWS, tmp_path / "data", tmp_path / "data") == ROWS
    write_index(tmp_path / "tables" / "deep" / "index.csv", moved)
    write_index(tmp_path / "data" / "index.csv", ROWS)
    both = read_indexes([tmp_path / "tables" / "deep" / "index.csv", tmp_path / "data" / "index.csv"])
    assert both[0].path == both[2].path == str(tmp_path / "data" / "a" / "1.mp4")


@pytest.mark.parametrize("code", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("comma", [",", ";", "\t"])
@pytest.mark.parametrize("before", ["", "sep"])
def test_a_table_from_any_spreadsheet_is_read(tmp_path, code, comma, before):
    lines = [
        *([f"sep={comma}"] if before else []),
        comma.join(["path", "label", "source"]),
        comma.join(["ß\u2028,;.png" if comma == "\t" else "ß.png", "fake", "x"]),
    ]
    (tmp_path / "index.csv").write_bytes("\r\n".join(lines).encode(code))
    (row,) = read_index(tmp_path / "index.csv")
    assert (row.path[0], row.label, row.source) == ("ß", "fake", "x")


def test_a_table_with_zero_bytes_is_refused(tmp_path):
    (tmp_path / "index.csv").write_bytes(b"path,label\na\0.png,real\n")
    with pytest.raises(DatasetError, match="holds zero bytes, so it is no CSV table"):
        read_index(tmp_path / "index.csv")
