% Smooth a series by neighbours that agree with it, strongest where it is calm.
function y = calm_smooth (x, half, tol)
  n = numel (x);
  y = zeros (size (x));
  spread = median (abs (x - median (x))) / 0.6745;
  for k = 1:n
    lo = max (1, k - half);
    hi = min (n, k + half);
    total = 0;
    weight = 0;
    for j = lo:hi
      gap = abs (x(j) - x(k)) / (tol * spread + 1e-9);
      if (gap < 2.25)
        w = (1 - (gap / 2.25) ^ 2) ^ 2 * exp (-0.5 * ((j - k) / (0.4 * half)) ^ 2);
        total = total + w * x(j);
        weight = weight + w;
      endif
    endfor
    y(k) = 0.08 * x(k) + 0.92 * total / weight;
  endfor
endfunction
