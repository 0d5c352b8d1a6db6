"""`POST /v1/compare`: how far two texts agree. Nothing is stored."""

from __future__ import annotations

from typing import Annotated, TypeVar

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from app.api.access import Asks, needs
from app.api.resources import Resource
from app.api.strict_json import Body, FilePath, examples
from app.api.strict_route import StrictRoute
from app.services.compare import compare as compare_texts

router = APIRouter(prefix="/v1/compare", tags=["compare"], route_class=StrictRoute)

GCD = "unsigned gcd(unsigned a, unsigned b)\n{\n    return b ? gcd(b, a % b) : a;\n}\n"
Text = Annotated[str, StringConstraints(strict=True, max_length=1 << 20, pattern=r"^[^\x00]*$")]


class Side(Body):
    """One text. path: tells its language."""

    path: FilePath = "text"
    text: Text


class CompareBody(Body):
    """Two texts. language: of both, where the paths do not tell it."""

    model_config = examples(
        {
            "left": {"path": "a.c", "text": GCD},
            "right": {"path": "b.c", "text": GCD.replace("gcd", "common_divisor")},
        }
    )

    left: Side
    right: Side
    language: Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z0-9+#_-]{1,40}$")] | None = None


Item = TypeVar("Item")
Pair = Annotated[list[Item], Field(min_length=2, max_length=2)]


class ComparisonResource(Resource):
    """score: 0..1, twice the matched tokens over all tokens of both.

    containment_left, containment_right: share of a side's tokens that is matched. literal: share of matched
    tokens that are spelled alike. line_pairs: [left line, right line].
    """

    languages: Pair[str] = Field(description="What each text was read as.")
    score: float
    containment_left: float
    containment_right: float
    tokens: int
    longest_run: int
    literal: float
    line_pairs: list[Pair[int]]
    renames: dict[str, str] = Field(examples=[{"gcd": "common_divisor"}])


@router.post("", operation_id="compareTexts", summary="Compare two texts", **needs("scan", body=True))
async def compare(asking: Asks, body: CompareBody) -> ComparisonResource:
    """Token by token, also where names were changed, with the lines that agree."""
    found = await compare_texts(
        asking.context,
        body.left.text.encode(),
        body.right.text.encode(),
        left_path=body.left.path,
        right_path=body.right.path,
        language=body.language,
    )
    return ComparisonResource(
        languages=found["languages"],
        score=found["score"],
        containment_left=found["left"],
        containment_right=found["right"],
        tokens=found["tokens"],
        longest_run=found["longest_run"],
        literal=found["literal"],
        line_pairs=found["line_pairs"],
        renames=found["renames"],
    )
