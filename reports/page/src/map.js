// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// map.js - physical memory over time as a picture: rows are stretches of
// memory, lowest address at the bottom, columns are moments. Hue is the migrate
// type, strength the share of pages in use.
import { colour, onTheme } from './theme.js';
import { contextOf, drawCursorLine, followCursor, letGo, pointerIn } from './canvas.js';
import { hideTip, onRange, resetRange, setCursor, setFullRange, setRange, showTip, ticks, timeRange } from './shared.js';
import { zoneKey } from './data.js';
import { bytes, count, duration, time } from './metric.js';

// By name: a type's number depends on the kernel's configuration.
const TYPES = [
	{ name: 'unmovable', hue: '--c-vermillion' },
	{ name: 'movable', hue: '--c-blue' },
	{ name: 'reclaimable', hue: '--c-green' },
	{ name: 'highatomic', hue: '--c-yellow' },
	{ name: 'cma', hue: '--c-purple' },
	{ name: 'isolate', hue: '--c-orange' },
	{ name: 'unknown', hue: '--muted' },
];
const UNKNOWN = TYPES.length - 1;
const LEFT = 58; // as wide as the charts' axis, so that times line up
const RIGHT = 18;
const BOTTOM = 26;
const FAINTEST = 0.14;
const PINS_SHOWN = 3;

const USUAL = ['Unmovable', 'Movable', 'Reclaimable', 'HighAtomic', 'CMA', 'Isolate'];

// Number of a type on this host -> index in TYPES.
function typeIndex(names, number) {
	const name = (names ?? USUAL)[number]?.toLowerCase();
	const i = TYPES.findIndex((t) => t.name === name);
	return i < 0 ? UNKNOWN : i;
}

function rgb(text) {
	const n = parseInt(text.slice(1), 16);
	return [n >> 16, (n >> 8) & 255, n & 255];
}

function mix(back, hue, share) {
	return back.map((b, i) => Math.round(b + (hue[i] - b) * share));
}

// Rows that are looked at, in bins of as many as share two pixels.
const seen = (map) => map.rows.slice(map.view.from, map.view.to);
const perBin = (map) => Math.max(1, Math.ceil((2 * (map.view.to - map.view.from)) / box(map).h));
const bins = (map) => Math.ceil((map.view.to - map.view.from) / perBin(map));
const rowsOfBin = (map, bin) => seen(map).slice(bin * perBin(map), (bin + 1) * perBin(map));

// The mean of a bin's rows, so that a speck of another type shows.
function shade(map, rows, c, hues, back) {
	const sum = [0, 0, 0];
	for (const row of rows) {
		const type = map.zone.type[row][c];
		const used = map.zone.used[row][c];
		const known = type != null && type >= 0 && used != null;
		const pixel = known ? mix(back, hues[type] ?? back, FAINTEST + ((1 - FAINTEST) * used) / 100) : back;
		pixel.forEach((v, i) => (sum[i] += v));
	}
	return sum.map((v) => Math.round(v / rows.length));
}

// One pixel per bin and column; scaled when drawn.
function picture(map) {
	const columns = map.times.length;
	const n = bins(map);
	const canvas = document.createElement('canvas');
	canvas.width = columns;
	canvas.height = n;
	const context = canvas.getContext('2d');
	const image = context.createImageData(columns, n);
	const back = rgb(colour('--surface'));
	const hues = [...Array(16).keys()].map((number) => rgb(colour(TYPES[typeIndex(map.names, number)].hue)));
	for (let bin = 0; bin < n; bin++) {
		const rows = rowsOfBin(map, bin);
		for (let c = 0; c < columns; c++)
			image.data.set([...shade(map, rows, c, hues, back), 255], 4 * ((n - 1 - bin) * columns + c));
	}
	context.putImageData(image, 0, 0);
	map.pins = [...Array(n).keys()].map((bin) => blocksOf(map, rowsOfBin(map, bin)).length);
	return canvas;
}

function box(map) {
	return { x: LEFT, y: 4, w: map.canvas.clientWidth - LEFT - RIGHT, h: map.height - 4 - BOTTOM };
}

const xOf = (map, t) => {
	const b = box(map);
	return b.x + (b.w * (t - timeRange.min)) / (timeRange.max - timeRange.min);
};

function timeAt(map, x) {
	const b = box(map);
	return timeRange.min + ((timeRange.max - timeRange.min) * (x - b.x)) / b.w;
}

// A column was taken at the end of the stretch of time it stands for.
function columnAt(map, t) {
	const c = map.times.findIndex((end) => t <= end);
	return c < 0 ? map.times.length - 1 : c;
}

