"""The monitors: what columns each needs, its statistics, suggested constraints and checks. All pure."""
