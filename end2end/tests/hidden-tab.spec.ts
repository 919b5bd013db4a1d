// Is the title of a hidden tab right?

import { Page } from '@playwright/test';
import { expect, openPage, quickTimers, server, test } from './cluster';

/** Does what a browser does when the user switches tabs. */
const setVisible = (page: Page, visible: boolean) => page.evaluate((visible) => {
  Object.defineProperty(document, 'hidden', { configurable: true, get: () => !visible });
  Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => (visible ? 'visible' : 'hidden') });
  document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
}, visible);

/** Records the paths of the page's requests from now on. */
const recordRequests = (page: Page) => {
  const requests: string[] = [];
  page.on('request', (request) => requests.push(new URL(request.url()).pathname));
  return requests;
};

test('the title shows a service that stops responding, with two requests a minute', async ({ cluster, page, pollingOnly }) => {
  test.setTimeout(120_000);
  await cluster.saveSettings(quickTimers);
  const stop = await cluster.keepSendingHeartbeats([{ server: 'app-1' }, { server: 'app-2' }]);
  await openPage(page, cluster.url);
  await expect(page).toHaveTitle(/^All 2 servers are in sync/);
  await expect(page.getByTestId('connection')).toContainText(pollingOnly ? 'Polling' : 'Live');
  await setVisible(page, false);
  const requests = recordRequests(page);
  await stop();
  const hidden = Date.now();
  await expect(page).not.toHaveTitle(/in sync/, { timeout: 45_000 });
  await page.waitForTimeout(Math.max(0, 60_000 - (Date.now() - hidden)));
  expect(requests.filter((path) => path === '/fn/overview').length).toBeLessThanOrEqual(2);
  const others = requests.filter((path) => path !== '/fn/overview');
  expect(others.filter((path) => !path.endsWith('/favicon-error.svg')), 'no other request but for the icon').toEqual([]);
  await cluster.keepSendingHeartbeats([{ server: 'app-1' }, { server: 'app-2' }]);
  await setVisible(page, true);
  await expect(page, 'it is up to date at once when the tab is visible again').toHaveTitle(/^All 2 servers are in sync/, { timeout: 3_000 });
});

test('the title shows a verdict that changes with time alone', async ({ cluster, page }) => {
  // The verdict changes long after the last change of the data.
  await cluster.saveSettings({ ...quickTimers, heartbeat_interval_s: 10, stale_timeout_s: 20 });
  await cluster.sendHeartbeat({ server: 'app-1' });
  await openPage(page, cluster.url);
  await setVisible(page, false);
  await expect(page).toHaveTitle(/silent|attention/, { timeout: 55_000 });
});

test.describe('without an overview', () => {
  test.use({ allowedOnConsole: /Failed to load resource|ERR_CONNECTION/ });

  test('the title does not keep saying that all is well', async ({ cluster, page }) => {
    await cluster.sendHeartbeat({ server: 'app-1' });
    await openPage(page, cluster.url);
    await setVisible(page, false);
    await cluster.endProcess('serve', 'SIGKILL');
    await expect(page).toHaveTitle(/No connection to the overview/, { timeout: 45_000 });
  });
});

test('a paused page says so in its title', async ({ cluster, page }) => {
  await cluster.sendHeartbeat({ server: 'app-1' });
  await openPage(page, cluster.url);
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(page).toHaveTitle(/^Paused: /);
  await page.locator('#resume').click();
  await expect(page).not.toHaveTitle(/Paused/);
});

test('the title of a frozen tab says nothing about the cluster', async ({ cluster, page }) => {
  await cluster.sendHeartbeat({ server: 'app-1' });
  await openPage(page, cluster.url);
  await page.evaluate(() => document.dispatchEvent(new Event('freeze')));
  await expect(page).toHaveTitle('Cluster Overview');
  await page.evaluate(() => document.dispatchEvent(new Event('resume')));
  await expect(page).toHaveTitle(/in sync/);
  await expect(server(page, 'app-1')).toHaveCount(1);
});
