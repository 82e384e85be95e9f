// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// icicle.js - who allocates what: boxes as wide as their share, those below belong to the
// one above. A press makes a box as wide as the whole.
import { bytes, count, percent } from './metric.js';
import { hideTip, showTip } from './shared.js';

const MODES = {
	live: { name: 'live bytes', of: (r) => r.live_bytes, format: bytes },
	churn: { name: 'churn: bytes freed again', of: (r) => r.freed_bytes, format: bytes },
	allocs: { name: 'allocations', of: (r) => r.allocs, format: count },
	waste: { name: 'waste inside objects', of: (r) => r.bytes_alloc - r.bytes_req, format: bytes },
};
const ORDERS = {
	'command, cache, call site': ['comm', 'what', 'place'],
	'cache, call site, command': ['what', 'place', 'comm'],
	'call site, command, cache': ['place', 'comm', 'what'],
};
const ROW = 26, LEVELS = 4, NARROWEST = 0.0015;
const READABLE = 36; // pixels
const HUES = { objects: ['--c-blue', '--c-sky'], pages: ['--c-orange', '--c-yellow'] };

const nameOf = (row, key) => (key === 'place' ? row.call_site ?? row.type ?? '(no call site)' : row[key] ?? (row.what ? '(unknown command)' : '(others)'));

function node(name, parent) {
	return { name, parent, value: 0, children: new Map() };
}

// A tree of `of`: what is kept row by row, and the rest in a box of its own.
function tree(result, of, keys, mode) {
	const root = node(of === 'objects' ? 'all objects' : 'all pages', null);
	for (const row of [...result.allocators, ...(result.allocators_others ?? [])]) {
		const value = row.of === of ? mode.of(row) : 0;
		if (!(value > 0)) continue;
		let at = root;
		at.value += value;
		for (const name of row.what ? keys.map((key) => nameOf(row, key)) : ['(others, too small to be listed)']) {
			if (!at.children.has(name)) at.children.set(name, node(name, at));
			at = at.children.get(name);
			at.value += value;
		}
	}
	return root;
}

const sorted = (n) => [...n.children.values()].sort((a, b) => b.value - a.value || (a.name < b.name ? -1 : 1));
const pathOf = (n) => (n.parent ? [...pathOf(n.parent), n.name] : [n.name]);
const depthOf = (n) => (n.parent ? depthOf(n.parent) + 1 : 0);

function tell(view, n, x, y) {
	const lines = pathOf(n).slice(1).map((name, i) => ({ label: ['in', 'of', 'by'][i] ?? '', value: name }));
	showTip(x, y, `${view.mode.name}: ${view.mode.format(n.value)}`, [
		...lines,
		{ label: 'of all', value: percent((100 * n.value) / view.root.value) },
		...(n.parent ? [{ label: 'of the box above', value: percent((100 * n.value) / n.parent.value) }] : []),
	]);
}

function addBox(view, n, left, width, level) {
	const box = document.createElement('button');
	const hues = HUES[view.of];
	box.type = 'button';
	box.className = width * view.element.clientWidth < READABLE ? 'box slim' : 'box';
	box.node = n;
	box.tabIndex = view.focus === n ? 0 : -1;
	const name = document.createElement('span');
	name.textContent = n.name;
	box.append(name);
	box.setAttribute('aria-label', `${n.name}: ${view.mode.format(n.value)}, ${percent((100 * n.value) / view.root.value)} of all`);
	Object.assign(box.style, { left: `${100 * left}%`, width: `${100 * width}%`, top: `${level * ROW}px`, background: `color-mix(in srgb, var(${hues[level % 2]}) ${55 - 8 * level}%, var(--surface))` });
	box.addEventListener('mousemove', (e) => tell(view, n, e.clientX, e.clientY));
	box.addEventListener('mouseleave', hideTip);
	box.addEventListener('blur', hideTip);
	box.addEventListener('focus', () => {
		const at = box.getBoundingClientRect();
		if (box.matches(':focus-visible')) tell(view, n, at.left, at.bottom);
	});
	box.addEventListener('click', () => look(view, view.focus === n && n.parent ? n.parent : n, true));
	view.element.append(box);
}

