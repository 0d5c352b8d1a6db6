"""The receipt: a signed record of one search, that can be checked anywhere without corpus or network.

report + change + index facts → body (the same for the same search) → envelope with day and key → signature
"""
