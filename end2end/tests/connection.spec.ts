// What does the page say about its connection, and does it trust no clock but the database's?

import { Page } from '@playwright/test';
import { connect, createServer, Socket } from 'node:net';
import {
  component, disableEventSource, expect, freePort, openPage, quickTimers, server, shownServers, test, value, waitForHydration,
} from './cluster';

/** A proxy to the overview that, once cut, drops every byte and keeps the connections open. */
const startCuttableProxy = async (overview: string) => {
  const sockets: Socket[] = [];
  let open = true;
  const listener = createServer((near) => {
    const far = connect(Number(new URL(overview).port), '127.0.0.1');
    sockets.push(near, far);
    for (const [from, to] of [[near, far], [far, near]]) {
      from.on('data', (bytes) => open && to.write(bytes));
      from.on('error', () => {});
      from.on('close', () => open && to.destroy());
    }
  });
  const port = await freePort();
  await new Promise<void>((resolve) => { listener.listen(port, '127.0.0.1', resolve); });
  return {
    url: `http://127.0.0.1:${port}/`,
    cut: () => { open = false; },
    end: () => {
      sockets.forEach((socket) => socket.destroy());
      listener.close();
    },
  };
};

test('a paused page gets no update, and resuming brings it at once', async ({ cluster, page }) => {
  await cluster.saveSettings(quickTimers);
  cluster.agent('web-1', 'service');
  await page.goto(cluster.url);
  await waitForHydration(page);
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(page.getByTestId('connection')).toContainText('Paused');
  cluster.agent('web-2', 'service');
  await expect.poll(async () => (await cluster.overview()).counts.servers).toBe(2);
  await expect(component(page, 'web-2', 'service')).toHaveCount(0);
  await page.locator('#pause').click();
  await expect(component(page, 'web-2', 'service')).toHaveCount(1);
});

test.describe('when the overview stops', () => {
  test.use({ allowedOnConsole: /Failed to load resource|ERR_CONNECTION/ });

  test('the page keeps the last known state and says so, and continues after a restart', async ({ cluster, page }) => {
    await cluster.saveSettings(quickTimers);
    cluster.agent('web-1', 'service');
    await page.goto(cluster.url);
    await waitForHydration(page);
    await expect(component(page, 'web-1', 'service')).toHaveAttribute('data-pulse', 'alive');
    await cluster.endProcess('serve', 'SIGKILL');
    await expect(page.getByTestId('connection')).toContainText('Reconnecting');
    await expect(component(page, 'web-1', 'service')).toBeVisible();
    await expect(page.getByTestId('verdict')).toContainText('No connection to the overview', { timeout: 30_000 });
    await expect(component(page, 'web-1', 'service')).toHaveAttribute('data-pulse', 'unknown');
    await cluster.start();
    await expect(page.getByTestId('connection')).toContainText(/Live|Polling/, { timeout: 35_000 });
    await expect(component(page, 'web-1', 'service')).toHaveAttribute('data-pulse', 'alive', { timeout: 15_000 });
  });
});

for (const scripts of [true, false]) {
  test.describe(`while the database cannot be written, ${scripts ? 'with' : 'without'} scripts`, () => {
    test.use({ javaScriptEnabled: scripts });

    test('the page says since when, shows nothing as healthy, rejects commands, and recovers automatically', async ({ cluster, page }) => {
      const again = async () => {
        if (!scripts) await page.goto(cluster.url);
      };
      await cluster.saveSettings(quickTimers);
      await cluster.keepSendingHeartbeats([{ server: 'app-1' }, { server: 'app-2' }]);
      await openPage(page, cluster.url, scripts);
      await expect(component(page, 'app-1', 'service')).toHaveAttribute('data-pulse', 'alive');
      const release = await cluster.lockDatabase();
      await expect.poll(async () => (await cluster.overview()).blind_since, { timeout: 15_000 }).not.toBeNull();
      await again();
      const utc = new Date((await cluster.overview()).blind_since).toISOString().slice(11, 19);
      const since = scripts ? `${utc} UTC` : `${utc}Z`;
      await expect(page.getByTestId('verdict')).toHaveText(`No live data since ${since}`);
      await expect(page.getByTestId('connection')).toContainText(`no data since ${since}`);
      for (const name of ['app-1', 'app-2']) {
        await expect(server(page, name)).toHaveAttribute('data-health', 'unknown');
        await expect(component(page, name, 'service')).toHaveAttribute('data-pulse', 'unknown');
        await expect(value(page, name, 'Version'), 'the last value is kept').toContainText('2026.2.1');
      }
      await expect(page.locator(':is(.verdict, .server-name, .chips) .icon.ok')).toHaveCount(0);
      const colour = (part: string) => page.locator(part).first().evaluate((element) => getComputedStyle(element).color);
      const quiet = await colour('.muted');
      for (const part of ['.table .server-name a', '.table .value', '.summary dl']) {
        expect(await colour(part), `${part} is dimmed`).toBe(quiet);
      }
      expect(await colour('.hints li'), 'what to do is not dimmed').not.toBe(quiet);
      const hint = page.locator('[data-hint]');
      await expect(hint).toHaveCount(1);
      await expect(hint).toContainText('The overview cannot read or write its database');
      await expect(hint).toContainText('Do not change or restart the servers');

      await page.getByRole('link', { name: 'Edit settings' }).click();
      await page.getByLabel('Stale timeout').fill('7 s');
      await page.getByRole('button', { name: 'Save' }).click();
      await expect(page.getByTestId('effects')).toContainText('the overview cannot write to its database', { timeout: 15_000 });
      await expect(page.getByLabel('Stale timeout')).toHaveValue('7 s');

      await release();
      await expect.poll(async () => (await cluster.overview()).blind_since, { timeout: 20_000 }).toBeNull();
      await again();
      await expect(page.getByTestId('verdict')).toHaveText('All 2 servers are in sync');
      await expect(component(page, 'app-1', 'service')).toHaveAttribute('data-pulse', 'alive');
      await expect(page.locator('.page')).not.toHaveClass(/blind/);
    });
  });
}