// What is in the focus fills the width; what is above it does as well.
function place(view, n, left, width, level) {
	if (width < NARROWEST) {
		view.hidden++;
		return;
	}
	addBox(view, n, left, width, level);
	for (const child of sorted(n)) {
		const share = (width * child.value) / n.value;
		place(view, child, left, share, level + 1);
		left += share;
	}
}

function look(view, focus, take) {
	view.focus = focus;
	view.hidden = 0;
	view.element.replaceChildren();
	hideTip();
	const above = [];
	for (let n = focus.parent; n; n = n.parent) above.unshift(n);
	above.forEach((n, level) => addBox(view, n, 0, 1, level));
	place(view, focus, 0, 1, depthOf(focus));
	view.note.textContent = `${view.mode.format(view.root.value)} in all${view.hidden ? `; ${view.hidden} boxes too narrow to draw: press one to look closer, or see the table` : ''}`;
	if (take) view.element.querySelector('.box[tabindex="0"]')?.focus();
}

function onKey(view, e) {
	const n = document.activeElement?.node;
	if (!n) return;
	const beside = n.parent ? sorted(n.parent) : [n];
	const to = {
		ArrowUp: () => n.parent,
		ArrowDown: () => sorted(n)[0],
		ArrowLeft: () => beside[beside.indexOf(n) - 1],
		ArrowRight: () => beside[beside.indexOf(n) + 1],
		Escape: () => view.root,
	}[e.key]?.();
	if (e.key === 'Escape') look(view, view.root, true);
	if (!to) return;
	e.preventDefault();
	const box = [...view.element.children].find((b) => b.node === to);
	if (box) box.focus();
	else look(view, to, true);
}

function select(label, names, change) {
	const box = document.createElement('label');
	const list = document.createElement('select');
	for (const [value, text] of names) list.append(new Option(text, value));
	list.addEventListener('change', () => change(list.value));
	box.className = 'control';
	box.append(`${label} `, list);
	return box;
}

function addIcicle(slot, state, result, of, several) {
	const figure = document.createElement('figure');
	const caption = document.createElement('figcaption');
	const view = { of, element: document.createElement('div'), note: document.createElement('span') };
	caption.textContent = `${several ? `${result.label}: ` : ''}${of === 'objects' ? 'Objects of caches and kmalloc' : 'Pages'}`;
	view.note.className = 'unit';
	caption.append(view.note);
	view.element.className = 'icicle';
	view.element.style.height = `${LEVELS * ROW}px`;
	view.element.setAttribute('role', 'group');
	view.element.setAttribute('aria-label', `${caption.firstChild.textContent}: arrow keys move among the boxes, Enter widens one, Escape shows all.`);
	view.element.addEventListener('keydown', (e) => onKey(view, e));
	figure.className = 'chart';
	figure.append(caption, view.element);
	slot.append(figure);
	new ResizeObserver(() => {
		for (const box of view.element.children) box.classList.toggle('slim', box.clientWidth < READABLE);
	}).observe(view.element);
	state.listeners.push(() => {
		view.mode = MODES[state.mode];
		view.root = tree(result, of, ORDERS[state.order], view.mode);
		figure.hidden = !view.root.value;
		look(view, view.root);
	});
}

export function allocatorCharts(slot, model) {
	const state = { mode: 'live', order: Object.keys(ORDERS)[0], listeners: [] };
	const changed = () => state.listeners.forEach((f) => f());
	const controls = document.createElement('div');
	controls.className = 'controls';
	controls.append(
		select('Width', Object.entries(MODES).map(([key, m]) => [key, m.name]), (v) => {
			state.mode = v;
			changed();
		}),
		select('From top', Object.keys(ORDERS).map((o) => [o, o]), (v) => {
			state.order = v;
			changed();
		}));
	slot.append(controls);
	for (const result of model.results)
		for (const of of ['objects', 'pages'])
			if (result.allocators.length) addIcicle(slot, state, result, of, model.results.length > 1);
	changed();
}
