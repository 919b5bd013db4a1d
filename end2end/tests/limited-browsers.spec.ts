// Browsers that lack something, or refuse it: the page starts all the same.

import { Page } from '@playwright/test';
import { expect, hydrated, open, server, test } from './cluster';

const odd: [string, (page: Page) => Promise<unknown>][] = [
  ['names a language that Intl refuses', (page) => page.addInitScript(() => {
    Object.defineProperty(navigator, 'languages', { get: () => ['en-US-u-ca-', 'en_US.UTF-8', 'C'] });
  })],
  ['names only an English that Intl refuses', (page) => page.addInitScript(() => {
    Object.defineProperty(navigator, 'languages', { get: () => ['en-'] });
  })],
  ['has no list of languages', (page) => page.addInitScript(() => {
    Object.defineProperty(navigator, 'languages', { get: () => undefined });
  })],
  ['has no Intl', (page) => page.addInitScript(() => {
    // @ts-expect-error as some embedded browsers are built
    delete globalThis.Intl;
    // eslint-disable-next-line no-extend-native
    Number.prototype.toLocaleString = () => { throw new RangeError('Incorrect locale information provided'); };
  })],
  ['remembers nothing', (page) => page.addInitScript(() => {
    Object.defineProperty(globalThis, 'localStorage', { get: () => { throw new DOMException('The operation is insecure.', 'SecurityError'); } });
  })],
  ['refuses to write addresses', (page) => page.addInitScript(() => {
    const refuse = () => { throw new DOMException('The operation is insecure.', 'SecurityError'); };
    history.replaceState = refuse;
    history.pushState = refuse;
  })],
  ['cannot listen', (page) => page.addInitScript(() => { delete (globalThis as { EventSource?: unknown }).EventSource; })],
];

for (const [what, make] of odd) {
  test(`the page is alive in a browser that ${what}`, async ({ cluster, page }) => {
    await make(page);
    await cluster.beat({ server: 'app-1' });
    await open(page, `${cluster.url}?server=app-1`);
    await expect(page.getByRole('dialog').getByText(/\d{1,4}.*\d\d:\d\d:\d\d UTC/).first()).toBeVisible();
    await cluster.beat({ server: 'app-2' });
    await expect(server(page, 'app-2')).toHaveCount(1);
    await page.getByRole('link', { name: 'Edit settings' }).click();
    await expect(page.getByLabel('Stale timeout')).toBeVisible();
    await page.getByRole('button', { name: 'Theme' }).click();
    await expect(page.locator('html')).toHaveAttribute('data-theme', 'light');
    await expect(page.locator('#not-live')).toBeHidden();
  });
}

test('ages go on in a browser that cannot say what is on the screen', async ({ cluster, page }) => {
  await page.addInitScript(() => { delete (globalThis as { IntersectionObserver?: unknown }).IntersectionObserver; });
  await cluster.beat({ server: 'app-1' });
  await open(page, cluster.url);
  await hydrated(page);
  await expect(server(page, 'app-1').locator('[data-label="Heartbeat"]')).toContainText(/[3-9] s ago/);
});

test('the audit is written in plain digits where the browser writes no others', async ({ cluster, page }) => {
  await page.addInitScript(() => {
    // @ts-expect-error as some embedded browsers are built
    delete globalThis.Intl;
  });
  await cluster.configure({ load_balancing: true, automatic_failover: false, heartbeat_interval_s: 30, stale_timeout_s: 300, web_window_s: 86_400 });
  await open(page, `${cluster.url}audit`, false);
  await expect(page.locator('time').first()).toHaveText(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/);
});
