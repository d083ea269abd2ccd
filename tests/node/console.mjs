// Reads the console in a headless Chromium and acts as an operator:
// node console.mjs MODULES URL READ_ONLY_URL TOKEN DEAD_JOB IMAGES.
//
// Fails on a wrong view, on any error on the page, and on any request to another
// server. Writes pictures to IMAGES.

import assert from 'node:assert/strict';
import path from 'node:path';
import { chromium, enter, until } from './chromium.mjs';

const [modules, url, readOnly, token, dead, images] = process.argv.slice(2);
const { open, close } = await chromium(modules);

// Takes a picture in both themes.
async function picture(page, name) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: path.join(images, `console-${name}-${colorScheme}.png`) });
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

const page = await open(url);
await page.evaluate(() => { window.loaded = 'once'; });

// Rollups, live.
const bars = () => page.locator('.timeline .run').count();
await until('a bar', async () => (await bars()) > 0);
const before = await bars();
await until('more bars without a reload', async () => (await bars()) > before);
await until('a running one', async () => (await page.locator('.run.running').count()) > 0);
const second = page.locator('details.rollup').filter({ hasText: 'proving' }).filter({ hasText: /inner\s+[45]\/8/ });
await until('a settled rollup above one that is proved', async () =>
  (await page.locator('.rollup .state.settled').count()) > 0 && (await second.count()) > 0);
await picture(page, 'rollups');
assert.match(await page.locator('.rollup .eta').first().textContent(), /ETA/);
assert.equal(await page.evaluate(() => window.loaded), 'once');
assert.equal(await page.locator('#live').textContent(), 'live');

// Workers.
await page.keyboard.press('w');
await until('tiles', async () => (await page.locator('.tile').count()) === 4);
await until('progress', async () => (await page.locator('.tile .progress').count()) > 0);
await picture(page, 'workers');

// Jobs: states, search, detail.
await page.keyboard.press('j');
await until('rows', async () => (await page.locator('tbody tr').count()) > 10);
await picture(page, 'jobs');
await page.keyboard.press('/');
await page.keyboard.type(dead.slice(0, 12));
await until('one row', async () => (await page.locator('tbody tr').count()) === 1);
assert.equal(await page.evaluate(() => document.activeElement.id), 'search');
await page.keyboard.press('Escape');
await page.locator('tbody .id a').click();
await until('the detail', async () => (await page.locator('.failure').count()) === 2);
assert.match(await page.locator('.failure pre').first().textContent(), /bad_alloc/);
await picture(page, 'job');

// Dead letters: an action without a token, or with a wrong token, is refused.
await page.keyboard.press('d');
const replay = page.locator(`#replay-${dead}`);
await replay.waitFor();
await picture(page, 'dead');
await replay.click();
await enter(page, 'guess');
await until('a refusal', async () => /not the operator's token/.test(await page.locator('#toasts').textContent()));
assert.equal(await replay.count(), 1);
await replay.click();
await enter(page, token);
await until('the letter is gone', async () => (await replay.count()) === 0);
await page.goto(`${url}/console#/jobs/${dead}`);
await until('its delivery', async () => /delivered/.test(await page.locator('h1').textContent()));

await page.keyboard.press('q');
await until('queues', async () => (await page.locator('.queue').count()) === 2);
await picture(page, 'queues');
await page.keyboard.press('k');
await until('keys', async () => (await page.locator('td .warned').count()) === 1);
await picture(page, 'keys');
await page.keyboard.press('a');
await until('the audit log', async () => /ada.*replay/s.test(await page.locator('table').textContent()));

// Keys, and light or dark.
await page.keyboard.press('?');
assert.equal(await page.locator('dialog[open] kbd').count(), 11);
await page.keyboard.press('Escape');
const back = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
const light = await back();
await page.keyboard.press('t');
assert.notEqual(await back(), light);

// A read-only console shows that it is read-only, and no dialog for a token.
const reader = await open(readOnly);
await reader.locator('details.rollup').first().waitFor();
await reader.locator('#operator').click();
assert.match(await reader.locator('dialog').textContent(), /ZKWHIRL_OPERATOR_TOKEN/);
await reader.keyboard.press('Escape');
await reader.keyboard.press('w');
await reader.locator('.tile .buttons button').first().click();
assert.match(await reader.locator('dialog').textContent(), /ZKWHIRL_OPERATOR_TOKEN/);

// On a phone no view is wider than the screen.
const phone = await open(url, { viewport: { width: 390, height: 780 } });
for (const view of ['rollups', 'jobs', 'workers', 'queues', 'keys']) {
  await phone.goto(`${url}/console#/${view}`);
  await phone.locator('h1').first().waitFor();
  const wide = await phone.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 390, `${view} is ${wide} wide`);
}

await close();