test('while the database cannot be written, the list keeps its order, and what was wrong is still to be read', async ({ cluster, page }) => {
  await cluster.saveSettings(quickTimers);
  await cluster.sendHeartbeat({ server: 'zed-1' });
  await cluster.keepSendingHeartbeats([{ server: 'app-1' }, { server: 'app-2' }]);
  await openPage(page, cluster.url);
  await expect(component(page, 'zed-1', 'service')).toHaveAttribute('data-pulse', 'stale', { timeout: 20_000 });
  const order = await shownServers(page);
  expect(order[0]).toBe('zed-1');
  const release = await cluster.lockDatabase();
  await expect(component(page, 'zed-1', 'service')).toContainText('Service Unknown, was Stale', { timeout: 20_000 });
  await expect(component(page, 'app-1', 'service')).toContainText(/^\s*Service Unknown\s/);
  expect(await shownServers(page)).toEqual(order);
  const before = page.locator('[data-hint="service-stale"]');
  await expect(before).toContainText(/as of \d\d:\d\d:\d\d UTC/);
  await expect(before.getByRole('listitem').first(), 'it is folded').toBeHidden();
  await release();
  await expect(component(page, 'zed-1', 'service')).toHaveAttribute('data-pulse', 'stale', { timeout: 20_000 });
  await expect(before).not.toContainText('as of');
});

test.describe('when packets are lost silently', () => {
  test.use({ allowedOnConsole: /Failed to load resource|ERR_/ });

  test('a page with an open stream says after 15 s that it is disconnected', async ({ cluster, page }) => {
    await cluster.sendHeartbeat({ server: 'app-1' });
    const proxy = await startCuttableProxy(cluster.url);
    await openPage(page, proxy.url);
    await expect(page.getByTestId('connection')).toContainText(/Live|Polling/);
    proxy.cut();
    await expect(page.getByTestId('verdict')).toContainText('No connection to the overview', { timeout: 16_000 });
    await expect(page.getByTestId('connection')).toContainText('Reconnecting');
    proxy.end();
  });
});

test.describe('offline', () => {
  test.use({ allowedOnConsole: /Failed to load resource|ERR_INTERNET_DISCONNECTED/ });

  test('the page says so, and polls at once when the network is back', async ({ cluster, page, context }) => {
    await cluster.saveSettings({ ...quickTimers, heartbeat_interval_s: 10, stale_timeout_s: 60 });
    await cluster.sendHeartbeat({ server: 'app-1' });
    await openPage(page, cluster.url);
    await context.setOffline(true);
    await expect(page.getByTestId('connection')).toContainText('Offline', { timeout: 10_000 });
    await cluster.sendHeartbeat({ server: 'app-2' });
    await context.setOffline(false);
    await expect(page.getByTestId('connection')).toContainText(/Live|Polling/, { timeout: 3_000 });
    await expect(server(page, 'app-2')).toHaveCount(1);
  });
});

test.describe('without the event stream', () => {
  test.use({ pollingOnly: true });

  test('a page that cannot read what another build answers offers to reload, and goes on when its own build answers', async ({ cluster, page }) => {
    await cluster.saveSettings(quickTimers);
    await cluster.sendHeartbeat({ server: 'app-1' });
    await openPage(page, cluster.url);
    await page.route('**/fn/overview', async (route) => {
      const response = await route.fetch();
      // The first character is the number of the format.
      await route.fulfill({ response, body: (await response.text()).replace(/^./u, '\u{1ff}') });
    });
    await expect(page.getByRole('link', { name: 'New version available: reload' })).toBeVisible();
    await expect(page.getByTestId('connection')).toContainText('Reconnecting');
    await page.unroute('**/fn/overview');
    await cluster.sendHeartbeat({ server: 'app-2' });
    await expect(server(page, 'app-2')).toHaveCount(1, { timeout: 15_000 });
  });

  test('a page of another build than the overview offers to reload', async ({ cluster, page }) => {
    await cluster.saveSettings(quickTimers);
    await cluster.sendHeartbeat({ server: 'app-1' });
    await openPage(page, cluster.url);
    await expect(page.locator('#reload')).toHaveCount(0);
    await page.route('**/fn/overview', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: (await response.text()).replace(/[0-9a-f]{16}$/, 'another build 00') });
    });
    const offer = page.getByRole('link', { name: 'New version available: reload' });
    await expect(offer).toBeVisible();
    await page.unroute('**/fn/overview');
    await page.evaluate(() => { (window as unknown as { old: boolean }).old = true; });
    await offer.click();
    await waitForHydration(page);
    await expect.poll(() => page.evaluate(() => 'old' in window)).toBe(false);
    await expect(offer).toHaveCount(0);
  });
});

