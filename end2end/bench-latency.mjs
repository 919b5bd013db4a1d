// How soon does a page show that a service has stopped? `cargo xtask bench` runs it against an overview with
// connected services, passes their process ids in AGENTS, and reads the lines: what, value, unit, how, with tabs
// in between.

import { chromium } from '@playwright/test';

const { OVERVIEW: url, AGENTS: agents } = process.env;
const EVENTS = 100;

const services = agents.split(' ').map((agent) => agent.split('='));
const now = () => performance.timeOrigin + performance.now();

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
});
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
await page.goto(url);
await page.locator('html[data-hydrated]').waitFor({ state: 'attached' });
await page.waitForFunction(
  (all) => document.querySelectorAll('[data-server]').length >= all,
  services.length,
);
await page.getByTestId('connection').filter({ hasText: 'Live' }).waitFor();
await page.waitForTimeout(2_000);

/** The time of the first frame that shows a service as stopped. */
const shown = (server) =>
  page.evaluate(
    (server) =>
      new Promise((resolve) => {
        const block = () => document.querySelector(`[data-server="${server}"]`);
        const check = () => {
          if (!block()?.querySelector('[data-pulse="stopped"]')) return;
          observer.disconnect();
          requestAnimationFrame(() => resolve(performance.timeOrigin + performance.now()));
        };
        const observer = new MutationObserver(check);
        observer.observe(document.body, { attributes: true, childList: true, subtree: true });
        check();
      }),
    server,
  );

const waits = [];
for (let event = 0; event < EVENTS; event += 1) {
  const [server, pid] = services[(event * 37) % services.length];
  const seen = shown(server);
  await page.evaluate(() => {});
  const since = now();
  process.kill(Number(pid), 'SIGTERM');
  waits.push((await seen) - since);
  await page.waitForTimeout(50);
}
waits.sort((one, other) => one - other);
const how = `a service is asked to stop, its row says so; middle ${waits[EVENTS >> 1].toFixed(0)}, ${EVENTS} times; limit 250`;
console.log(['from service to pixel, 99 of 100', waits[Math.floor(EVENTS * 0.99)], 'ms', how].join('\t'));
await browser.close();
