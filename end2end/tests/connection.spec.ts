// What the page says of itself: paused, blind, cut off, outdated, back again; and that it believes no
// clock but the database's.

import { Page } from '@playwright/test';
import { connect, createServer, Socket } from 'node:net';
import { deafen, expect, freePort, hydrated, line, open, quick, server, test } from './cluster';

/** A way to the overview on which, once it is cut, nothing goes on and nothing says so. */
const cuttable = async (overview: string) => {
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

test('pause stops the news and resume brings it at once', async ({ cluster, page }) => {
  await cluster.configure(quick);
  cluster.agent('web-1', 'service');
  await page.goto(cluster.url);
  await hydrated(page);
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(page.getByTestId('connection')).toContainText('Paused');
  cluster.agent('web-2', 'service');
  await expect.poll(async () => (await cluster.overview()).counts.servers).toBe(2);
  await expect(line(page, 'web-2', 'service')).toHaveCount(0);
  await page.getByRole('button', { name: 'Resume' }).click();
  await expect(line(page, 'web-2', 'service')).toHaveCount(1);
});

test.describe('when the overview goes away', () => {
  test.use({ forgiven: /Failed to load resource|ERR_CONNECTION/ });

  test('the page keeps the last picture and says so, and goes on when it is back', async ({ cluster, page }) => {
    await cluster.configure(quick);
    cluster.agent('web-1', 'service');
    await page.goto(cluster.url);
    await hydrated(page);
    await expect(line(page, 'web-1', 'service')).toHaveAttribute('data-pulse', 'alive');
    await cluster.end('serve', 'SIGKILL');
    await expect(page.getByTestId('connection')).toContainText('Reconnecting');
    await expect(line(page, 'web-1', 'service')).toBeVisible();
    await expect(page.getByTestId('verdict')).toContainText('No connection to the overview', { timeout: 30_000 });
    await expect(line(page, 'web-1', 'service')).toHaveAttribute('data-pulse', 'unknown');
    await cluster.start();
    await expect(page.getByTestId('connection')).toContainText(/Live|Polling/, { timeout: 35_000 });
    await expect(line(page, 'web-1', 'service')).toHaveAttribute('data-pulse', 'alive', { timeout: 15_000 });
  });
});

for (const scripts of [true, false]) {
  test.describe(`while the database cannot be written, ${scripts ? 'with' : 'without'} scripts`, () => {
    test.use({ javaScriptEnabled: scripts });

    test('the page says since when, calls nothing well, refuses to act, and recovers by itself', async ({ cluster, page }) => {
      const again = async () => {
        if (!scripts) await page.goto(cluster.url);
      };
      await cluster.configure(quick);
      await cluster.keepBeating([{ server: 'app-1' }, { server: 'app-2' }]);
      await open(page, cluster.url, scripts);
      await expect(line(page, 'app-1', 'service')).toHaveAttribute('data-pulse', 'alive');
      const release = await cluster.lockDatabase();
      await expect.poll(async () => (await cluster.overview()).blind_since, { timeout: 15_000 }).not.toBeNull();
      await again();
      const since = new Date((await cluster.overview()).blind_since).toISOString().slice(11, 19);
      await expect(page.getByTestId('verdict')).toHaveText(`No live data since ${since}Z`);
      await expect(page.getByTestId('connection')).toContainText(`no data since ${since} UTC`);
      for (const name of ['app-1', 'app-2']) {
        await expect(server(page, name)).toHaveAttribute('data-health', 'unknown');
        await expect(line(page, name, 'service')).toHaveAttribute('data-pulse', 'unknown');
        await expect(line(page, name, 'service').locator('[data-label="Version"]'), 'the last value is kept').toContainText('2026.2.1');
      }
      await expect(page.locator(':is(.verdict, .server-name, .role, [data-label="Heartbeat"]) .icon.ok')).toHaveCount(0);
      const colour = (part: string) => page.locator(part).first().evaluate((element) => getComputedStyle(element).color);
      const quiet = await colour('.muted');
      for (const part of ['.table .server-name a', '.table .cell', '.summary dl']) {
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
      await expect(line(page, 'app-1', 'service')).toHaveAttribute('data-pulse', 'alive');
      await expect(page.locator('.page')).not.toHaveClass(/blind/);
    });
  });
}

test.describe('when the network is lost without a sign', () => {
  test.use({ forgiven: /Failed to load resource|ERR_/ });

  test('a page that listens is not live any more, and blind, after 15 s', async ({ cluster, page }) => {
    await cluster.beat({ server: 'app-1' });
    const line = await cuttable(cluster.url);
    await open(page, line.url);
    await expect(page.getByTestId('connection')).toContainText(/Live|Polling/);
    line.cut();
    await expect(page.getByTestId('verdict')).toContainText('No connection to the overview', { timeout: 16_000 });
    await expect(page.getByTestId('connection')).toContainText('Reconnecting');
    line.end();
  });
});

test.describe('without a network', () => {
  test.use({ forgiven: /Failed to load resource|ERR_INTERNET_DISCONNECTED/ });

  test('the page says that it is this computer, and asks at once when the network is back', async ({ cluster, page, context }) => {
    await cluster.configure({ ...quick, heartbeat_interval_s: 10, stale_timeout_s: 60 });
    await cluster.beat({ server: 'app-1' });
    await open(page, cluster.url);
    await context.setOffline(true);
    await expect(page.getByTestId('connection')).toContainText('Offline', { timeout: 10_000 });
    await cluster.beat({ server: 'app-2' });
    await context.setOffline(false);
    await expect(page.getByTestId('connection')).toContainText(/Live|Polling/, { timeout: 3_000 });
    await expect(server(page, 'app-2')).toHaveCount(1);
  });
});

test.describe('where the page can only ask', () => {
  test.use({ deaf: true });

  test('a page of another build than the overview offers a reload', async ({ cluster, page }) => {
    await cluster.configure(quick);
    await cluster.beat({ server: 'app-1' });
    await open(page, cluster.url);
    await expect(page.locator('#reload')).toHaveCount(0);
    await page.route('**/fn/overview', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json()), build: 'another build' } });
    });
    const offer = page.getByRole('link', { name: 'New version available: reload' });
    await expect(offer).toBeVisible();
    await page.unroute('**/fn/overview');
    await page.evaluate(() => { (window as unknown as { old: boolean }).old = true; });
    await offer.click();
    await hydrated(page);
    await expect.poll(() => page.evaluate(() => 'old' in window)).toBe(false);
    await expect(offer).toHaveCount(0);
  });
});

