"""The monitors: what columns each needs, its statistics, suggested constraints and checks. All pure.

To add one, write its file with a `MONITOR` and add that to `MONITORS` in `every.py`.
"""
