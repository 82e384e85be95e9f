// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// trace-text.mjs TRACE NAME start|end - a TEXT block's text, read by the letter of
// include/kmemlab/trace.h and not by kmemlab's reader. Needs zstd.
import { readFileSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";

const [trace, wanted, phase] = process.argv.slice(2);
const b = readFileSync(trace);
for (let at = 0; at + 96 <= b.length; at += 96 + b.readUInt32LE(at + 16)) {
	if (b.readUInt16LE(at + 6) !== 6 || b.readUInt16LE(at + 10) !== (phase === "end" ? 2 : 1))
		continue;
	const raw = execFileSync("zstd", ["-q", "-dc"], {
		input: b.subarray(at + 96, at + 96 + b.readUInt32LE(at + 16)),
		maxBuffer: 1 << 28,
	});
	let length = 0, i = 0;
	do length += (raw[i] & 127) * 2 ** (7 * i); while (raw[i++] & 128);
	if (raw.subarray(i, i + length).toString() !== wanted)
		continue;
	writeFileSync(1, raw.subarray(i + length)); // all of it, also into a pipe
	process.exit(0);
}
console.error(`${trace}: no text '${wanted}' of the ${phase}`);
process.exit(1);
