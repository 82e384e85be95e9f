#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# preload.sh - ordinary programs on librmm-malloc.so, refmm's malloc.
#
# Each runs twice, on libc's malloc and on refmm's, and must print the same.
# Every process under the preload, children too, checks all invariants of its
# machine when it ends and says so in a log. And wrong frees end a program.
. tests/support/lib.sh

LIBRARY=$BUILD/librmm-malloc.so

# preload LOG COMMAND... - on refmm's malloc
preload() {
	local log=$1
	shift
	LD_PRELOAD=$LIBRARY RMM_MALLOC_CHECK=$log "$@"
}

# verdict NAME LOG LEAST - all machines valid, and at least LEAST of them
verdict() {
	local all valid
	all=$(grep -c '^librmm-malloc: pid ' "$2" 2>/dev/null)
	valid=$(grep -c '^librmm-malloc: pid [0-9]*: valid; ' "$2" 2>/dev/null)
	if [ "${all:-0}" -lt "$3" ]; then
		not_ok "$1" "${all:-0} processes checked their machine, wanted $3"
	else
		same "$1" "$all" "$valid"
	fi
}

# compare NAME LEAST COMMAND... - the same output, and valid machines
compare() {
	local name=$1 least=$2 log=$SCRATCH/$1.log status
	shift 2
	"$@" >"$SCRATCH/$name.plain" 2>&1
	status=$?
	preload "$log" "$@" >"$SCRATCH/$name.rmm" 2>&1
	same "$name: exit status" "$status" $?
	check "$name: same output" "$(diff "$SCRATCH/$name.plain" "$SCRATCH/$name.rmm" | head -n 3)" \
		cmp -s "$SCRATCH/$name.plain" "$SCRATCH/$name.rmm"
	check "$name: there is output" "nothing printed" test -s "$SCRATCH/$name.rmm"
	verdict "$name: machines valid" "$log" "$least"
}

# 100,000 rows: index, join, sort, aggregate, update, delete, roll back, vacuum
sql() {
	cat <<-'END'
	PRAGMA cache_size = -20000;
	CREATE TABLE item(id INTEGER PRIMARY KEY, kind INT, name TEXT, body BLOB);
	WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
	  INSERT INTO item SELECT i, (i * 7919) % 997, printf('item-%06d', (i * 31337) % 100003),
	    zeroblob(i % 200) FROM n;
	CREATE INDEX by_kind ON item(kind, name);
	CREATE TABLE kind AS SELECT kind AS id, count(*) AS items, max(name) AS last
	  FROM item GROUP BY kind;
	SELECT count(*), sum(id), sum(length(body)), min(name), max(name) FROM item;
	SELECT k.id, k.items, count(i.id) FROM kind k JOIN item i ON i.kind = k.id
	  GROUP BY k.id ORDER BY k.last DESC, k.id LIMIT 20;
	UPDATE item SET name = name || '-' || kind WHERE kind % 3 = 0;
	DELETE FROM item WHERE kind % 5 = 1;
	BEGIN; DELETE FROM item; ROLLBACK;
	SELECT group_concat(name, ',') FROM (SELECT name FROM item ORDER BY name DESC LIMIT 50);
	SELECT sum(length(g)) FROM (SELECT group_concat(name) AS g FROM item GROUP BY kind);
	VACUUM;
	PRAGMA integrity_check;
	SELECT count(*), total(length(name)) FROM item;
	END
}

python_script() {
	cat <<-'END'
	import hashlib, subprocess, sys, threading

	def churn(seed, out):
	    digest, table, x = hashlib.sha256(), {}, seed
	    for i in range(30000):
	        x = (x * 1103515245 + 12345) % 2**31
	        key = "key-%d" % (x % 3000)
	        table[key] = table.get(key, []) + [str(x) * (x % 7)]
	        if len(table[key]) > 20:
	            digest.update("".join(table.pop(key)).encode())
	    digest.update(repr(sorted(table.items())).encode())
	    out[seed] = digest.hexdigest()

	results = {}
	threads = [threading.Thread(target=churn, args=(s, results)) for s in range(6)]
	[t.start() for t in threads]
	[t.join() for t in threads]
	print(sorted(results.items()))
	big = bytearray(20 << 20)
	big.extend(b"x" * 1000)
	print(len(big), hashlib.sha256(big).hexdigest())
	child = "import json; print(len(json.dumps([{'n': i} for i in range(20000)])))"
	for _ in range(3):
	    print(subprocess.run([sys.executable, "-c", child], capture_output=True, text=True).stdout)
	END
}

sort_input() {
	awk 'BEGIN { for (i = 0; i < 400000; i++) { x = (x * 69069 + 5) % 4294967296; print x, i } }'
}

sorted() {
	sort --parallel=4 -S 40M "$SCRATCH/numbers" -o "$SCRATCH/sorted" && cksum <"$SCRATCH/sorted"
}

compiled() {
	gcc -O2 -g -D_GNU_SOURCE -Iinclude -c -o "$SCRATCH/buddy.o" refmm/buddy.c &&
		cksum <"$SCRATCH/buddy.o"
}

exercised() {
	"$BUILD/tests/preload/exercise" 2>&1
}

# What ends a program: see refused
victim() {
	gcc -w -O0 -x c -o "$SCRATCH/victim" - <<-'END'
	#include <stdlib.h>
	int main(int argc, char **argv)
	{
		char *p = malloc(100), *q = malloc(100000), *r = malloc(9 << 20);

		switch (argv[1][0]) {
		case 'd': free(p); free(p); break;      /* double */
		case 'i': free(p + 16); break;          /* inside an object */
		case 'I': free(q + 4096); break;        /* inside a block of pages */
		case 'm': free(r); free(r); break;      /* a mapping, twice */
		case 's': free(&p); break;              /* stack */
		}
		return 0;
	}
	END
}

# refused NAME MODE - SIGABRT, and a line that names the pointer
refused() {
	local status
	(preload 1 "$SCRATCH/victim" "$2") >"$SCRATCH/refused" 2>&1
	status=$?
	if [ $status != 134 ]; then
		not_ok "free refused: $1" "exit status $status, wanted 134"
	else
		check "free refused: $1" "said $(head -c 300 "$SCRATCH/refused")" \
			grep -q '^librmm-malloc: cannot free 0x[0-9a-f]*: [a-z]' "$SCRATCH/refused"
	fi
}

sql >"$SCRATCH/sql"
python_script >"$SCRATCH/churn.py"
sort_input >"$SCRATCH/numbers"
export SCRATCH BUILD
export -f sorted compiled exercised

compare exercise 1 exercised
RMM_MALLOC_CPUS=2 RMM_MALLOC_BYTES=600M compare exercise-small 1 exercised
compare sqlite3 1 sqlite3 :memory: ".read $SCRATCH/sql"
compare python3 4 python3 "$SCRATCH/churn.py"
compare gcc 2 compiled
compare sort 1 sorted
victim
refused "double" d
refused "inside an object" i
refused "inside a block of pages" I
refused "a mapping, twice" m
refused "not from malloc" s
