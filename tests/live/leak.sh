#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# leak.sh - no address of the running kernel is in a trace: not of its text, not
# of the direct map, not of struct pages. All payloads are decompressed and looked
# through at every byte for 8-byte values in those ranges.
#
# Where text lies /proc/kallsyms says; where the others lie, addresses that another
# tool (bpftrace) sees at this moment.
. tests/support/lib.sh
needs_recording leak_no_text_address

T=$SCRATCH/t.kmt
"$KMEMLAB" record -q --probe all,stacks -d 2s -o "$T" -- sh -c \
	'while :; do tail -c 20M /dev/zero >/dev/null; ls -lR /usr/include >/dev/null; done' 2>/dev/null
if ! "$KMEMLAB" info "$T" >/dev/null 2>&1; then
	"$KMEMLAB" record -q -f --probe all,stacks -d 2s -o "$T"
fi

# The payloads, which are zstd frames, one after another; and the heads. What is coded is not
# looked through as it is: a frequent byte may have a code of ones, and a run of it any number.
node -e 'const fs = require("fs"), b = fs.readFileSync(process.argv[1]);
	const frames = fs.openSync(process.argv[2], "w"), heads = fs.openSync(process.argv[3], "w");
	for (let at = 0; at + 96 <= b.length;) {
		const n = b.readUInt32LE(at + 16);
		fs.writeSync(heads, b, at, 96);
		fs.writeSync(frames, b, at + 96, n);
		at += 96 + n;
	}' "$T" "$SCRATCH/frames" "$SCRATCH/heads"
zstd -q -dc <"$SCRATCH/frames" >"$SCRATCH/payloads"
check leak_has_payloads_to_look_through "fewer than 1 MB" \
	at_least 1000000 "$(stat -c %s "$SCRATCH/payloads")"

# found FROM TO [FILE] - how many 8-byte values are in that range, of payloads and heads.
# The varint of a number near 2^63 (the step to "no page" and back) ends in a run of
# ff and 7f: such a run, with what lies before it, is no address. An address that leaks
# does so more than once, and not always in front of such a byte.
found() {
	node -e 'const fs = require("fs"), [from, to] = process.argv.slice(1, 3).map(BigInt);
		let n = 0;
		for (const file of process.argv.slice(3)) {
			const b = fs.readFileSync(file);
			for (let i = 7; i < b.length; i++) {
				if (b[i] !== 0xff || b[i - 1] !== 0xff)
					continue;
				const v = b.readBigUInt64LE(i - 7), next = b[i + 1];
				const varint = b[i - 4] & 0x80 &&
					(next === 0x7f || next === 0xff || next === 0x01);
				if (v >= from && v < to && !varint) n++;
			}
		}
		console.log(n);' "$1" "$2" "$SCRATCH/payloads" "$SCRATCH/heads" ${3:+"$3"}
}

text=$(awk '$3 == "_text" || $3 == "_stext" { print "0x" $1; exit }' /proc/kallsyms)
end=$(awk '$3 == "_etext" { print "0x" $1; exit }' /proc/kallsyms)
if [ -n "$text" ] && [ "$text" != 0x0000000000000000 ]; then
	same leak_no_text_address 0 "$(found "$text" "${end:-0xffffffffff000000}")"
	# The search can find one: a file with such an address in it.
	node -e 'const b = Buffer.alloc(11); b.writeBigUInt64LE(BigInt(process.argv[1]) + 4096n, 3);
		require("fs").writeFileSync(process.argv[2], b);' "$text" "$SCRATCH/planted"
	same leak_search_finds_a_planted_address 1 "$(found "$text" "$end" "$SCRATCH/planted")"
else
	skip leak_no_text_address "/proc/kallsyms hides addresses"
fi

# seen EXPRESSION - an address that the kernel has at a kmalloc
seen() {
	timeout 20 bpftrace -e "tracepoint:kmem:kmalloc { if ($1 > 0xffff000000000000) { printf(\"0x%llx\\n\", $1); exit(); } }" \
		2>/dev/null | grep -m 1 '^0xffff'
}
# near ADDRESS BYTES [FILE] - how many lie in what surrounds it, both ways
near() {
	found "$(printf '%#x' $(($1 - $2)))" "$(printf '%#x' $(($1 + $2)))" "${@:3}"
}

# The memory that surrounds it, both ways; for struct pages a 64th of that. So wide
# a range has a few numbers by chance, wherever two bytes of ff stand together: as many
# as a range of that width where no kernel keeps anything. An address that leaks does so
# with every event that has one.
around() { # name address bytes
	if [ -z "$2" ]; then
		skip "leak_no_$1_address" "bpftrace shows none here"
		return
	fi
	local hits chance=0 n shift
	for shift in 5 9 13 17; do
		n=$(near $(($2 - shift * $3)) "$3")
		[ "$n" -gt "$chance" ] && chance=$n
	done
	hits=$(near "$2" "$3")
	check "leak_no_$1_address" "$hits numbers in that range, $chance in one beside it" \
		at_least "$hits" $((chance + 4))
	node -e 'const b = Buffer.alloc(80), at = BigInt(process.argv[1]);
		for (let i = 0; i < 10; i++) b.writeBigUInt64LE(at + 64n * BigInt(i), 8 * i);
		require("fs").writeFileSync(process.argv[2], b);' "$2" "$SCRATCH/planted"
	check "leak_search_finds_planted_$1_addresses" "ten more are not seen" \
		at_least $((hits + 9)) "$(near "$2" "$3" "$SCRATCH/planted")"
}
memory=$(($(awk '/MemTotal/ { print $2 }' /proc/meminfo) * 1024 * 2))
around direct_map "$(seen '(uint64)args->ptr')" $memory
# The first page of the current task's stack.
around struct_page "$(seen '(uint64)*(((struct task_struct *)curtask)->stack_vm_area->pages)')" $((memory / 64))
exit 0
