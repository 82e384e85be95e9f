// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// compare.test.mjs - a comparison in a browser. Environment: as lib.mjs, SHOT (png to write), and
// FIGURES (what 'kmemlab compare -F json' says of the same).
import { readFileSync, statSync } from 'node:fs';
import { DRAWN, hued, ok, open, overflow, run, scrollThrough, tipText } from './lib.mjs';

const { REPORT, SHOT, FIGURES } = process.env;
const said = JSON.parse(readFileSync(FIGURES, 'utf8'));
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

async function testLight() {
	const { context, page, complaints, requests } = await open({ colorScheme: 'light' });
	await scrollThrough(page);
	ok(statSync(REPORT).size <= 10 << 20, 'the file is at most 10 MiB');
	ok((await page.locator('h1').textContent()).includes(said.base), 'the title names the base');
	await testDots(page);
	await testTips(page);
	await testNumbers(page);
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
	await narrow.page.screenshot({ path: SHOT.replace(/\.png$/, '-narrow.png'), fullPage: true });
	await narrow.context.close();
	const bare = await open({ javaScriptEnabled: false });
	ok((await bare.page.locator('#comparison tbody tr').count()) === said.figures.length, 'the table is there without JavaScript');
	await bare.context.close();
}

await run(testLight, testOtherViews);
