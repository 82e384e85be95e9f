// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// forms.test.mjs - text, Markdown and JSON say what the page says. Environment: as lib.mjs, and
// FORMS (path of the other forms, without .txt, .md and .json).
import { readFileSync } from 'node:fs';
import { ok, open, run } from './lib.mjs';

const { FORMS } = process.env;
const read = (form) => readFileSync(`${FORMS}.${form}`, 'utf8');
const SHOWN = 15; // rows of a table in text and Markdown

// All of the page that is not a chart, as plain values.
const extract = (page) => page.evaluate(() => ({
	sentences: [...document.querySelectorAll('.verdict .sentence')].map((s) => ({
		text: s.querySelector('p').textContent,
		figures: [...s.querySelectorAll('.figures dd')].map((dd) => dd.textContent),
	})),
	sections: [...document.querySelectorAll('main > section:not(#verdict)')].map((s) => ({
		id: s.id,
		lines: [...s.querySelectorAll(':scope > .remark, :scope > .absent')].map((p) => p.textContent),
		tables: [...s.querySelectorAll('figure.table')].map((f) => ({
			caption: f.querySelector('figcaption').firstChild.textContent,
			names: [...f.querySelectorAll('thead th')].map((th) => th.textContent.trim()),
			rows: [...f.querySelectorAll('tbody tr')].map((tr) => [...tr.cells].map((c) => ({ text: c.textContent.trim(), value: c.dataset.v }))),
		})),
	})),
}));

const tablesOf = (page) => page.sections.flatMap((s) => s.tables);
const squeeze = (text) => text.replace(/\s+/g, ' ').trim();
// The terminal has ASCII alone.
const ascii = (text) => text.replace(/\u2013/g, '-').replace(/[^\x20-\x7e]/g, '?');

function sameCell(cell, value) {
	if (value === null) return cell.value === undefined && cell.text === '\u2013';
	if (typeof value === 'string') return squeeze(cell.text) === squeeze(value);
	// JSON has whole counts, bytes and nanoseconds.
	const slack = Number.isInteger(value) ? 0.5 : 1e-9 * Math.max(1, Math.abs(value));
	return Math.abs(Number(cell.value) - value) <= slack;
}

function testJson(page) {
	const doc = JSON.parse(read('json'));
	const said = doc.verdicts.flatMap((v) => v.sentences);
	ok(said.length > 0 && said.every((s, i) => page.sentences[i]?.text === s.text && page.sentences[i].figures.length === s.figures.length), 'JSON: the same verdict');
	const shape = (list) => list.map((s) => `${s.id}: ${s.tables.map((t) => `${t.caption} ${t.rows.length}`).join()}`).join('\n');
	ok(shape(doc.sections) === shape(page.sections), 'JSON: the same sections, tables and rows', shape(doc.sections).split('\n').find((l) => !shape(page.sections).includes(l)));
	let cells = 0;
	const bad = [];
	doc.sections.forEach((s, i) => s.tables.forEach((t, k) => t.rows.forEach((row, r) => row.forEach((value, c) => {
		cells++;
		const cell = page.sections[i].tables[k]?.rows[r]?.[c];
		if (!cell || !sameCell(cell, value)) bad.push(`${t.caption}: ${JSON.stringify(value)} / ${JSON.stringify(cell)}`);
	}))));
	ok(cells > 200 && !bad.length, `JSON: the same in all ${cells} cells`, bad[0]);
}

// Every number of the first rows, as often as it stands there, below the table's caption.
function missingNumbers(table, part) {
	const words = new Map();
	for (const w of part.split(/\s{2,}|\n/)) words.set(w.trim(), (words.get(w.trim()) ?? 0) + 1);
	return table.rows.slice(0, SHOWN).flatMap((row) => row.filter((c) => c.value !== undefined).filter((c) => {
		const left = words.get(c.text) ?? 0;
		words.set(c.text, left - 1);
		return left < 1;
	})).map((c) => `${table.caption}: ${c.text}`);
}

function testText(page) {
	const text = read('txt');
	const flat = squeeze(text);
	ok(page.sentences.every((s) => flat.includes(squeeze(ascii(s.text)))), 'text: the same verdict');
	ok(page.sections.flatMap((s) => s.lines).every((l) => flat.includes(squeeze(ascii(l)))), 'text: the same remarks');
	let at = 0;
	const tables = tablesOf(page);
	const parts = tables.map((t) => {
		const words = squeeze(ascii(t.caption)).split(' ').map((w) => w.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
		const found = text.slice(at).search(new RegExp(`\\n  ${words.join('\\s+')}\\n`));
		return (at = found < 0 ? -1 : at + found);
	});
	ok(parts.length > 10 && parts.every((p) => p >= 0), 'text: the same tables, in this order', tables[parts.indexOf(-1)]?.caption);
	const missing = tables.flatMap((t, i) => missingNumbers(t, text.slice(parts[i], parts[i + 1])));
	ok(!missing.length, 'text: the same numbers in the rows that it shows', missing.slice(0, 3).join('; '));
}

function testMarkdown(page) {
	const plain = (cell) => cell.trim().replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&').replace(/\\(.)/g, '$1');
	const lines = read('md').split('\n').filter((l) => l.startsWith('|') && !/^\|[-:|]+$/.test(l)).map((l) => l.slice(1).split(/(?<!\\)\|/).slice(0, -1).map(plain));
	const wanted = tablesOf(page).flatMap((t) => [t.names, ...t.rows.slice(0, SHOWN).map((row) => row.map((c) => c.text || '\u2013'))]).map((row) => row.map((c) => squeeze(ascii(c))));
	const differs = wanted.findIndex((row, i) => row.join('|') !== lines[i]?.map(squeeze).join('|'));
	ok(wanted.length > 50 && wanted.length === lines.length && differs < 0, 'Markdown: the same in all rows that it shows', `${JSON.stringify(wanted[differs])} / ${JSON.stringify(lines[differs])}`);
}

await run(async () => {
	const { context, page } = await open({});
	const all = await extract(page);
	testJson(all);
	testText(all);
	testMarkdown(all);
	await context.close();
});
