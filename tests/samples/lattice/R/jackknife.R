# SPDX-License-Identifier: GPL-3.0-or-later
jackknife_bias <- function(values, statistic, trim = 0.0625) {
  count <- length(values)
  whole <- statistic(values)
  partial <- vapply(seq_len(count), function(leave) statistic(values[-leave]), numeric(1))
  kept <- sort(partial)[(floor(trim * count) + 1):(count - floor(trim * count))]
  bias <- (count - 1) * (mean(kept) - whole)
  spread <- sqrt((count - 1) / count * sum((kept - mean(kept))^2))
  list(estimate = whole - bias, bias = bias, error = spread)
}
