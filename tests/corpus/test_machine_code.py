"""Machine code is compiled once for all processes, and also where no folder can keep it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
USED = (  # all that makes a record, and what looks at files
    "from corpus.languages.compiled import kernel, significant, span_sums;"
    "from corpus.languages.meanings_compiled import complete;"
    "from corpus.fingerprint.compiled import owners, sketch;"
    "from corpus.fingerprint.features_compiled import lexicon, token_features;"
    "from corpus.fingerprint.words_compiled import word_rows;"
    "from corpus.functions.compiled import codes, unit_rows;"
    "from corpus.functions.braces_compiled import brace_rows;"
    "from corpus.functions.brackets_compiled import brackets;"
    "from corpus.functions.ends_compiled import end_rows, ruby_rows;"
    "from corpus.functions.fortran_compiled import fortran_rows;"
    "from corpus.functions.indents_compiled import indent_rows;"
    "from corpus.glance_compiled import glance;"
    "used = (kernel(), complete, significant, span_sums, sketch, owners, lexicon, word_rows, token_features,"
    " codes, unit_rows, brace_rows, brackets, end_rows, ruby_rows, fortran_rows, indent_rows, glance)"
)


def run(code, folder, **environment):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**kept, "PYTHONPATH": f"{folder}:{ROOT}", **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=200,
    ).stdout.split()


def test_a_second_process_compiles_nothing():
    code = (
        "from corpus.machine_code import warm; print(warm());"
        f"{USED};"
        "print(sum(sum(f.stats.cache_misses.values()) for f in used))"
    )
    run(code, ROOT)
    folder, compiled = run(code, ROOT)
    assert Path(folder).is_dir()
    assert compiled == "0"


def test_what_matching_runs_is_loaded_before_the_first_search(tmp_path):
    """A worker that lives long asks for it; the search then uses it and compiles nothing."""
    code = (
        "from pathlib import Path; from corpus import match; from corpus.machine_code import warm_matching;"
        "from corpus.model import ChangedFile, Region; from corpus.query import make_query;"
        "from tests.small_corpus import sample, sample_corpus;"
        "from corpus.params import DEFAULT; index = sample_corpus(Path('data')).open(); warm_matching();"
        "lines = tuple(sample('lattice/src/simplex.c').splitlines());"
        "change = ChangedFile('a.py', (Region(1, lines, (True,) * len(lines)),));"
        "from corpus.align_compiled import best_chains, chain_pairs, common_runs;"
        "from corpus.evidence_compiled import pair_weights;"
        "from corpus.fingerprint.words_compiled import token_elements;"
        "from corpus.local_alignment_compiled import fill, pair_scores, trace;"
        "from corpus.renaming_compiled import surprises; from corpus import local_alignment;"
        "used = (best_chains, chain_pairs, common_runs, token_elements, fill, pair_scores, trace, surprises,"
        "pair_weights);"
        "match.match(make_query(change, 'c'), index, DEFAULT);"
        "print(*(len(f.signatures) for f in used), local_alignment.compile_pays(1))"
    )
    assert run(code, tmp_path) == ["1"] * 9 + ["True"]


def test_one_entry_serves_all_languages():
    code = (
        "from corpus.index.record import make_record; from corpus.languages import LANGUAGES\n"
        "for name in LANGUAGES: make_record(b'f(a) = 1.5 + 0b1 + \"x\"\\n' * 9, name, compiled=True)\n"
        "make_record(b'#if 1\\ndef f(a):\\n  return a\\n', 'python', compiled=True)\n"
        "make_record(b'', 'c', compiled=True)\n"
        "from corpus.glance import glance as look\n"
        "look(b'', compiled=True); look(b'x', compiled=True)\n"
        f"{USED}; print(*(len(f.signatures) for f in used))"
    )
    assert run(code, ROOT) == ["1"] * 18


def test_code_runs_where_no_folder_can_keep_it(tmp_path):
    (tmp_path / "loops.py").write_text(
        "from corpus.machine_code import cached\n@cached\ndef twice(x): return 2 * x\n"
    )
    (tmp_path / "__pycache__").write_text("a file where the folder should be")
    closed = str(tmp_path / "__pycache__" / "below")
    code = "import loops; print(loops.twice(21), loops.twice.stats.cache_path)"
    assert run(code, tmp_path, HOME=closed, XDG_CACHE_HOME=closed) == ["42", "None"]
    assert run(code, tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "kept"))[0] == "42"
    assert list((tmp_path / "kept").rglob("*.nbi"))
