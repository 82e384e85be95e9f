// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// context.mjs DIR - contexts of requests that may not block in DIR/t.jsonl, a recording, beside
// those in DIR/ftrace.jsonl, ftrace's text of the same time imported; both by `kmemlab dump --json`.
// Prints how many there are and match by CPU, call site, size and time, and differ where
// ftrace can tell: it does not know of RCU readers, nor of tasks about to sleep.
import { readFileSync } from 'node:fs';

const dir = process.argv[2];
const read = (name) => readFileSync(`${dir}/${name}.jsonl`, 'utf8').split('\n').filter(Boolean).map((l) => JSON.parse(l));
const own = read('t'), other = read('ftrace');
const wrong = own.filter((e) => e.gfp & 0x400).length; // __GFP_DIRECT_RECLAIM
// On a busy host ftrace overwrites what is oldest.
const first = new Map();
for (const e of other) if (!first.has(e.cpu)) first.set(e.cpu, e.time_ns);
const ours = own.filter((e) => e.time_ns >= first.get(e.cpu));
// Those of ftrace by CPU, call site and size, in time: masks are printed by names that differ.
const theirs = new Map();
const key = (e) => `${e.cpu} ${e.call_site} ${e.bytes_req}`;
for (const e of other) {
	if (!theirs.has(key(e))) theirs.set(key(e), []);
	theirs.get(key(e)).push(e);
}
const NEAR_NS = Number(process.env.NEAR_NS ?? 500_000);
const counts = {}, pairs = {};
let matched = 0, differ = 0;
const seen = new Map();
for (const e of ours) {
	counts[e.context] = (counts[e.context] ?? 0) + 1;
	const list = theirs.get(key(e)) ?? [];
	let i = seen.get(key(e)) ?? 0;
	while (i < list.length && list[i].time_ns < e.time_ns - NEAR_NS) i++;
	seen.set(key(e), i);
	if (i >= list.length || list[i].time_ns > e.time_ns + NEAR_NS) continue;
	seen.set(key(e), i + 1);
	matched++;
	const pair = `${e.context} / ${list[i].context}`;
	pairs[pair] = (pairs[pair] ?? 0) + 1;
	const same = e.context === list[i].context || (list[i].context === 'preemptible' && ['may-sleep', 'atomic'].includes(e.context));
	differ += !same;
}
console.log(JSON.stringify({ ours: ours.length, matched, differ, wrong, counts, pairs }));
