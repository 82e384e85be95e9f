// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// report.test.mjs - a report in a browser.
// Environment: NAME (of the report), REPORT (file), SHOT (png to write), MODULES (where playwright-core
// is installed), CHROMIUM (browser).
import { createRequire } from 'node:module';
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const { chromium } = createRequire(join(resolve(process.env.MODULES), 'x.js'))('playwright-core');
const { NAME = 'page', REPORT, SHOT } = process.env;
const url = pathToFileURL(resolve(REPORT)).href;
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
	'--disable-background-networking', '--disable-component-update', '--disable-sync'];

let failures = 0;
function ok(condition, name, detail = '') {
	console.log(condition ? `ok ${NAME}: ${name}` : `not ok ${NAME}: ${name} - ${(detail || 'it is not so').slice(0, 300)}`);
	if (!condition) failures++;
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, headless: true, args: ARGS });

// A page that remembers what it said and what it asked for.
async function open(options) {
	const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, ...options });
	const page = await context.newPage();
	const complaints = [];
	const requests = [];
	page.on('console', (m) => ['error', 'warning'].includes(m.type()) && complaints.push(m.text()));
	page.on('pageerror', (e) => complaints.push(String(e)));
	page.on('request', (r) => r.url() !== url && !r.url().startsWith('data:') && requests.push(r.url()));
	await page.goto(url, { waitUntil: 'load' });
	return { context, page, complaints, requests };
}

// Charts draw when they come near: walk through the page once.
async function scrollThrough(page) {
	await page.evaluate(async () => {
		document.documentElement.style.scrollBehavior = 'auto';
		for (let y = 0; y < document.body.scrollHeight; y += 400) {
			scrollTo(0, y);
			await new Promise((done) => setTimeout(done, 30));
		}
		scrollTo(0, 0);
		await new Promise((done) => setTimeout(done, 100));
	});
}

// Pixels of each canvas that have a hue: axes, grid and text have none. A map
// of free memory has hardly any, but it covers its canvas.
const hued = (page) => page.evaluate(() =>
	[...document.querySelectorAll('.chart canvas')].map((canvas) => {
		if (!canvas.width || !canvas.height) return 0;
		const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
		const map = canvas.closest('.map');
		let n = 0;
		for (let i = 0; i < data.length; i += 4) {
			const [r, g, b, a] = data.slice(i, i + 4);
			n += map ? a === 255 : a > 100 && Math.max(r, g, b) - Math.min(r, g, b) > 60;
		}
		return map ? (n > data.length / 4 / 4 ? n : 0) : n;
	}));
const DRAWN = 50;

const overflow = (page) => page.evaluate(() => {
	const width = document.documentElement.clientWidth;
	const wide = [...document.querySelectorAll('main *')].filter((e) =>
		!e.closest('.scroll, svg, .u-wrap') && e.getBoundingClientRect().right > width + 1);
	return { page: document.documentElement.scrollWidth - width, wide: wide.slice(0, 3).map((e) => e.outerHTML.slice(0, 80)) };
});

async function testLight() {
	const { context, page, complaints, requests } = await open({ colorScheme: 'light' });
	await scrollThrough(page);
	const slots = await page.locator('.chart-slot').count();
	const pixels = await hued(page);
	ok(statSync(REPORT).size <= 10 << 20, 'the file is at most 10 MiB');
	ok((await page.title()).endsWith('kmemlab report'), 'the title is the report\'s', await page.title());
	ok((await page.locator('.verdict .sentence').count()) % 3 === 0, 'the verdict has three sentences');
	ok(pixels.length >= slots, `every section with a chart has one (${pixels.length} in ${slots})`);
	ok(pixels.every((n) => n > DRAWN), 'every chart has something drawn', pixels.join());
	const rows = await page.evaluate(() => [...document.querySelectorAll('table')].map((t) => t.tBodies[0].rows.length));
	ok(rows.length >= 5 && rows.every((n) => n > 0), 'every table has rows', rows.join());
	await testFigures(page);
	await testSort(page);
	await testKeyboard(page);
	if (await page.locator('#stalls .plot').count()) await testPressure(page);
	ok(!complaints.length, 'nothing is said on the console', complaints.join(' | '));
	ok(!requests.length, 'nothing is asked of any network', requests.join());
	await page.mouse.move(0, 0);
	await page.screenshot({ path: SHOT, fullPage: true });
	await context.close();
}

// Every figure of the verdict is a link to the cell of a table that says the same, and
// every number of its sentences stands somewhere below.
async function testFigures(page) {
	const figures = await page.evaluate(() => [...document.querySelectorAll('.figures dd')].map((dd) => ({
		name: dd.previousElementSibling.textContent,
		numbers: [...dd.childNodes].filter((n) => n.className !== 'to' && n.textContent.trim()).length,
		links: [...dd.querySelectorAll('a')].map((a) => {
			const cell = document.getElementById(a.hash.slice(1));
			return { text: a.textContent, cell: cell?.textContent, table: Boolean(cell?.closest('#verdict ~ section table')) };
		}),
	})));
	const bad = figures.filter((f) => !f.links.length || f.links.length !== f.numbers ||
		f.links.some((l) => !l.table || l.text !== l.cell));
	ok(figures.length >= 4 && !bad.length, 'each figure of the verdict leads to a table that says it', JSON.stringify(bad));
	const lost = await page.evaluate(() => {
		const rest = [...document.querySelectorAll('main > section:not(#verdict) :is(td, .remark)')].map((e) => e.textContent).join(' | ');
		const said = [...document.querySelectorAll('.verdict .sentence p')].map((p) => p.textContent.replace(/order-\d/g, '').replace(/\+0x[\da-f]+/g, '')).join(' ');
		return (said.match(/(?<![\w.])\d[\d,.]*(?: (?:%|KiB|MiB|GiB|ns|us|ms|s)(?![\w])|(?=[\s;,.)]))/g) ?? [])
			.map((n) => n.replace(/[,.]$/, '')).filter((n) => !rest.includes(n));
	});
	ok(!lost.length, 'every number of the verdict\'s sentences stands below', lost.join(' '));
	const last = page.locator('.figures dd a').last();
	await last.focus();
	await page.keyboard.press('Enter');
	ok(await page.evaluate(() => {
		const cell = document.querySelector('td:target');
		const at = cell?.getBoundingClientRect();
		return at && at.top >= 0 && at.bottom <= innerHeight && at.height > 0;
	}), 'following a figure shows its cell');
}

