// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// lib.mjs - what tests of pages share: a browser, a page that remembers, marks on charts.
// Environment: NAME (of the page), REPORT (file), MODULES (where playwright-core is installed),
// CHROMIUM (browser).
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const { chromium } = createRequire(join(resolve(process.env.MODULES), 'x.js'))('playwright-core');
const { NAME = 'page', REPORT } = process.env;
const url = pathToFileURL(resolve(REPORT)).href;
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
	'--disable-background-networking', '--disable-component-update', '--disable-sync'];

let failures = 0;
export function ok(condition, name, detail = '') {
	console.log(condition ? `ok ${NAME}: ${name}` : `not ok ${NAME}: ${name} - ${(detail || 'it is not so').slice(0, 300)}`);
	if (!condition) failures++;
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, headless: true, args: ARGS });

// A page that remembers what it said and what it asked for.
export async function open(options) {
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
export async function scrollThrough(page) {
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
export const hued = (page) => page.evaluate(() =>
	[...document.querySelectorAll('.chart canvas')].map((canvas) => {
		if (!canvas.width || !canvas.height) return 0;
		const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
		const map = canvas.closest('.map:not(.heat)');
		const heat = canvas.closest('.heat');
		let n = 0;
		for (let i = 0; i < data.length; i += 4) {
			const [r, g, b, a] = data.slice(i, i + 4);
			n += map ? a === 255 : a > (heat ? 30 : 100) && Math.max(r, g, b) - Math.min(r, g, b) > 60;
		}
		return map ? (n > data.length / 4 / 4 ? n : 0) : n;
	}));
export const DRAWN = 50;

export const overflow = (page) => page.evaluate(() => {
	const width = document.documentElement.clientWidth;
	const wide = [...document.querySelectorAll('main *')].filter((e) =>
		!e.closest('.scroll, svg, .u-wrap') && e.getBoundingClientRect().right > width + 1);
	return { page: document.documentElement.scrollWidth - width, wide: wide.slice(0, 3).map((e) => e.outerHTML.slice(0, 80)) };
});

export const tipText = (page) => page.locator('.tip').innerText();

// Runs the tests one by one; ends the process with what came out.
export async function run(...tests) {
	try {
		for (const test of tests) await test();
	} catch (error) {
		ok(false, 'the test ran to its end', String(error));
	} finally {
		await browser.close();
	}
	process.exit(failures ? 1 : 0);
}
