! SPDX-License-Identifier: GPL-3.0-or-later
module quadrature
  implicit none
  integer, parameter :: dp = kind(1.0d0)
contains
  recursive function adaptive_lobatto(f, a, b, fa, fb, tolerance, depth) result(total)
    interface
      function f(x) result(y)
        double precision, intent(in) :: x
        double precision :: y
      end function f
    end interface
    real(dp), intent(in) :: a, b, fa, fb, tolerance
    integer, intent(in) :: depth
    real(dp) :: total, middle, half, fm, fl, fr, coarse, fine
    middle = 0.5d0 * (a + b)
    half = 0.5d0 * (b - a)
    fm = f(middle)
    fl = f(middle - 0.447213595499958d0 * half)
    fr = f(middle + 0.447213595499958d0 * half)
    coarse = half / 3.0d0 * (fa + 4.0d0 * fm + fb)
    fine = half / 6.0d0 * (fa + fb + 5.0d0 * (fl + fr))
    if (abs(fine - coarse) <= tolerance .or. depth >= 41) then
      total = fine
    else
      total = adaptive_lobatto(f, a, middle, fa, fm, 0.5d0 * tolerance, depth + 1) &
            + adaptive_lobatto(f, middle, b, fm, fb, 0.5d0 * tolerance, depth + 1)
    end if
  end function adaptive_lobatto
end module quadrature
