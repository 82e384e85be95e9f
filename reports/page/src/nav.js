// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// nav.js - marks the section that is being read.
export function setupNav() {
	const links = new Map();
	for (const a of document.querySelectorAll('nav a')) links.set(a.hash.slice(1), a);
	const seen = new Set();
	const mark = () => {
		let current = null;
		for (const [id] of links) if (!current && seen.has(id)) current = id;
		for (const [id, a] of links) {
			if (id === current) a.setAttribute('aria-current', 'true');
			else a.removeAttribute('aria-current');
		}
	};
	const observer = new IntersectionObserver((entries) => {
		for (const e of entries) {
			if (e.isIntersecting) seen.add(e.target.id);
			else seen.delete(e.target.id);
		}
		mark();
	}, { rootMargin: '-15% 0px -60% 0px' });
	for (const section of document.querySelectorAll('main section')) observer.observe(section);
}
