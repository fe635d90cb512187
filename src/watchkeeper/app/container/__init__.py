"""The container of a Model Monitor job: what it is told, what it reads, what it leaves."""
