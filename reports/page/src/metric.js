// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// metric.js - formulas and units; the same as reports/result-schema.md's.

// Share of free pages, in percent, in blocks smaller than `order`.
export function unusable(blocksByOrder, order) {
	let free = 0;
	let usable = 0;
	blocksByOrder.forEach((blocks, o) => {
		free += blocks * 2 ** o;
		if (o >= order) usable += blocks * 2 ** o;
	});
	return free ? (100 * (free - usable)) / free : 0;
}

const BYTES = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

export function bytesUnit(most) {
	let i = 0;
	while (most >= 1024 ** (i + 1) && i + 1 < BYTES.length) i++;
	return { name: BYTES[i], scale: 1024 ** i };
}

// Steps between ticks that are round in MiB, not in millions of bytes.
export function bytesSteps(scale) {
	const steps = [];
	for (let power = -3; power < 6; power++)
		for (const m of [1, 2, 5]) steps.push(m * 10 ** power * scale);
	return steps;
}

const digits = (v) => (Math.abs(v) < 9.995 ? 2 : Math.abs(v) < 99.95 ? 1 : 0);

export function bytes(v) {
	const unit = bytesUnit(Math.abs(v));
	const scaled = v / unit.scale;
	const exact = unit.scale === 1 || Number.isInteger(Math.log2(Math.abs(scaled)));
	return `${scaled.toFixed(exact ? 0 : digits(scaled))} ${unit.name}`;
}

export const percent = (v) => `${v.toFixed(1)} %`;
export const count = (v) => Math.round(v).toLocaleString('en-US');
export const change = (v) => (v > 0 ? '+' : '') + count(v);
export const time = (s) => `${s.toFixed(s < 10 ? 3 : 2)} s`;

// 1.5k, 2M: for axes, where room is short.
export function short(v) {
	const a = Math.abs(v);
	const [scale, name] = a >= 1e9 ? [1e9, 'G'] : a >= 1e6 ? [1e6, 'M'] : a >= 1e4 ? [1e3, 'k'] : [1, ''];
	return `${Number((v / scale).toPrecision(4))}${name}`;
}

// 1 us, 20 ms: a time in ns, for axes and tips.
export function duration(ns) {
	const a = Math.abs(ns);
	const [scale, name] = a >= 1e9 ? [1e9, 's'] : a >= 1e6 ? [1e6, 'ms'] : a >= 1e3 ? [1e3, 'us'] : [1, 'ns'];
	return `${Number((ns / scale).toPrecision(3))} ${name}`;
}

export const share = (v) => `${Number(v.toPrecision(3))} %`;
