// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// tables.js - sorting by any column and, for long tables, a filter.
const FILTER_FROM_ROWS = 12;

function valueOf(row, column) {
	const cell = row.cells[column];
	if (cell.dataset.v !== undefined) return Number(cell.dataset.v);
	return cell.classList.contains('na') ? null : cell.textContent.toLowerCase();
}

function compare(a, b) {
	if (a === null || b === null) return (a === null) - (b === null); // absent last
	return a < b ? -1 : a > b ? 1 : 0;
}

function sort(table, column, direction) {
	const body = table.tBodies[0];
	const rows = [...body.rows];
	rows.sort((x, y) => {
		if (direction === 'none') return x.dataset.i - y.dataset.i;
		const a = valueOf(x, column);
		const b = valueOf(y, column);
		const sign = direction === 'descending' && a !== null && b !== null ? -1 : 1;
		return sign * compare(a, b);
	});
	body.append(...rows);
}

// Numbers begin with the largest, words with A; the third press restores.
function nextDirection(now, numeric) {
	const steps = numeric ? ['descending', 'ascending', 'none'] : ['ascending', 'descending', 'none'];
	return steps[(steps.indexOf(now) + 1) % 3];
}

function makeSortable(table) {
	[...table.tBodies[0].rows].forEach((row, i) => (row.dataset.i = i));
	[...table.tHead.rows[0].cells].forEach((th, column) => {
		const button = document.createElement('button');
		button.type = 'button';
		button.append(...th.childNodes);
		th.append(button);
		th.setAttribute('aria-sort', 'none');
		button.addEventListener('click', () => {
			const was = th.getAttribute('aria-sort');
			const direction = nextDirection(was === 'none' ? 'none' : was, th.classList.contains('num'));
			for (const other of table.tHead.rows[0].cells) other.setAttribute('aria-sort', 'none');
			th.setAttribute('aria-sort', direction);
			sort(table, column, direction);
		});
	});
}

function addFilter(figure, table) {
	const rows = [...table.tBodies[0].rows];
	const label = document.createElement('label');
	const input = document.createElement('input');
	const shown = document.createElement('output');
	const apply = () => {
		const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
		let n = 0;
		for (const row of rows) {
			const text = row.textContent.toLowerCase();
			row.hidden = !words.every((w) => text.includes(w));
			n += !row.hidden;
		}
		shown.textContent = `${n} of ${rows.length} rows`;
	};
	input.type = 'search';
	input.addEventListener('input', apply);
	label.className = 'filter';
	label.append('Filter ', input, ' ', shown);
	figure.querySelector('figcaption').append(label);
	apply();
}

// What a link points to may be folded away, or filtered out.
function reveal() {
	const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
	const figure = target?.closest('figure.table');
	for (let e = target; e; e = e.parentElement) if (e.tagName === 'DETAILS') e.open = true;
	const input = figure?.querySelector('input[type=search]');
	if (input && target.closest('tr')?.hidden) {
		input.value = '';
		input.dispatchEvent(new Event('input'));
	}
	target?.scrollIntoView({ block: 'nearest' });
}

// Paper cannot be unfolded.
addEventListener('beforeprint', () => {
	for (const details of document.querySelectorAll('details.fold, details.note')) details.open = true;
});

export function setupTables() {
	for (const figure of document.querySelectorAll('figure.table')) {
		const table = figure.querySelector('table');
		if (table.tBodies[0].rows.length > 1) makeSortable(table);
		if (table.tBodies[0].rows.length >= FILTER_FROM_ROWS) addFilter(figure, table);
	}
	addEventListener('hashchange', reveal);
	if (location.hash) reveal();
}
