// What does a page with thousands of servers cost a browser?
// `cargo xtask bench` runs it against an overview with that many servers, and reads the lines:
// what, value, unit, how, with tabs in between.

import { chromium } from '@playwright/test';

import { twin } from './bench-twin.mjs';

const { OVERVIEW: url, OVERVIEW_TOKEN: token } = process.env;
const SERVERS = Number(process.env.SERVERS);
const THOUSAND = 1_000;
const all = SERVERS.toLocaleString('en');
/** The limit for a change of 50 rows. */
const LIMIT_MS = SERVERS > THOUSAND ? 10 : 6;
const CHANGED = 50;
const WARM_UPS = 10;
const CHANGES = 21;
const MINUTES = 15;
const IDLE_MS = 15_000;

const figure = (what, value, unit, how) => console.log([what, value, unit, how].join('\t'));
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const server = (number) => `server-${number}`;

async function sendHeartbeats(numbers, version) {
  const body = numbers.flatMap((number) =>
    ['web', 'service'].map((role) => ({
      server: server(number),
      role,
      product: 'ProGet',
      version,
      os: { name: 'Debian GNU/Linux', version: '12' },
      ip: '10.0.0.1',
      boot_id: `${number.toString(16).padStart(8, '0')}-3c0a-4d5e-9f7e-3d1b9f0c2a12`,
      sequence: Date.now(),
      key_check: '9f'.repeat(32),
    })),
  );
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const answer = await fetch(new URL('api/v1/heartbeats', url), {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`heartbeats: ${answer.status} ${await answer.text()}`);
}

async function remove(number) {
  const address = new URL(`api/v1/servers/${server(number)}?force=true`, url);
  const answer = await fetch(address, { method: 'DELETE' });
  if (!answer.ok) throw new Error(`removal: ${answer.status} ${await answer.text()}`);
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
});
// The page in plain JavaScript runs where no script is allowed.
const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, bypassCSP: true });
const devtools = await page.context().newCDPSession(page);
await devtools.send('Performance.enable');

async function metrics() {
  const { metrics } = await devtools.send('Performance.getMetrics');
  return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
}

/** The milliseconds of the page's main thread that `act` costs, until the page is idle again. */
async function cost(act, rest = 900) {
  const before = await metrics();
  await page.evaluate(() => {
    globalThis.longest = 0;
  });
  await act();
  await page.waitForTimeout(rest);
  const after = await metrics();
  const [script, style, layout, task] = [
    'ScriptDuration',
    'RecalcStyleDuration',
    'LayoutDuration',
    'TaskDuration',
  ].map((name) => (after[name] - before[name]) * 1_000);
  const longest = await page.evaluate(() => globalThis.longest);
  return { script, style, layout, task, all: script + style + layout, longest };
}

const parts = (costs) =>
  ['script', 'style', 'layout']
    .map((part) => `${part} ${median(costs.map((cost) => cost[part])).toFixed(1)}`)
    .join(', ');
const pollNow = () => page.evaluate(() => dispatchEvent(new Event('online')));
const pollTwin = () => page.evaluate(() => globalThis.poll());
const recordLongTasks = () =>
  page.evaluate(() => {
    const record = (list) => {
      for (const entry of list.getEntries()) {
        globalThis.longest = Math.max(globalThis.longest, entry.duration);
      }
    };
    new PerformanceObserver(record).observe({ entryTypes: ['longtask'] });
  });
const shows = (number, text) =>
  page.waitForFunction(
    ([server, text]) =>
      document.querySelector(`[data-server="${server}"]`)?.textContent.includes(text),
    [server(number), text],
  );

async function opening() {
  const since = performance.now();
  await page.goto(url);
  await page.locator('html[data-hydrated]').waitFor({ state: 'attached' });
  // The list has its whole length, of which the rows near the screen are in the document.
  await page.waitForFunction((chunks) => document.querySelectorAll('.chunk').length >= chunks, SERVERS / 20);
  figure(`a browser can use a list of ${all}`, performance.now() - since, 'ms', 'from the first request');
  await recordLongTasks();
  await page.waitForTimeout(3_000);
  const elements = await page.evaluate(() => document.querySelectorAll('*').length);
  figure(`elements in the document of ${all}`, elements, '', 'rows near the screen only; limit 10,000 of 1,000, 12,000 of 5,000');
}

async function idle() {
  const { task } = await cost(() => {}, IDLE_MS);
  const how = `main thread, of one core, over ${IDLE_MS / 1_000} s; limit 0.5`;
  figure('an open page with nothing new', (task / IDLE_MS) * 100, '%', how);
}

