// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// compare.test.mjs - a comparison in a browser. Environment: as lib.mjs, SHOT (png to write), and
// FORMS (path of what 'kmemlab compare' says of the same, without .txt, .md and .json).
import { readFileSync, statSync } from 'node:fs';
import { DRAWN, hued, ok, open, overflow, run, scrollThrough, tipText } from './lib.mjs';

const { REPORT, SHOT, FORMS } = process.env;
const read = (form) => readFileSync(`${FORMS}.${form}`, 'utf8');
const said = JSON.parse(read('json'));
const changed = said.figures.filter((f) => f.change !== undefined && (f.unit === '%' || f.change_percent !== undefined));

// A dot for every figure that changed from a base, on its side of the line.
async function testDots(page) {
	const dots = await page.evaluate(() => [...document.querySelectorAll('.dots .track .dot')].map((dot) => {
		const box = dot.getBoundingClientRect(), track = dot.parentElement.getBoundingClientRect();
		return { label: dot.getAttribute('aria-label'), at: (box.left + box.width / 2 - track.left) / track.width, size: box.width * box.height };
	}));
	ok(dots.length > 0 && dots.length === changed.length, 'every figure has its dot', `${dots.length} of ${changed.length}`);
	const wrong = changed.filter((f) => {
		const dot = dots.find((d) => d.label.startsWith(`${f.measure} of ${f.group}:`));
		return !dot || dot.size < 50 || dot.at < -0.01 || dot.at > 1.01 || (dot.at - 0.5) * f.change < -1e-3;
	});
	ok(!wrong.length, 'more is to the right, less to the left', wrong.map((f) => `${f.measure} ${f.group}`).join());
}

async function testTips(page) {
	const dot = page.locator('.dots .track .dot').first();
	await dot.focus();
	const text = await tipText(page);
	ok(/median\s+[\d.,]+/.test(text) && text.includes(said.base), 'a dot tells its figure by keyboard', text);
	await dot.evaluate((d) => d.blur());
	await dot.hover();
	ok((await tipText(page)) === text, 'and by mouse', await tipText(page));
	await page.mouse.move(0, 0);
}

// The table's numbers are those of the JSON form.
async function testNumbers(page) {
	const rows = await page.evaluate(() => [...document.querySelector('#comparison table').tBodies[0].rows].map((row) =>
		[...row.cells].map((c) => c.dataset.v ?? c.textContent)));
	const bad = said.figures.filter((f) => {
		const row = rows.find((r) => r[0] === f.measure && r[1] === f.group);
		const same = (cell, v) => (v === undefined ? cell === '\u2013' : Math.abs(Number(cell) - v) <= 1e-6 * Math.max(1, Math.abs(v)));
		return !row || ![f.runs, f.median, f.min, f.max].every((v, i) => same(row[4 + i], v)) || !same(row[8], f.change);
	});
	ok(rows.length === said.figures.length && !bad.length, 'the table says what the JSON form says', JSON.stringify(bad.slice(0, 2)));
}

const close = (a, b) => Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(b));

