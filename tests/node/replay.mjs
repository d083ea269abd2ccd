// Replays a job whose attempts were used up, after the cause was fixed:
// node replay.mjs MODULES URL TOKEN DEAD_JOB.

import assert from 'node:assert/strict';
import { chromium, enter, until } from './chromium.mjs';

const [modules, url, token, dead] = process.argv.slice(2);
const { open, close } = await chromium(modules);
const page = await open(url);

// The banner shows the dead letter and links to the runbook.
await page.locator('.banner', { hasText: 'dead letter' }).locator('a').click();
await until('its section', async () => /attempts are used up/.test(await page.locator('details[open]').textContent()));

// The cause: five attempts, each with the prover's standard error.
await page.goto(`${url}/console#/jobs/${dead}`);
await until('five failures', async () => (await page.locator('.failure').count()) === 5);
for (const failure of await page.locator('.failure').allTextContents()) assert.match(failure, /bad_alloc/);

await page.keyboard.press('d');
await page.locator(`#replay-${dead}`).click();
await enter(page, token);
await page.goto(`${url}/console#/jobs/${dead}`);
await until('its delivery', async () => /delivered/.test(await page.locator('h1').textContent()));
const steps = await page.locator('.life .what').allTextContents();
const words = steps.map((step) => step.match(/[a-z-]+/)[0]);
assert.deepEqual(words.slice(words.indexOf('dead')).filter((word) => !['queued', 'claimed'].includes(word)),
  ['dead', 'replayed', 'proved', 'delivered']);
await until('no banner', async () => (await page.locator('.banner').count()) === 0);

await close();