async function testSort(page) {
	const table = page.locator('figure.table:not(details figure) table').filter({ has: page.locator('th.num button') }).last();
	const column = await table.evaluate((t) => [...t.tHead.rows[0].cells].findIndex((c) => c.classList.contains('num')));
	const values = () => table.evaluate((t, c) => [...t.tBodies[0].rows].map((r) => Number(r.cells[c].dataset.v ?? -Infinity)), column);
	const before = (await values()).join();
	await table.locator('th').nth(column).locator('button').click();
	const sorted = await values();
	ok(sorted.every((v, i) => !i || sorted[i - 1] >= v), 'a column sorts, largest first', sorted.join());
	await table.locator('th').nth(column).locator('button').click();
	await table.locator('th').nth(column).locator('button').click();
	ok((await values()).join() === before, 'the third press restores the order');
}

// Marks of stalls on the chart of free memory, and charts with logarithmic time.
async function testPressure(page) {
	const ink = (selector, rows) => page.locator(selector).first().evaluate((canvas, height) => {
		const { data, width } = canvas.getContext('2d').getImageData(60, 8, canvas.width - 60, height);
		let n = 0;
		for (let i = 3; i < width * height * 4; i += 4) n += data[i] > 200;
		return n;
	}, rows);
	ok((await ink('#free canvas', 40)) > 200, 'stalls are marked on the chart of free memory');
	const named = await page.locator('#free .marks-legend li').allTextContents();
	ok(['direct reclaim', 'failed allocation', 'kswapd awake'].every((what) => named.some((n) => n.startsWith(what))),
		'the legend names the marks', named.join());
	for (const id of ['stalls', 'lifetimes', 'latency']) {
		const plot = page.locator(`#${id} .plot`).first();
		await plot.scrollIntoViewIfNeeded();
		await plot.focus();
		for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowRight');
		const tip = await page.locator('.tip').textContent();
		ok(/\d (ns|us|ms|s|%)/.test(tip), `${id}: the tip tells a value`, tip);
		await page.keyboard.press('Escape');
	}
}

async function testKeyboard(page) {
	const plot = page.locator('.plot').first();
	await plot.focus();
	await page.keyboard.press('ArrowRight');
	await page.keyboard.press('ArrowRight');
	const tip = page.locator('.tip');
	ok(await tip.isVisible(), 'arrow keys show values');
	ok(/at 0\.\d|at \d/.test(await tip.textContent()), 'the tip names the time', await tip.textContent());
	await page.keyboard.press('Escape');
	ok(!(await tip.isVisible()), 'Escape takes the tip away');
	const chip = page.locator('.chip').first();
	await chip.click();
	ok((await chip.getAttribute('aria-pressed')) === 'false', 'a run can be hidden');
	await chip.click();
}

async function testDark() {
	const { context, page, complaints } = await open({ colorScheme: 'dark' });
	const back = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).slice(0, 3).reduce((a, b) => a + Number(b), 0));
	const dark = await back();
	ok(dark < 150, 'dark where the system says dark', String(dark));
	await page.locator('#theme').click();
	ok((await back()) > 600, 'the switch makes it light');
	await page.locator('#theme').click();
	ok((await back()) < 150, 'and dark again');
	await scrollThrough(page);
	const pixels = await hued(page);
	ok(pixels.every((n) => n > DRAWN), 'charts are drawn in the dark', pixels.join());
	ok(!complaints.length, 'nothing is said on the console in the dark', complaints.join(' | '));
	await page.screenshot({ path: SHOT.replace(/\.png$/, '-dark.png'), fullPage: true });
	await context.close();
}

async function testWidths() {
	for (const width of [360, 768, 1600]) {
		const { context, page } = await open({ viewport: { width, height: 800 } });
		await scrollThrough(page);
		const over = await overflow(page);
		ok(over.page <= 0 && !over.wide.length, `nothing overflows at ${width} px`, JSON.stringify(over));
		if (width === 360) await page.screenshot({ path: SHOT.replace(/\.png$/, '-narrow.png'), fullPage: true });
		if (width === 1600) await page.setViewportSize({ width: 500, height: 800 });
		if (width === 1600) await page.waitForTimeout(200);
		if (width === 1600) ok((await overflow(page)).page <= 0, 'charts follow a resize');
		await context.close();
	}
}

async function testWithoutScripts() {
	const { context, page } = await open({ javaScriptEnabled: false });
	ok((await page.locator('.verdict .sentence p').first().innerText()).length > 20, 'the verdict is there without JavaScript');
	ok((await page.locator('tbody tr').count()) > 20, 'the tables are there without JavaScript');
	const slots = await page.locator('.chart-slot').count();
	ok((await page.getByText('charts need JavaScript').count()) === slots, 'it says why there are no charts');
	await context.close();
}

try {
	await testLight();
	await testDark();
	await testWidths();
	await testWithoutScripts();
} catch (error) {
	ok(false, 'the test ran to its end', String(error));
} finally {
	await browser.close();
}
process.exit(failures ? 1 : 0);
