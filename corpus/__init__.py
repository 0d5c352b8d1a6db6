"""The knowledge: copyleft and background source code, cut into code units, sketched and indexed.

Synchronous. Knows no web, no database and no queue. A folder is a stage of the data.
"""
