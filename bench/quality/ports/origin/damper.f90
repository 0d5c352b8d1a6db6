! Profile of a boundary that damps waves: a ramp, a plateau and a tail.
subroutine damping_profile(n, width, strength, profile)
  implicit none
  integer, intent(in) :: n, width
  real(8), intent(in) :: strength
  real(8), intent(out) :: profile(n)
  integer :: i, inside
  real(8) :: x, peak
  peak = 0.0d0
  do i = 1, n
    inside = min(i - 1, n - i)
    if (inside >= width) then
      profile(i) = 1.0d0
    else
      x = 1.0d0 - dble(inside) / dble(width)
      if (x < 0.35d0) then
        profile(i) = exp(-strength * 1.8d0 * x**3)
      else
        profile(i) = exp(-strength * (0.0771d0 + 1.25d0 * (x - 0.35d0)**2))
      end if
    end if
    peak = max(peak, profile(i))
  end do
  do i = 1, n
    profile(i) = profile(i) / peak
  end do
end subroutine damping_profile
