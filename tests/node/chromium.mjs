// A headless Chromium for tests of the console. A test fails on any error on a
// page and on any request to another server.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import path from 'node:path';

export const PATIENCE = 300_000;

// The page that was opened last: `until` reports what the page shows.
let last;

export async function chromium(modules) {
  const playwright = createRequire(path.join(modules, 'package.json'))('playwright-core');
  const browser = await playwright.chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  });
  const troubles = [];

  async function open(base, options) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: 'light', ...options });
    const page = last = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    // The browser also logs a refusal that a test provoked.
    page.on('console', (message) => {
      if (message.type() === 'error' && !/status of 40[13]/.test(message.text())) troubles.push(message.text());
    });
    page.on('pageerror', (error) => troubles.push(String(error)));
    page.on('request', (request) => {
      if (!request.url().startsWith(base) && !request.url().startsWith('blob:')) troubles.push(`asks ${request.url()}`);
    });
    await page.goto(`${base}/console`);
    return page;
  }

  async function close() {
    await browser.close();
    assert.deepEqual(troubles, []);
  }

  return { open, close };
}

export async function until(what, holds) {
  const end = Date.now() + PATIENCE;
  while (!(await holds())) {
    if (Date.now() >= end) assert.fail(`never came: ${what}; the page shows: ${await last.locator('body').innerText()}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

// Fills in the operator's dialog.
export async function enter(page, token) {
  await page.locator('dialog input[name=name]').fill('ada');
  await page.locator('dialog input[name=token]').fill(token);
  await page.keyboard.press('Enter');
}
