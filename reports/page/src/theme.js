// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// theme.js - light, dark or as the system says; and whoever must redraw then.
const CHOICES = ['auto', 'light', 'dark'];
const listeners = [];
const root = document.documentElement;

export function onTheme(redraw) {
	listeners.push(redraw);
}

// The value of a colour variable now.
export function colour(name) {
	return getComputedStyle(root).getPropertyValue(name).trim();
}

function apply(choice) {
	if (choice === 'auto') delete root.dataset.theme;
	else root.dataset.theme = choice;
	for (const redraw of listeners) redraw();
}

// A file opened from disk may have no storage; the choice is then not kept.
function remembered() {
	try {
		const choice = localStorage.getItem('kmemlab-theme');
		return CHOICES.includes(choice) ? choice : 'auto';
	} catch {
		return 'auto';
	}
}

function remember(choice) {
	try {
		localStorage.setItem('kmemlab-theme', choice);
	} catch {
		// Not kept.
	}
}

export function setupTheme() {
	let choice = remembered();
	const button = document.createElement('button');
	const show = () => {
		button.textContent = `Theme: ${choice}`;
		button.setAttribute('aria-label', `Theme: ${choice}. Change it.`);
	};
	button.type = 'button';
	button.id = 'theme';
	button.addEventListener('click', () => {
		choice = CHOICES[(CHOICES.indexOf(choice) + 1) % CHOICES.length];
		remember(choice);
		show();
		apply(choice);
	});
	show();
	document.querySelector('header.top').append(button);
	apply(choice);
	matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => apply(choice));
	// Paper is white.
	addEventListener('beforeprint', () => apply('light'));
	addEventListener('afterprint', () => apply(choice));
}
