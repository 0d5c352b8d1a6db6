"""The report and its renderings: made by `assemble`, turned into text by `render`; formats are RENDERERS."""

from app.report.assemble import assemble
from app.report.model import Report
from app.report.renderers import RENDERERS, RenderContext, render

__all__ = ["RENDERERS", "RenderContext", "Report", "assemble", "render"]
