// The tab that nobody looks at: its title never says that all is well when it is not.

import { Page } from '@playwright/test';
import { expect, open, quick, server, test } from './cluster';

/** As a browser does when another tab is chosen. */
const look = (page: Page, visible: boolean) => page.evaluate((visible) => {
  Object.defineProperty(document, 'hidden', { configurable: true, get: () => !visible });
  Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => (visible ? 'visible' : 'hidden') });
  document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
}, visible);

/** The requests that the page makes from now on. */
const asked = (page: Page) => {
  const requests: string[] = [];
  page.on('request', (request) => requests.push(new URL(request.url()).pathname));
  return requests;
};

test('a service that dies meanwhile is in the title, at two requests a minute', async ({ cluster, page }) => {
  test.setTimeout(120_000);
  await cluster.configure(quick);
  const stop = await cluster.keepBeating([{ server: 'app-1' }, { server: 'app-2' }]);
  await open(page, cluster.url);
  await expect(page).toHaveTitle(/^All 2 servers are in sync/);
  await look(page, false);
  const requests = asked(page);
  await stop();
  const hidden = Date.now();
  await expect(page).not.toHaveTitle(/in sync/, { timeout: 45_000 });
  await page.waitForTimeout(Math.max(0, 60_000 - (Date.now() - hidden)));
  expect(requests.filter((path) => path === '/fn/overview').length).toBeLessThanOrEqual(2);
  expect(requests.filter((path) => path !== '/fn/overview'), 'nothing else is asked').toEqual([]);
  await cluster.keepBeating([{ server: 'app-1' }, { server: 'app-2' }]);
  await look(page, true);
  await expect(page, 'who looks again sees it at once').toHaveTitle(/^All 2 servers are in sync/, { timeout: 3_000 });
});

test('a verdict that turns by time alone is in the title', async ({ cluster, page }) => {
  // A heartbeat was told an interval of 30 s: its silence turns long after the last change.
  await cluster.configure({ ...quick, heartbeat_interval_s: 10, stale_timeout_s: 20 });
  await cluster.beat({ server: 'app-1' });
  await open(page, cluster.url);
  await look(page, false);
  await expect(page).toHaveTitle(/silent|attention/, { timeout: 55_000 });
});

test.describe('without an overview', () => {
  test.use({ forgiven: /Failed to load resource|ERR_CONNECTION/ });

  test('the title does not go on saying that all is well', async ({ cluster, page }) => {
    await cluster.beat({ server: 'app-1' });
    await open(page, cluster.url);
    await look(page, false);
    await cluster.end('serve', 'SIGKILL');
    await expect(page).toHaveTitle(/No connection to the overview/, { timeout: 45_000 });
  });
});

test('a paused page says so in its title', async ({ cluster, page }) => {
  await cluster.beat({ server: 'app-1' });
  await open(page, cluster.url);
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(page).toHaveTitle(/^Paused: /);
  await page.getByRole('button', { name: 'Resume' }).click();
  await expect(page).not.toHaveTitle(/Paused/);
});

test('a tab that its browser freezes says nothing of the cluster', async ({ cluster, page }) => {
  await cluster.beat({ server: 'app-1' });
  await open(page, cluster.url);
  await page.evaluate(() => document.dispatchEvent(new Event('freeze')));
  await expect(page).toHaveTitle('Cluster Overview');
  await page.evaluate(() => document.dispatchEvent(new Event('resume')));
  await expect(page).toHaveTitle(/in sync/);
  await expect(server(page, 'app-1')).toHaveCount(1);
});
