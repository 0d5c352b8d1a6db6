# Seasonal indices by trimmed ratios, pulled towards one where a season was seldom seen.
season_index <- function(values, period, pull = 2.5) {
  n <- length(values)
  half <- period %/% 2
  ratios <- vector("list", period)
  for (i in seq_len(n)) {
    lo <- max(1, i - half)
    hi <- min(n, i + half)
    level <- mean(values[lo:hi])
    if (level > 1e-8) {
      s <- (i - 1) %% period + 1
      ratios[[s]] <- c(ratios[[s]], values[i] / level)
    }
  }
  index <- numeric(period)
  for (s in seq_len(period)) {
    r <- sort(ratios[[s]])
    k <- length(r)
    if (k >= 5) r <- r[2:(k - 1)]
    index[s] <- (sum(r) + pull) / (length(r) + pull)
  }
  index * period / sum(index)
}