// Differences over time: the page's tables, its charts and the other forms say the same.
async function testDifferences(page) {
	const rows = await page.evaluate(() => [...document.querySelectorAll('#difference tbody tr')].map((tr) =>
		[...tr.cells].map((c) => ({ text: c.textContent.trim(), value: c.dataset.v }))));
	const lines = said.differences.flatMap((d) => d.series.map((s) => ({ name: `${d.group} minus ${d.base}`, ...s })));
	const differs = lines.filter((l) => {
		const row = rows.find((r) => r[0].text === l.name && r[1].text === l.series);
		const wanted = [l.mean, l.largest, l.largest_at_ns, l.end, l.apart_since_ns];
		return !row || wanted.some((v, i) => (v === null ? row[i + 2].value !== undefined : !close(Number(row[i + 2].value), v)));
	});
	ok(rows.length >= 4 && rows.length === lines.length && !differs.length, 'differences over time: JSON says what the table says', JSON.stringify([rows.length, lines.length, differs[0]?.name]));
	const plain = (cell) => cell.replace('\u2013', '-').trim();
	const wanted = rows.map((r) => r.map((c) => plain(c.text)).join('|'));
	const text = read('txt').split('\n').map((l) => l.trim().split(/\s{2,}/).join('|'));
	const md = read('md').split('\n').map((l) => l.slice(1, -1).split('|').map(plain).join('|'));
	ok(wanted.every((w) => text.includes(w)), 'and so does text', wanted.find((w) => !text.includes(w)));
	ok(wanted.every((w) => md.includes(w)), 'and Markdown', wanted.find((w) => !md.includes(w)));
	const first = said.differences[0];
	const drawn = await page.evaluate((n) => [...document.querySelectorAll('#difference .plot')].slice(0, n).map((p) => {
		p.chart.shown || p.chart.show();
		return { label: p.chart.series[0].label, values: p.chart.plot.data[1] };
	}), first.series.length);
	const off = first.series.filter((s, i) => drawn[i].values.length !== s.value.length || s.value.some((v, k) => (v === null) !== (drawn[i].values[k] == null) || (v !== null && !close(drawn[i].values[k], v))));
	ok(drawn.length === 4 && !off.length, 'the charts draw the series of the JSON form', off.map((s) => s.series).join());
	ok(drawn[0].label.includes(' minus ') && drawn[0].label.indexOf(first.group === 'observed' ? 'kernel' : first.group) === 0, 'of the same two', drawn[0].label);
}

async function testLight() {
	const { context, page, complaints, requests } = await open({ colorScheme: 'light' });
	await scrollThrough(page);
	ok(statSync(REPORT).size <= 10 << 20, 'the file is at most 10 MiB');
	ok((await page.locator('h1').textContent()).includes(said.base), 'the title names the base');
	await testDots(page);
	await testTips(page);
	await testNumbers(page);
	await testDifferences(page);
	ok(!complaints.length, 'nothing is said on the console', complaints.join(' | '));
	ok(!requests.length, 'nothing is asked of any network', requests.join(' '));
	const pixels = await hued(page);
	ok(pixels.every((n) => n > DRAWN) && (await page.locator('#difference canvas').count()) >= 4, 'differences over time are drawn', pixels.join());
	await page.screenshot({ path: SHOT, fullPage: true });
	await context.close();
}

async function testOtherViews() {
	const dark = await open({ colorScheme: 'dark' });
	await scrollThrough(dark.page);
	ok(!dark.complaints.length, 'nothing is said on the console in the dark', dark.complaints.join(' | '));
	ok((await hued(dark.page)).every((n) => n > DRAWN), 'charts are drawn in the dark');
	await dark.page.screenshot({ path: SHOT.replace(/\.png$/, '-dark.png'), fullPage: true });
	await dark.context.close();
	const narrow = await open({ viewport: { width: 360, height: 800 } });
	await scrollThrough(narrow.page);
	const over = await overflow(narrow.page);
	ok(over.page <= 0 && !over.wide.length, 'nothing overflows at 360 px', JSON.stringify(over));
	const ticks = await narrow.page.evaluate(() => [...document.querySelectorAll('.dots .axis .track')].map((axis) =>
		[...axis.querySelectorAll('.tick')].map((t) => t.getBoundingClientRect()).sort((a, b) => a.left - b.left)
			.some((box, i, all) => i && box.left < all[i - 1].right + 2)));
	ok(ticks.length && !ticks.includes(true), 'names on an axis do not touch at 360 px', ticks.join());
	await narrow.page.screenshot({ path: SHOT.replace(/\.png$/, '-narrow.png'), fullPage: true });
	await narrow.context.close();
	const bare = await open({ javaScriptEnabled: false });
	ok((await bare.page.locator('#comparison tbody tr').count()) === said.figures.length, 'the table is there without JavaScript');
	await bare.context.close();
}

await run(testLight, testOtherViews);
