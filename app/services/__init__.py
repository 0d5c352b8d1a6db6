"""Use cases with more than one caller: functions on an open transaction (`app.work.Work`)."""