// Rows that hold memory at some time; a zone may span much that does not.
function rowsWithMemory(zone) {
	return [...zone.type.keys()].filter((row) => zone.type[row].some((type) => type >= 0));
}

function drawPicture(map, context) {
	const b = box(map);
	context.save();
	context.beginPath();
	context.rect(b.x, b.y, b.w, b.h);
	context.clip();
	context.imageSmoothingEnabled = false;
	map.times.forEach((t, c) => {
		const from = c ? xOf(map, map.times[c - 1]) : Math.min(b.x, xOf(map, 0));
		const to = c + 1 < map.times.length ? xOf(map, t) : b.x + b.w;
		if (to > b.x && from < b.x + b.w)
			context.drawImage(map.image, c, 0, 1, map.image.height, from, b.y, to - from + 0.5, b.h);
	});
	context.restore();
}

function drawAxes(map, context) {
	const b = box(map);
	const { zone, page } = map;
	context.strokeStyle = colour('--grid');
	context.strokeRect(b.x + 0.5, b.y + 0.5, b.w - 1, b.h - 1);
	context.fillStyle = colour('--muted');
	context.font = '11px system-ui, sans-serif';
	context.textAlign = 'center';
	context.textBaseline = 'top';
	for (const t of ticks(timeRange.min, timeRange.max, Math.max(2, b.w / 90)))
		context.fillText(`${Number(t.toPrecision(6))} s`, xOf(map, t), b.y + b.h + 8);
	context.textAlign = 'right';
	const address = (row) => (zone.start_pfn + row * zone.pages_per_row) * page;
	const from = address(map.rows[map.view.from]);
	const to = address(map.rows[map.view.to - 1] + 1);
	context.fillText(bytes(to), b.x - 6, b.y);
	context.textBaseline = 'bottom';
	if (b.h > 30) context.fillText(bytes(from), b.x - 6, b.y + b.h);
}

function drawCursor(map, context) {
	if (map.cursor === null || map.cursor < timeRange.min || map.cursor > timeRange.max) return;
	const b = box(map);
	const x = drawCursorLine(context, b, xOf(map, map.cursor));
	if (map.row === null) return;
	const h = b.h / bins(map);
	context.strokeRect(x - 5, b.y + b.h - (map.row + 1) * h - 1, 10, h + 2);
}

// Beside the end of time: where pageblocks are denied by a few pages; the longer, the more.
function drawPins(map, context) {
	const b = box(map);
	const n = bins(map);
	const most = Math.max(1, ...map.pins);
	const h = Math.max(b.h / n, 2);
	context.fillStyle = colour('--text');
	map.pins.forEach((count, bin) => {
		if (!count) return;
		const y = b.y + b.h - ((bin + 0.5) * b.h) / n;
		context.fillRect(b.x + b.w + 3, y - h / 2, 3 + ((RIGHT - 8) * count) / most, h > 4 ? h - 1 : h);
	});
}

// What is being dragged over.
function drawDrag(map, context) {
	if (!map.drag?.to) return;
	const { from, to } = map.drag;
	context.strokeStyle = colour('--link');
	context.strokeRect(Math.min(from.x, to.x), Math.min(from.y, to.y), Math.abs(to.x - from.x), Math.abs(to.y - from.y));
}

function draw(map) {
	const context = contextOf(map);
	if (!context) return;
	drawPicture(map, context);
	drawAxes(map, context);
	drawPins(map, context);
	drawCursor(map, context);
	drawDrag(map, context);
}

// Pageblocks in these rows that a few pages deny at the end.
function blocksOf({ zone, blocks }, rows) {
	const per = zone.pages_per_row;
	const wanted = new Set(rows);
	return blocks.filter((b) => wanted.has(Math.floor((b.pfn - zone.start_pfn) / per)));
}

function holder(map, o) {
	if (o.on_cpu_list) return `${count(o.pages)} free, on a per-CPU list`;
	const since = o.since_ns === undefined ? 'there before the recording, or moved' : `for ${duration(map.end - o.since_ns)}, since ${time(o.since_ns / 1e9)}`;
	return `${o.comm ? `${o.comm}: ` : ''}${count(o.pages)} ${o.pages === 1 ? 'page' : 'pages'} of ${o.kind}, ${since}`;
}

