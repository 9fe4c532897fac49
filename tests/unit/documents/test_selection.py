"""Runs are found by what people call them, and what isn't found is told with what there is."""

from __future__ import annotations

import datetime

import pytest
from event_model import compose_run

from adsupport.documents.json_text import decode_document, encode_document
from adsupport.documents.selection import UnclearRunError, epoch_of, find_runs
from adsupport.errors import DocumentError, RunNotFoundError

T0 = datetime.datetime(2026, 11, 20, 12).timestamp()
#: scan_id and uid, an hour apart; the number 2 is there twice.
RUNS = [
    (1, "aaaaaaaa-0000-0000-0000-000000000001"),
    (2, "aaaaabbb-0000-0000-0000-000000000002"),
    (3, "cccccccc-0000-0000-0000-000000000003"),
    (2, "dddddddd-0000-0000-0000-000000000004"),
    (5, "12345678-0000-0000-0000-000000000005"),
]
#: What start documents have beside it.
SAMPLES = [
    {"sample": {"name": "a", "id": 7}, "plan_name": "scan"},
    {"sample": {"name": "a", "id": "7"}, "plan_name": "count"},
    {"sample": {"name": "b", "list": ["a"]}, "plan_name": "scan"},
    {"sample": "a", "plan_name": "scan", "good": True},
    {"good": 1},
]


def documents_of(index):
    scan_id, uid = RUNS[index]
    time = T0 + 3600 * index
    run = compose_run(uid=uid, time=time, metadata={"scan_id": scan_id, **SAMPLES[index]})
    stream = run.compose_descriptor(
        name="primary", data_keys={"x": {"source": "", "dtype": "number", "shape": []}}
    )
    yield "start", run.start_doc
    yield "descriptor", stream.descriptor_doc
    yield "event", stream.compose_event(data={"x": 1.0}, timestamps={"x": time}, time=time)
    yield "stop", run.compose_stop(time=time + 60)


def write(path, indices):
    lines = [encode_document(*each) for index in indices for each in documents_of(index)]
    path.write_bytes(b"".join(lines))
    return path


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return write(tmp_path_factory.mktemp("one") / "runs.jsonl", [3, 0, 2, 1, 4])


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    found = tmp_path_factory.mktemp("many")
    for index in range(4):
        write(found / f"{9 - index}.jsonl", [index])
    write(found / "last.jsonl", [4])
    (found / "notes.txt").write_text("not documents")
    return found


@pytest.fixture(scope="module")
def catalog():
    databroker = pytest.importorskip("databroker")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *args, **kwargs: None)  # databroker's own
        cat = databroker.temp().v2
        for index in (3, 0, 2, 1, 4):
            for name, doc in documents_of(index):
                cat.v1.insert(name, doc)
        cat.force_reload()
    return cat


@pytest.fixture(params=["file", "directory", "list", "v1", "v2"])
def source(request):
    if request.param == "list":
        return [list(documents_of(index)) for index in (4, 3, 2, 1, 0)]
    if request.param in ("v1", "v2"):
        return getattr(request.getfixturevalue("catalog"), request.param)
    return request.getfixturevalue(request.param)


def found(source, *texts, **options):
    return [[uid for _, uid in RUNS].index(run.uid) for run in find_runs(source, texts, **options)]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([], [0, 1, 2, 3, 4]),
        (["-1"], [4]),
        (["-5"], [0]),
        ([-2, "-1"], [3, 4]),
        (["-3..-1"], [2, 3, 4]),
        (["-9:-4"], [0, 1]),
        ([3], [2]),
        (["2"], [3]),  # the latest of two
        (["1-3"], [0, 3, 2]),  # by number
        (["4..99"], [4]),
        (["aaaaaa"], [0]),
        (["aaaaab"], [1]),
        ([RUNS[2][1]], [2]),
        (["12345"], [4]),  # digits, and no scan_id
        (["3", "-3", "ccccc"], [2]),  # each once
        (["-1", "1"], [4, 0]),  # as asked for
    ],
)
def test_names_of_runs(source, texts, expected):
    assert found(source, *texts) == expected


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("texts", "query", "expected"),
    [
        ([], {"plan_name": "scan"}, [0, 2, 3]),
        (["-1"], {"plan_name": "scan"}, [3]),  # the latest of these
        (["2"], {"plan_name": "count"}, [1]),
        ([], {"sample.name": "a", "plan_name": "scan"}, [0]),
        ([], {"sample.id": 7}, [0]),
        ([], {"sample.id": "7"}, [1]),
        ([], {"good": True}, [3]),
        ([], {"good": 1}, [4]),
        ([], {"sample.list": ["a"]}, [2]),
        ([], {"sample": {"name": "a", "id": 7}}, [0]),
    ],
)
def test_runs_are_found_by_what_their_start_documents_have(source, texts, query, expected):
    assert found(source, *texts, query=query) == expected


