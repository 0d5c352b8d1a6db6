"""Declared AI use: what commit messages and a pull request's text say, and what a project asks for. Pure.

Only what people declare is read; nothing is ever concluded from code. `declared.read` → `rules.judge`.
"""
