// Do updates arrive at once, also those of the service messenger?

import { BrowserContext, Page, Request } from '@playwright/test';
import { component, expect, expectUpdates, freePort, hint, openPage, problem, server, test, value, waitForHydration } from './cluster';

/** Records the event streams of a browser from now on; returns a function that gives those that are open. */
const recordStreams = (context: BrowserContext) => {
  const streams = new Map<Request, Page>();
  context.on('request', (request) => {
    if (request.url().includes('/api/v1/stream')) streams.set(request, request.frame().page());
  });
  for (const end of ['requestfinished', 'requestfailed'] as const) {
    context.on(end as 'requestfinished', (request) => streams.delete(request));
  }
  return () => [...streams.values()].filter((page) => !page.isClosed());
};

test.describe('with the event stream', () => {
  test.use({ pollingOnly: false });

  test('updates are on the screen at once, and the page says that it is live', async ({ cluster, page }) => {
    let polls = 0;
    page.on('request', (request) => { polls += Number(request.url().endsWith('/fn/overview')); });
    await cluster.sendHeartbeat({ server: 'app-1' });
    await openPage(page, cluster.url);
    await expect(page.getByTestId('connection')).toContainText('Live');
    await expectUpdates(cluster, page, 1_500);
    expect(polls, 'no poll while the stream is open').toBe(0);
  });

  test('a killed service loses its messenger at once, and is not late for that', async ({ cluster, page }) => {
    const port = await freePort();
    cluster.agent('db-1', 'service', { messengerPort: port });
    await openPage(page, cluster.url);
    const messenger = value(page, 'db-1', 'Messenger');
    await expect(messenger).toContainText('Connected');
    await cluster.endProcess('db-1 service', 'SIGKILL');
    await expect(messenger).not.toContainText('Connected', { timeout: 1_000 });
    await expect(problem(page, 'db-1', 'service', 'Messenger')).toContainText('Cannot connect');
    await expect(component(page, 'db-1', 'service')).toHaveAttribute('data-pulse', 'alive');
  });

  test('a hidden page closes the stream, and is up to date when it is visible again', async ({ cluster, page }) => {
    await cluster.sendHeartbeat({ server: 'app-1' });
    await openPage(page, cluster.url);
    await expect(page.getByTestId('connection')).toContainText('Live');
    const hide = (hidden: boolean) =>
      page.evaluate((hidden) => {
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
        document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
      }, hidden);
    await hide(true);
    // The page checks its visibility every few hundred milliseconds, then closes the stream.
    await page.waitForTimeout(600);
    await cluster.sendHeartbeat({ server: 'app-2' });
    await page.waitForTimeout(1_000);
    await expect(server(page, 'app-2')).toHaveCount(0);
    await hide(false);
    await expect(server(page, 'app-2')).toHaveCount(1);
    await expect(page.getByTestId('connection')).toContainText('Live');
  });

  test('nine windows of a browser are all live with one event stream, also after the one that has it is closed', async ({ cluster, context }) => {
    const openStreams = recordStreams(context);
    await cluster.sendHeartbeat({ server: 'app-1' });
    const windows = await Promise.all(Array.from({ length: 9 }, () => context.newPage()));
    for (const window of windows) await openPage(window, cluster.url);
    const expectLive = async (version: string) => {
      for (const window of windows) await expect(window.getByTestId('connection')).toContainText('Live');
      await expect.poll(() => openStreams().length).toBe(1);
      await cluster.sendHeartbeat({ server: 'app-1', version });
      for (const window of windows) await expect(value(window, 'app-1', 'Version')).toContainText(version, { timeout: 1_500 });
    };
    await expectLive('2026.3.1');
    const [leader] = openStreams();
    windows.splice(windows.indexOf(leader), 1);
    await leader.close();
    await expect.poll(() => openStreams().length, 'another window has a stream').toBe(1);
    await expectLive('2026.3.2');
  });

  test('a window that opens while another has the stream shows every change since its document was made', async ({ cluster, page, context }) => {
    await cluster.sendHeartbeats([{ server: 'app-1' }, { server: 'app-2' }]);
    await openPage(page, cluster.url);
    await expect(page.getByTestId('connection')).toContainText('Live');
    const late = await context.newPage();
    let start = () => {};
    const started = new Promise<void>((resolve) => { start = resolve; });
    await late.route('**/start.js*', async (route) => {
      await started;
      await route.continue();
    });
    await late.goto(cluster.url, { waitUntil: 'commit' });
    await expect(server(late, 'app-2')).toHaveCount(1);
    await cluster.sendHeartbeat({ server: 'app-1', version: '2026.4.1' });
    await expect(value(page, 'app-1', 'Version')).toContainText('2026.4.1');
    start();
    await waitForHydration(late);
    await expect(late.getByTestId('connection')).toContainText('Live');
    await cluster.sendHeartbeat({ server: 'app-2', version: '2026.4.2' });
    await expect(value(late, 'app-2', 'Version')).toContainText('2026.4.2');
    await expect(value(late, 'app-1', 'Version')).toContainText('2026.4.1');
  });

  test('a window that is opened while much changes is as up to date as the others', async ({ cluster, page, context }) => {
    await cluster.sendHeartbeat({ server: 'app-1' });
    await openPage(page, cluster.url);
    const other = await context.newPage();
    let opened = false;
    let changes = 0;
    const keepChanging = async () => {
      while (!opened) await cluster.sendHeartbeat({ server: 'app-1', version: `2026.3.${(changes += 1)}` });
    };
    const openOther = async () => {
      await openPage(other, cluster.url);
      await expect(other.getByTestId('connection')).toContainText('Live');
      opened = true;
    };
    await Promise.all([keepChanging(), openOther()]);
    for (const window of [page, other]) {
      await expect(value(window, 'app-1', 'Version')).toContainText(`2026.3.${changes}`);
      await expect(window.getByTestId('connection')).toContainText('Live');
    }
  });
});