async function changes(subject, poll, serial) {
  const step = Math.floor((SERVERS - 50) / CHANGED);
  const numbers = Array.from({ length: CHANGED }, (_, place) => place * step + 1);
  const costs = [];
  for (let round = 0; round < WARM_UPS + CHANGES; round += 1) {
    const version = `2026.${serial}.${round}`;
    await sendHeartbeats(numbers, version);
    const one = await cost(async () => {
      await poll();
      await shows(numbers[0], version);
    });
    if (round >= WARM_UPS) costs.push(one);
  }
  const longest = median(costs.map((cost) => cost.longest));
  const how = `${parts(costs)}; longest task ${longest.toFixed(0)}; middle of ${CHANGES}; limit ${LIMIT_MS}`;
  figure(`${subject}news that change ${CHANGED} of ${all} rows`, median(costs.map((cost) => cost.all)), 'ms', how);
}

async function searching(subject) {
  await page.locator('#search').focus();
  const costs = [];
  for (const key of 'server-77') costs.push(await cost(() => page.keyboard.press(key), 400));
  for (let key = 0; key < 9; key += 1) {
    costs.push(await cost(() => page.keyboard.press('Backspace'), 900));
  }
  const keys = `middle of ${costs.length} keys of a search and of taking it back`;
  figure(`${subject}a key typed into the search`, median(costs.map((cost) => cost.all)), 'ms', keys);
  const longest = Math.max(...costs.map((cost) => cost.longest));
  figure(`${subject}the longest task of these`, longest, 'ms', 'the worst key; 0: none over 50');
}

/** The same in plain JavaScript over the same API, which is what the browser itself costs. */
async function measureTwin() {
  const subject = 'plain JavaScript: ';
  const since = performance.now();
  await page.goto(new URL('healthz', url).href);
  await page.evaluate(twin);
  figure(`${subject}a list of ${all}`, performance.now() - since, 'ms', 'from the first request, without styles');
  await recordLongTasks();
  await page.waitForTimeout(1_000);
  await changes(subject, pollTwin, 5);
  await searching(subject);
}

async function scrolling() {
  await page.mouse.move(600, 500);
  const { longest, task } = await cost(async () => {
    for (let step = 0; step < 40; step += 1) {
      await page.mouse.wheel(0, 1_000);
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
    }
  });
  const how = `40 turns of 1,000 pixels, ${task.toFixed(0)} ms of main thread; 0: no task over 50`;
  figure('the longest task of scrolling', longest, 'ms', how);
}

async function measureMemory() {
  await devtools.send('HeapProfiler.collectGarbage');
  await devtools.send('HeapProfiler.collectGarbage');
  const { JSHeapUsedSize, Nodes, JSEventListeners } = await metrics();
  const memory = await page.evaluate(async () => {
    const { default: start } = await import(document.querySelector('link[href$="app.js"]').href);
    return (await start()).memory.buffer.byteLength;
  });
  return { heap: JSHeapUsedSize / 1e6, nodes: Nodes, listeners: JSEventListeners, memory };
}

async function churn() {
  const replaceServers = async (from, numbers) => {
    for (let number = from; number < from + 10; number += 1) await remove(number);
    await sendHeartbeats(numbers, '2026.2.1');
    await pollNow();
    await shows(numbers.at(-1), '2026.2.1');
    await page.waitForTimeout(500);
  };
  const ten = (from) => Array.from({ length: 10 }, (_, place) => from + place);
  // The newest names come first, so that their rows are in the document.
  await page.goto(`${url}?sort=-name`);
  await page.locator('html[data-hydrated]').waitFor({ state: 'attached' });
  // The first rounds allocate memory that the later ones reuse.
  for (let minute = 0; minute < 3; minute += 1) {
    await replaceServers(500 + minute * 10, ten(2_000 + minute * 10));
  }
  const before = await measureMemory();
  for (let minute = 0; minute < MINUTES; minute += 1) {
    await replaceServers(600 + minute * 10, ten(3_000 + minute * 10));
  }
  const after = await measureMemory();
  const how = `after ${MINUTES} times 10 servers removed and 10 new; it was`;
  const grown = (name, unit, of, digits) =>
    figure(`${name} grew by`, of(after) - of(before), unit, `${how} ${of(before).toFixed(digits)}`);
  grown('scripts’ heap', 'MB', ({ heap }) => heap, 1);
  grown('nodes', '', ({ nodes }) => nodes, 0);
  grown('listeners', '', ({ listeners }) => listeners, 0);
  grown('wasm memory', 'MB', ({ memory }) => memory / 1e6, 1);
}

try {
  await opening();
  await idle();
  await changes('', pollNow, 3);
  await searching('');
  if (SERVERS === THOUSAND) {
    await scrolling();
    await churn();
  }
  await measureTwin();
} finally {
  await browser.close();
}