// Who is in the way at the end, pageblock by pageblock; the fewer pages, the worse.
function holders(map, rows) {
	const inUse = (b) => map.pagesPerBlock - b.free_pages;
	const list = blocksOf(map, rows).sort((a, b) => inUse(a) - inUse(b));
	const lines = list.slice(0, PINS_SHOWN).flatMap((b) => [
		{ label: b.pinned ? 'pinned' : 'mixed', value: `pageblock at frame ${b.pfn}, ${count(b.free_pages)} of ${count(map.pagesPerBlock)} pages free` },
		...b.owners.map((o) => ({ label: '', value: holder(map, o) })),
	]);
	if (list.length > PINS_SHOWN) lines.push({ label: '', value: `and ${list.length - PINS_SHOWN} more pageblocks: zoom in` });
	return lines;
}

// How many of the rows are of each type.
function typesOf(map, rows, c) {
	const n = new Map();
	for (const row of rows) {
		const type = map.zone.type[row][c];
		const name = type >= 0 ? TYPES[typeIndex(map.names, type)].name : 'no memory, or not online';
		n.set(name, (n.get(name) ?? 0) + 1);
	}
	return [...n].map(([name, k]) => (n.size > 1 ? `${name} (${k} of ${rows.length} rows)` : name)).join(', ');
}

function describe(map, x, y) {
	const { zone, page } = map;
	const c = columnAt(map, map.cursor);
	const rows = rowsOfBin(map, map.row);
	const pfn = zone.start_pfn + rows[0] * zone.pages_per_row;
	const end = zone.start_pfn + (rows[rows.length - 1] + 1) * zone.pages_per_row;
	const used = rows.map((row) => (zone.type[row][c] >= 0 ? zone.used[row][c] : null)).filter((v) => v != null);
	showTip(x, y, `${map.title}, at ${time(map.cursor)}`, [
		{ label: 'address', value: `${bytes(pfn * page)} to ${bytes(end * page)}` },
		{ label: 'frames', value: `${pfn} to ${end - 1}` },
		{ label: 'type', value: typesOf(map, rows, c) },
		{ label: 'used', value: used.length ? `${Number((used.reduce((a, b) => a + b, 0) / used.length).toPrecision(3))} %` : 'unknown' },
		...holders(map, rows),
	]);
}

function lookAt(map, from, to) {
	map.view = { from: Math.max(0, from), to: Math.min(map.rows.length, Math.max(to, from + 1)) };
	map.cursor = map.row = null;
	hideTip();
	map.image = picture(map);
	draw(map);
}

function reset(map) {
	resetRange();
	lookAt(map, 0, map.rows.length);
}

// Closer to, or further from, the row that is pointed at.
function zoomRows(map, factor) {
	const rows = map.view.to - map.view.from;
	const wanted = Math.max(4, Math.min(map.rows.length, Math.round(rows * factor)));
	const at = map.view.from + (map.row === null ? rows / 2 : (map.row + 0.5) * perBin(map));
	const from = Math.max(0, Math.min(map.rows.length - wanted, Math.round(at - wanted / 2)));
	const cursor = map.cursor;
	lookAt(map, from, from + wanted);
	return [cursor ?? timeRange.min, Math.floor((at - from) / perBin(map))];
}

function point(map, t, row, x, y) {
	const rows = bins(map);
	map.cursor = Math.max(timeRange.min, Math.min(timeRange.max, t));
	map.row = Math.max(0, Math.min(rows - 1, row));
	draw(map);
	describe(map, x, y);
	setCursor(map.cursor, map);
}

function leave(map) {
	map.drag = null;
	letGo(map, draw);
}

function onMouse(map, e) {
	const b = box(map);
	const at = pointerIn(map, b, e);
	if (!at) return leave(map);
	if (map.drag) map.drag.to = at;
	point(map, timeAt(map, at.x), Math.floor(((b.y + b.h - at.y) / b.h) * bins(map)), e.clientX, e.clientY);
}

// Dragging looks closer, in time and addresses.
function onRelease(map) {
	const { from, to } = map.drag ?? {};
	map.drag = null;
	if (!to) return;
	const b = box(map);
	const rows = map.view.to - map.view.from;
	const rowAt = (y) => map.view.from + ((b.y + b.h - y) / b.h) * rows;
	if (Math.abs(to.y - from.y) > 6) lookAt(map, Math.floor(rowAt(Math.max(from.y, to.y))), Math.ceil(rowAt(Math.min(from.y, to.y))));
	if (Math.abs(to.x - from.x) > 6) setRange(timeAt(map, Math.min(from.x, to.x)), timeAt(map, Math.max(from.x, to.x)));
	draw(map);
}

function onPress(map, e) {
	const at = map.canvas.getBoundingClientRect();
	map.drag = { from: { x: e.clientX - at.left, y: e.clientY - at.top }, to: null };
}

