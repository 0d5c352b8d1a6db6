"""Code of our own that surrounds a derived piece in a case: two functions a language, an opening each.

Plain on purpose. `{body}` is where an excerpt of a function stands.
"""

from __future__ import annotations

PYTHON = (
    '''"""Shelves of a small library and what stands on them."""\n''',
    '''def shelf_label(room, shelf):
    """What is written on a shelf."""
    if shelf is None:
        raise ValueError(f"room {room} has no such shelf")
    return f"{room}/{shelf:03d}"
''',
    """def books_on_loan(readers):
    out = []
    for reader in readers:
        out.extend(book for book in reader.books if not book.returned)
    return sorted(out, key=lambda book: book.due)
""",
)
C = (
    '#include "shelf.h"\n',
    """int shelf_is_full(const struct shelf *shelf)
{
    return shelf->books >= shelf->capacity;
}
""",
    """void shelf_print(const struct shelf *shelf, FILE *out)
{
    for (int place = 0; place < shelf->books; place++)
        fprintf(out, "%d: %s\\n", place, shelf->titles[place]);
}
""",
)
JAVASCRIPT = (
    "import { shelves } from './shelves.js'\n",
    """export function shelfLabel(room, shelf) {
  if (shelf === null) throw new Error(`room ${room} has no such shelf`)
  return room + '/' + String(shelf)
}
""",
    """export function booksOnLoan(readers) {
  return readers.flatMap(reader => reader.books).filter(book => !book.returned)
}
""",
)
GO = (
    "package library\n",
    """func shelfLabel(room string, shelf int) string {
	return fmt.Sprintf("%s/%03d", room, shelf)
}
""",
    """func booksOnLoan(readers []Reader) []Book {
	var out []Book
	for _, reader := range readers {
		out = append(out, reader.Books...)
	}
	return out
}
""",
)
MATLAB = (
    "% Shelves of a small library.\n",
    """function label = shelf_label (room, shelf)
  label = sprintf ("%s/%03d", room, shelf);
endfunction
""",
    """function n = books_on_loan (readers)
  n = 0;
  for k = 1:numel (readers)
    n = n + numel (readers(k).books);
  endfor
endfunction
""",
)
R = (
    "# Shelves of a small library.\n",
    """shelf_label <- function(room, shelf) {
  sprintf("%s/%03d", room, shelf)
}
""",
    """books_on_loan <- function(readers) {
  unlist(lapply(readers, function(reader) reader$books))
}
""",
)
FORTRAN = (
    "! Shelves of a small library.\n",
    """subroutine shelf_full(books, capacity, answer)
  integer, intent(in) :: books, capacity
  logical, intent(out) :: answer
  answer = books >= capacity
end subroutine shelf_full
""",
    """integer function on_loan(given, back)
  integer, intent(in) :: given, back
  on_loan = given - back
end function on_loan
""",
)
FORTRAN_FIXED = (
    "C     Shelves of a small library.\n",
    """      SUBROUTINE SHFULL(NBOOKS, NCAP, FULL)
      INTEGER NBOOKS, NCAP
      LOGICAL FULL
      FULL = NBOOKS .GE. NCAP
      END
""",
    """      INTEGER FUNCTION ONLOAN(NGIVEN, NBACK)
      INTEGER NGIVEN, NBACK
      ONLOAN = NGIVEN - NBACK
      END
""",
)
FILLERS = {
    "python": PYTHON, "cython": PYTHON, "c": C, "cpp": C, "javascript": JAVASCRIPT, "typescript": JAVASCRIPT,
    "go": GO, "matlab": MATLAB, "r": R, "fortran": FORTRAN, "fortran-fixed": FORTRAN_FIXED,
}  # fmt: skip
SUFFIX = {
    "python": "py", "cython": "pyx", "c": "c", "cpp": "cpp", "javascript": "js", "typescript": "ts",
    "go": "go", "matlab": "m", "r": "R", "fortran": "f90", "fortran-fixed": "f",
}  # fmt: skip

HEADS = {
    "c": "void shelf_sort(struct shelf *shelf)\n{", "cpp": "void shelf_sort(struct shelf *shelf)\n{",
    "javascript": "export function sortShelf(shelf) {", "typescript": "export function sortShelf(shelf) {",
    "go": "func sortShelf(shelf *Shelf) {", "matlab": "function shelf = sort_shelf (shelf)",
    "r": "sort_shelf <- function(shelf) {", "fortran": "subroutine sort_shelf(shelf)",
    "fortran-fixed": "      SUBROUTINE SRTSHF(SHELF)",
}  # fmt: skip
TAILS = {
    "matlab": "endfunction", "fortran": "end subroutine sort_shelf", "fortran-fixed": "      END",
}  # fmt: skip


def around(language: str, indent: str) -> tuple[str, str]:
    """Head and tail of a function of ours that holds an excerpt whose outermost line has this indent."""
    if language in ("python", "cython"):
        if not indent:
            return "", ""
        return "def sort_shelf(shelf):\n" + indent + "shelf.lock()", indent + "shelf.unlock()"
    return HEADS[language], TAILS.get(language, "}")
