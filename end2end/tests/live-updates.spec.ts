// What an admin sees of what happens between two heartbeats, and of a service that cannot be reached.

import { expect, freePort, hint, line, open, server, test } from './cluster';

test.describe('where nothing holds the stream back', () => {
  test.use({ deaf: false });

  test('what happens is on the screen at once, and the page says that it listens', async ({ cluster, page }) => {
    let asked = 0;
    page.on('request', (request) => { asked += Number(request.url().endsWith('/fn/overview')); });
    await cluster.beat({ server: 'app-1' });
    await open(page, cluster.url);
    await expect(page.getByTestId('connection')).toContainText('Live');
    await cluster.beat({ server: 'app-2' });
    await expect(server(page, 'app-2')).toHaveCount(1, { timeout: 1_500 });
    await cluster.beat({ server: 'app-2', leaving: true });
    await expect(line(page, 'app-2', 'service')).toHaveAttribute('data-pulse', 'stopped', { timeout: 1_500 });
    expect(asked, 'who listens need not ask').toBe(0);
  });

  test('a service whose process dies is seen to at once, and is not called late for it', async ({ cluster, page }) => {
    const port = await freePort();
    cluster.agent('db-1', 'service', { messengerPort: port });
    await open(page, cluster.url);
    const messenger = line(page, 'db-1', 'service').locator('[data-label="Messenger"]');
    await expect(messenger).toContainText('Connected');
    await cluster.end('db-1 service', 'SIGKILL');
    await expect(messenger).toContainText(/Disconnected|Cannot connect/, { timeout: 1_000 });
    await expect(messenger).toContainText('Cannot connect');
    await expect(line(page, 'db-1', 'service')).toHaveAttribute('data-pulse', 'alive');
  });

  test('a hidden page listens to nothing, and is right when it is looked at again', async ({ cluster, page }) => {
    await cluster.beat({ server: 'app-1' });
    await open(page, cluster.url);
    await expect(page.getByTestId('connection')).toContainText('Live');
    const hide = (hidden: boolean) =>
      page.evaluate((hidden) => {
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
        document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
      }, hidden);
    await hide(true);
    // It notices within a step; what comes later is not heard.
    await page.waitForTimeout(600);
    await cluster.beat({ server: 'app-2' });
    await page.waitForTimeout(1_000);
    await expect(server(page, 'app-2')).toHaveCount(0);
    await hide(false);
    await expect(server(page, 'app-2')).toHaveCount(1);
    await expect(page.getByTestId('connection')).toContainText('Live');
  });
});

test.describe('where a proxy holds the stream back', () => {
  test.use({ deaf: true });

  test('the page asks, says so, and misses nothing', async ({ cluster, page }) => {
    await cluster.beat({ server: 'app-1' });
    await open(page, cluster.url);
    await expect(page.getByTestId('connection')).toContainText('Polling');
    await cluster.beat({ server: 'app-2' });
    await expect(server(page, 'app-2')).toHaveCount(1, { timeout: 8_000 });
  });
});

test('the messenger cannot be reached: what do I do, and did it help?', async ({ cluster, page }) => {
  const port = await freePort();
  await cluster.beat({ server: 'db-1', ip: '127.0.0.1', messenger_port: port });
  await open(page, cluster.url);
  const advice = hint(page, 'messenger-unreachable-db-1_service');
  await expect(advice).toContainText('Cannot connect to the service messenger of db-1');
  await expect(advice).toContainText(`port ${port}`);
  await expect(advice).toContainText('this-server cannot connect');
  await expect(line(page, 'db-1', 'service')).toHaveAttribute('data-pulse', 'alive');
  await expect(line(page, 'db-1', 'service').locator('[data-label="Messenger"]')).toContainText('Cannot connect');
  await advice.getByRole('link', { name: 'Reconnect' }).click();
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

  test('a messenger is dialled by a plain form, and its server stays open', async ({ cluster, page }) => {
    const port = await freePort();
    await cluster.beat({ server: 'db-1', ip: '127.0.0.1', messenger_port: port });
    await expect.poll(async () => JSON.stringify(await cluster.overview())).toContain('"reason":"refused"');
    await page.goto(`${cluster.url}?server=db-1`);
    await page.getByRole('button', { name: 'Reconnect messenger' }).click();
    await expect(page.getByRole('dialog', { name: 'db-1' })).toContainText('Could not connect');
  });
});