test('a paused page stands still and says so, and is right at once when it goes on', async ({ cluster, page }) => {
  await cluster.configure(quick);
  await cluster.beat({ server: 'app-1' });
  await open(page, cluster.url);
  await page.getByRole('button', { name: 'Pause' }).click();
  const state = page.getByTestId('connection');
  await expect(state).toContainText('Paused');
  const asOf = await state.textContent();
  await expect.poll(async () => (await cluster.overview()).counts.stale, { timeout: 10_000 }).toBe(1);
  await expect(state).toHaveText(asOf ?? '');
  await expect(line(page, 'app-1', 'service')).not.toHaveAttribute('data-pulse', 'stale');
  await page.getByRole('button', { name: 'Resume' }).click();
  await expect(line(page, 'app-1', 'service')).toHaveAttribute('data-pulse', 'stale');
});

test('a change ends a pause: whoever makes it sees what came of it', async ({ cluster, page }) => {
  await cluster.beats([{ server: 'app-1' }, { server: 'app-2' }, { server: 'app-2', leaving: true }]);
  await open(page, `${cluster.url}?remove=app-2`);
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(page.getByTestId('connection')).toContainText('Paused');
  await page.getByRole('button', { name: 'Remove' }).click();
  await expect(page.getByTestId('done')).toContainText('app-2 removed');
  await expect(server(page, 'app-2')).toHaveCount(0);
  await expect(page.getByTestId('connection')).toContainText(/Live|Polling/);
});

test("a browser's clock an hour wrong, or in another time zone, makes no difference", async ({ cluster, page, browser, deaf }) => {
  await cluster.configure(quick);
  await cluster.keepBeating([{ server: 'app-1' }, { server: 'app-2' }, { server: 'bad-1', key: 'another key' }]);
  await cluster.beat({ server: 'app-3' });
  const address = `${cluster.url}?server=app-3`;
  const text = (page: Page) => page.locator('.page > :is(header, main, aside)').allInnerTexts();
  await open(page, address);
  await expect(line(page, 'app-3', 'service')).toHaveAttribute('data-pulse', 'stale', { timeout: 10_000 });
  const wrong = await browser.newContext({ timezoneId: 'Pacific/Auckland' });
  const far = await wrong.newPage();
  if (deaf) await deafen(far);
  await far.addInitScript(() => {
    const hour = 3_600_000;
    const Right = Date;
    // @ts-expect-error a clock that is an hour ahead
    globalThis.Date = class extends Right {
      constructor(...given: [number]) {
        if (given.length === 0) super(Right.now() + hour);
        else super(...given);
      }
      static now() {
        return Right.now() + hour;
      }
    };
  });
  await open(far, address);
  expect(await far.evaluate(() => Date.now()) - Date.now()).toBeGreaterThan(3_500_000);
  await expect(line(far, 'app-3', 'service')).toHaveAttribute('data-pulse', 'stale');
  for (const turn of ['stale', 'alive']) {
    if (turn === 'alive') await cluster.beat({ server: 'app-3' });
    await expect(line(far, 'app-3', 'service')).toHaveAttribute('data-pulse', turn);
    // Between two looks a second may turn, so a few are taken.
    await expect(async () => {
      const [here, there] = await Promise.all([text(page), text(far)]);
      expect(there).toEqual(here);
    }).toPass({ timeout: 10_000, intervals: [100] });
  }
  await wrong.close();
});
