! Temperature of a wet surface by a damped search, with coefficients of our own.
subroutine wet_surface(t, rh, p, wet, steps)
  implicit none
  real(8), intent(in) :: t, rh, p
  real(8), intent(out) :: wet
  integer, intent(out) :: steps
  real(8) :: vapour, sat, rest, damp
  vapour = 0.01d0 * rh * 6.1094d0 * exp(17.625d0 * t / (t + 243.04d0))
  wet = t - 0.37d0 * (t - 4.2d0) * (1.0d0 - 0.01d0 * rh)
  damp = 0.85d0
  do steps = 1, 60
    sat = 6.1094d0 * exp(17.625d0 * wet / (wet + 243.04d0))
    rest = sat - vapour - 6.62d-4 * p * (1.0d0 + 1.15d-3 * wet) * (t - wet)
    if (abs(rest) < 1.0d-6) exit
    wet = wet - damp * rest / (sat * 4283.58d0 / (wet + 243.04d0)**2 + 6.62d-4 * p)
    if (mod(steps, 15) == 0) damp = 0.7d0 * damp
  end do
end subroutine wet_surface