test('a paused page does not change and says so, and is up to date at once when resumed', async ({ cluster, page }) => {
  await cluster.saveSettings(quickTimers);
  await cluster.sendHeartbeat({ server: 'app-1' });
  await openPage(page, cluster.url);
  await page.getByRole('button', { name: 'Pause' }).click();
  const state = page.getByTestId('connection');
  await expect(state).toContainText('Paused');
  const asOf = await state.textContent();
  await expect.poll(async () => (await cluster.overview()).counts.stale, { timeout: 10_000 }).toBe(1);
  await expect(state).toHaveText(asOf ?? '');
  await expect(component(page, 'app-1', 'service')).not.toHaveAttribute('data-pulse', 'stale');
  await page.locator('#pause').click();
  await expect(component(page, 'app-1', 'service')).toHaveAttribute('data-pulse', 'stale');
});

test('a paused page says since when, and goes on from there', async ({ cluster, page }) => {
  await cluster.sendHeartbeat({ server: 'app-1' });
  await openPage(page, cluster.url);
  const bar = page.locator('.paused-bar');
  await expect(bar).toHaveCount(0);
  await page.locator('#pause').click();
  const asOf = await page.getByTestId('connection').getAttribute('data-time');
  await expect(bar).toContainText(`Paused: the page shows the cluster as it was at ${asOf}.`);
  await cluster.sendHeartbeat({ server: 'app-2' });
  await bar.getByRole('button', { name: 'Resume' }).click();
  await expect(page.locator('#pause')).toBeFocused();
  await expect(server(page, 'app-2')).toHaveCount(1);
  await expect(bar).toHaveCount(0);
  await expect(page.getByTestId('connection')).toContainText(/Live|Polling/);
});

test('a command ends a pause, so that its result can be seen', async ({ cluster, page }) => {
  await cluster.sendHeartbeats([{ server: 'app-1' }, { server: 'app-2' }, { server: 'app-2', leaving: true }]);
  await openPage(page, cluster.url);
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(page.getByTestId('connection')).toContainText('Paused');
  await server(page, 'app-2').getByRole('link', { name: 'app-2', exact: true }).click();
  await page.getByRole('link', { name: 'Remove server' }).click();
  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  await expect(page.getByTestId('done')).toContainText('app-2 removed');
  await expect(server(page, 'app-2')).toHaveCount(0);
  await expect(page.getByTestId('connection')).toContainText(/Live|Polling/);
});

test("a browser's clock that is an hour wrong makes no difference", async ({ cluster, page, browser, pollingOnly }) => {
  await cluster.saveSettings(quickTimers);
  await cluster.keepSendingHeartbeats([{ server: 'app-1' }, { server: 'app-2' }, { server: 'bad-1', key: 'another key' }]);
  await cluster.sendHeartbeat({ server: 'app-3' });
  const address = `${cluster.url}?server=app-3`;
  const text = (page: Page) => page.locator('.page > :is(header, main, aside)').allInnerTexts();
  await openPage(page, address);
  await expect(component(page, 'app-3', 'service')).toHaveAttribute('data-pulse', 'stale', { timeout: 10_000 });
  const wrong = await browser.newContext();
  const far = await wrong.newPage();
  if (pollingOnly) await disableEventSource(far);
  await far.addInitScript(() => {
    const hour = 3_600_000;
    const RealDate = Date;
    // @ts-expect-error a clock that is an hour ahead
    globalThis.Date = class extends RealDate {
      constructor(...given: [] | [number]) {
        if (given.length === 0) super(RealDate.now() + hour);
        else super(...given);
      }
      static now() {
        return RealDate.now() + hour;
      }
    };
  });
  await openPage(far, address);
  expect(await far.evaluate(() => Date.now()) - Date.now()).toBeGreaterThan(3_500_000);
  await expect(component(far, 'app-3', 'service')).toHaveAttribute('data-pulse', 'stale');
  for (const pulse of ['stale', 'alive']) {
    if (pulse === 'alive') await cluster.sendHeartbeat({ server: 'app-3' });
    await expect(component(far, 'app-3', 'service')).toHaveAttribute('data-pulse', pulse);
    // The displayed second may change between the two reads, so this tries again.
    await expect(async () => {
      const [here, there] = await Promise.all([text(page), text(far)]);
      expect(there).toEqual(here);
    }).toPass({ timeout: 10_000, intervals: [100] });
  }
  await wrong.close();
});