function onKey(map, e) {
	const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[e.key];
	const at = map.canvas.getBoundingClientRect();
	const show = (t, row) => point(map, t, row, at.left + xOf(map, t), at.top + map.height / 2);
	if (e.key === 'Escape') {
		reset(map);
		leave(map);
	}
	if (e.key === '+' || e.key === '-') show(...zoomRows(map, e.key === '+' ? 0.5 : 2));
	if (!move) return;
	e.preventDefault();
	const c = map.cursor === null ? 0 : columnAt(map, map.cursor) + move[0];
	const t = map.times[Math.max(0, Math.min(map.times.length - 1, c))];
	show(t, (map.row ?? 0) + move[1]);
}

function addMap(parent, map) {
	const figure = document.createElement('figure');
	const caption = document.createElement('figcaption');
	const unit = document.createElement('span');
	figure.className = 'chart map';
	caption.textContent = map.title;
	unit.className = 'unit';
	const hidden = map.zone.type.length - map.rows.length;
	const row = bytes(map.zone.pages_per_row * map.page);
	unit.textContent = `physical address; a row is ${row}${hidden ? `; ${hidden} rows without memory left out` : ''}`;
	caption.append(unit);
	map.canvas = document.createElement('canvas');
	map.canvas.tabIndex = 0;
	map.canvas.setAttribute('role', 'img');
	map.canvas.setAttribute('aria-label', `${map.title}: pageblock types and occupancy over time. Arrow keys move, values are read out; + and - zoom, Escape resets.`);
	map.canvas.style.height = `${map.height}px`;
	figure.append(caption, map.canvas);
	parent.append(figure);
	const paint = () => {
		map.image = picture(map);
		draw(map);
	};
	onTheme(paint);
	onRange(() => draw(map));
	followCursor(map, draw);
	new ResizeObserver(() => (map.image ? draw(map) : paint())).observe(map.canvas);
	map.canvas.addEventListener('mousemove', (e) => onMouse(map, e));
	map.canvas.addEventListener('mouseleave', () => leave(map));
	map.canvas.addEventListener('blur', () => leave(map));
	map.canvas.addEventListener('dblclick', () => reset(map));
	map.canvas.addEventListener('mousedown', (e) => onPress(map, e));
	map.canvas.addEventListener('mouseup', () => onRelease(map));
	map.canvas.addEventListener('keydown', (e) => onKey(map, e));
}

function legend(results) {
	const list = document.createElement('ul');
	list.className = 'map-legend';
	const used = new Set();
	for (const result of results)
		for (const zone of result.pageblocks.zones)
			for (const row of zone.type)
				for (const number of row) if (number >= 0) used.add(TYPES[typeIndex(result.migratetypes, number)]);
	for (const type of TYPES) {
		if (!used.has(type)) continue;
		const item = document.createElement('li');
		const ramp = document.createElement('span');
		ramp.className = 'ramp';
		ramp.style.background = `linear-gradient(90deg, color-mix(in srgb, var(${type.hue}) ${100 * FAINTEST}%, var(--surface)), var(${type.hue}))`;
		item.append(ramp, type.name);
		list.append(item);
	}
	const note = document.createElement('li');
	note.className = 'unit';
	note.textContent = 'faint: free, strong: all pages used; bars at the right: how many pageblocks a few pages deny at the end. Point at one to see whose; drag to zoom, double-click to reset';
	list.append(note);
	return list;
}

export function mapCharts(slot, model) {
	setFullRange(model.end);
	const mapped = model.results.filter((r) => r.pageblocks?.time_ns.length);
	slot.append(legend(mapped));
	for (const result of mapped) {
		for (const zone of result.pageblocks.zones) {
			const rows = rowsWithMemory(zone);
			if (!rows.length) continue;
			const name = result.zones[zone.zone] ? zoneKey(result.zones[zone.zone]) : 'unknown zone';
			addMap(slot, {
				title: model.results.length > 1 ? `${result.label}: ${name}` : name,
				zone,
				rows,
				names: result.migratetypes,
				times: result.pageblocks.time_ns.map((t) => t / 1e9),
				page: result.page_bytes,
				height: Math.round(Math.max(18, Math.min(380, rows.length * 5))) + 4 + BOTTOM,
				blocks: result.blocks.filter((b) => b.pfn >= zone.start_pfn && b.pfn < zone.start_pfn + zone.type.length * zone.pages_per_row),
				pagesPerBlock: result.pages_per_block,
				end: result.duration_ns,
				view: { from: 0, to: rows.length },
				cursor: null,
				row: null,
				drag: null,
			});
		}
	}
}
