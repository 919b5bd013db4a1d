// Does the page start in browsers that lack or block a feature?

import { Page } from '@playwright/test';
import { expect, openPage, server, test, waitForHydration } from './cluster';

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
  test(`the page works in a browser that ${what}`, async ({ cluster, page }) => {
    await make(page);
    await cluster.sendHeartbeat({ server: 'app-1' });
    await openPage(page, `${cluster.url}?server=app-1`);
    await expect(page.getByRole('dialog').getByText(/^\d\d:\d\d:\d\d UTC$/).first()).toBeVisible();
    await cluster.sendHeartbeat({ server: 'app-2' });
    await expect(server(page, 'app-2')).toHaveCount(1);
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Edit settings' }).click();
    await expect(page.getByLabel('Stale timeout')).toBeVisible();
    await page.locator('#user').click();
    await page.getByRole('button', { name: 'Theme' }).click();
    await expect(page.locator('html')).toHaveAttribute('data-theme', 'light');
    await expect(page.locator('#not-live')).toBeHidden();
  });
}

test('ages are updated in a browser without IntersectionObserver', async ({ cluster, page }) => {
  await page.addInitScript(() => { delete (globalThis as { IntersectionObserver?: unknown }).IntersectionObserver; });
  await cluster.sendHeartbeat({ server: 'app-1' });
  await openPage(page, cluster.url);
  await waitForHydration(page);
  await expect(server(page, 'app-1').locator('.chips')).toContainText(/[3-9] s ago/);
});

test('the audit has plain digits in a browser without Intl', async ({ cluster, page }) => {
  await page.addInitScript(() => {
    // @ts-expect-error as some embedded browsers are built
    delete globalThis.Intl;
  });
  await cluster.saveSettings({ load_balancing: true, automatic_failover: false, heartbeat_interval_s: 30, stale_timeout_s: 300, web_window_s: 86_400 });
  await openPage(page, `${cluster.url}audit`, false);
  await expect(page.locator('time').first()).toHaveText(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/);
});
