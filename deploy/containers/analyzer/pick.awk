# Of a lock file those requirements, hashes included, that the first file names one to a line.
NR == FNR { wanted[$1]; next }
/^[a-z0-9]/ { split($1, name, "=="); kept = name[1] in wanted }
kept && !/^ *#/