def test_a_query_without_an_answer_is_told(file):
    with pytest.raises(RunNotFoundError, match=r"runs.jsonl \(sample.list='a'\) has no run"):
        find_runs(file, query={"sample.list": "a"})


@pytest.mark.filterwarnings("ignore")
def test_runs_of_a_time(source):
    assert found(source, since=T0 + 3600, until=T0 + 3 * 3600) == [1, 2]
    assert found(source, since="2026-11-20 13:00", until="2026-11-20T15") == [1, 2]
    assert found(source, since=datetime.datetime.fromtimestamp(T0 + 3 * 3600)) == [3, 4]
    assert found(source, "-1", until="2026-11-20 13:30") == [1]
    assert found(source, "2", until="2026-11-20 13:30") == [1]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("99", r"has no run '99' among its 5 runs, with scan_id 1 to 5; expected a uid"),
        ("eeeee", "has no run 'eeeee' among its 5"),
        ("50-60", "has no run '50-60' among its 5"),
        ("-6", "has no run -6: it has 5 runs"),
        ("aaaaa", r"'aaaaa' is the beginning of 2 uids in .*: aaaaaaaa-.*, aaaaabbb-.* Give more"),
        ("cccc", "'cccc' is too short .* One run would fit: cccccccc-0000"),
        ("", "has no run ''"),
        (".....", "has no run"),
        ("%%%%%%", "has no run"),
        ("--1", "has no run"),
        ("4-2", "has no run '4-2' .* or a range that goes up"),
        ("-1..-3", "has no run '-1..-3'"),
        ("3..-1", "has no run '3..-1'"),
    ],
)
def test_what_isn_t_there_is_told(source, text, message):
    with pytest.raises(RunNotFoundError, match=message) as caught:
        found(source, text)
    assert isinstance(caught.value, KeyError)
    assert "\\n" not in str(caught.value)
    clear = text in ("99", "eeeee", "50-60", "-6", "aaaaa", ".....", "%%%%%%")
    assert isinstance(caught.value, UnclearRunError) != clear


@pytest.mark.filterwarnings("ignore")
def test_no_run_in_the_time_tells_which_times_have_runs(file):
    with pytest.raises(RunNotFoundError, match=r"since 2027-01-01\) has no run.*2026-11-20 12"):
        found(file, since="2027-01-01")


def test_a_run_of_several_in_a_file_is_read_alone(file):
    (run,) = find_runs(file, ["-1"])
    assert list(run.documents())[0][1]["uid"] == RUNS[4][1]
    assert len(list(run.documents())) == 4


def test_a_file_of_many_runs_is_read_once_for_all(file, monkeypatch):
    read = []

    def decode(line, where):
        read.append(where)
        return decode_document(line, where=where)

    monkeypatch.setattr("adsupport.documents.json_lines.decode_document", decode)
    documents = [each for run in find_runs(file) for each in run.documents()]
    assert len(documents) == 20
    assert len(read) == 25  # the start documents twice
    assert set(read[5:]) == {f"line {n} of {file}" for n in range(1, 21)}


def test_no_source_is_told(tmp_path):
    with pytest.raises(DocumentError, match="neither a file nor a directory"):
        find_runs(tmp_path / "none")
    with pytest.raises(RunNotFoundError, match="has no run"):
        find_runs(tmp_path)
    with pytest.raises(DocumentError, match="isn't a stored run"):
        find_runs(3)


@pytest.mark.filterwarnings("ignore")
def test_a_catalog_is_asked_for_what_is_wanted_only(catalog, monkeypatch):
    opened = []
    original = type(catalog).__getitem__
    monkeypatch.setattr(
        type(catalog), "__getitem__", lambda self, key: opened.append(key) or original(self, key)
    )
    for text in ("3", "cccccc", "-1", "3-4"):
        opened.clear()
        assert len(find_runs(catalog, [text])) == 1
        assert len(opened) <= 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20", datetime.datetime(2026, 11, 20).timestamp()),
        ("2026-11", datetime.datetime(2026, 11, 1).timestamp()),
        ("2026-11-20T12:00:00+00:00", 1795176000.0),
        ("1795176000.5", 1795176000.5),
        (5, 5.0),
        (None, None),
    ],
)
def test_times(text, expected):
    assert epoch_of(text) == expected


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "", "2026-11-20 25:00", "nan"])
def test_what_isn_t_a_time_is_told(text):
    with pytest.raises(DocumentError, match="since: .* isn't a time.*expected a date"):
        epoch_of(text, "since")