test.describe('without the event stream', () => {
  test.use({ pollingOnly: true });

  test('the page polls, says so, and misses no update', async ({ cluster, page }) => {
    await cluster.sendHeartbeat({ server: 'app-1' });
    await openPage(page, cluster.url);
    await expect(page.getByTestId('connection')).toContainText('Polling');
    await cluster.sendHeartbeat({ server: 'app-2' });
    await expect(server(page, 'app-2')).toHaveCount(1, { timeout: 8_000 });
  });
});

test('an admin finds out why a messenger cannot be reached, and reconnects it', async ({ cluster, page }) => {
  const port = await freePort();
  await cluster.sendHeartbeat({ server: 'db-1', ip: '127.0.0.1', messenger_port: port });
  await openPage(page, cluster.url);
  const advice = hint(page, 'messenger-unreachable-db-1_service');
  await expect(advice).toContainText('Cannot connect to the service messenger of db-1');
  await expect(advice).toContainText(`port ${port}`);
  await expect(advice).toContainText('this-server cannot connect');
  await expect(component(page, 'db-1', 'service')).toHaveAttribute('data-pulse', 'alive');
  await expect(problem(page, 'db-1', 'service', 'Messenger')).toContainText('Cannot connect');
  await server(page, 'db-1').getByRole('link', { name: 'db-1', exact: true }).click();
  const details = page.getByRole('dialog', { name: 'db-1' });
  await expect(details).toContainText('refused');
  await details.getByRole('button', { name: 'Reconnect messenger' }).click();
  await expect(details).toContainText('Could not connect.');
  await details.getByRole('button', { name: 'Reconnect messenger' }).click();
  await expect(details).toContainText('The overview tried a moment ago.');
  // The service is restarted, and its port is open.
  cluster.agent('db-1', 'service', { messengerPort: port });
  await expect(details).toContainText('Connected', { timeout: 15_000 });
  await details.getByRole('button', { name: 'Reconnect messenger' }).click();
  await expect(page.getByTestId('done')).toContainText('Connected.');
  await expect(advice).toHaveCount(0);
});

test.describe('without scripts', () => {
  test.use({ javaScriptEnabled: false });

  test('a plain form reconnects a messenger, and the details stay open', async ({ cluster, page }) => {
    const port = await freePort();
    await cluster.sendHeartbeat({ server: 'db-1', ip: '127.0.0.1', messenger_port: port });
    await expect.poll(async () => JSON.stringify(await cluster.overview())).toContain('"reason":"refused"');
    await page.goto(`${cluster.url}?server=db-1`);
    await page.getByRole('button', { name: 'Reconnect messenger' }).click();
    await expect(page.getByRole('dialog', { name: 'db-1' })).toContainText('Could not connect');
  });
});
