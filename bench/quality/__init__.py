"""How well changes are told apart: recall on derived code, false findings on honest code."""
