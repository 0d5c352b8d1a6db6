"""Arrays by address, for inner loops of machine code.

An address in place of an array costs one register, no count of references, and no test whether an index is
negative: it must not be, and must not go beyond the array. The array must be kept meanwhile: be the caller's,
or be used again later.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array


def _address(typing: Any, array: Any) -> Any:
    """Where an array's first element lies."""

    def made(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        make = make_array(signature.args[0])  # type: ignore[no-untyped-call]
        return make(context, builder, arguments[0]).data

    return types.CPointer(array.dtype)(array), made  # type: ignore[no-untyped-call]


address: Any = intrinsic(_address)
