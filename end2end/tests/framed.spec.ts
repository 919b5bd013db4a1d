// Does the example of a framed overview work, and only on allowed origins?

import { createServer, Server } from 'node:http';
import { expect, fetchWithDeadline, freePort } from './cluster';
import {
  blockThirdPartyCookies, countCodeRequests, disableAncestorOrigins, expectFrameToFit, openOverview, overviewInFrame,
  removeStaleService, signOut, test,
} from './product';

test('an admin of the product opens the overview from its menu, removes a stale service and signs out', async ({ cluster, page, product }) => {
  const elsewhere: string[] = [];
  page.on('request', (request) => {
    const { origin } = new URL(request.url());
    if (![new URL(product).origin, new URL(cluster.url.replace('127.0.0.1', 'localhost')).origin].includes(origin)) elsewhere.push(request.url());
  });
  await openOverview(page, product, 'ann', 'Cluster Overview');
  const overview = await overviewInFrame(page);
  await expect(overview.getByRole('navigation', { name: 'Breadcrumb' })).toHaveCount(0);
  await expect(overview.getByTestId('connection')).toContainText('Live');
  await expect(overview.locator('html')).toHaveAttribute('data-theme', 'light');
  const address = await overview.locator('html').evaluate(() => location.href);
  expect(address, 'the code is not in the address').not.toContain('code');
  await expectFrameToFit(page);
  await removeStaleService(cluster, overview);
  const session = (await page.context().cookies(address)).find(({ name }) => name.endsWith('-guest'));
  expect(session).toMatchObject({ httpOnly: true, secure: true, sameSite: 'None' });
  await signOut(page);
  const answer = await fetchWithDeadline(new URL('api/v1/overview', cluster.url), { headers: { cookie: `${session!.name}=${session!.value}` } });
  expect(answer.status, 'signing out of the product ends the session here').toBe(401);
  expect(elsewhere, 'no request to another origin').toEqual([]);
});

test('a page whose product signs the user out requests nothing more, even if a poll is answered meanwhile', async ({ cluster, page, product }) => {
  await openOverview(page, product, 'ann', 'Cluster Overview');
  const overview = await overviewInFrame(page);
  await expect(overview.getByTestId('connection')).toContainText('Live');
  const signingOut = page.waitForRequest('**/sign-out');
  let late: string[] = [];
  page.on('request', (request) => {
    if (new URL(request.url()).host === new URL(cluster.url.replace('127.0.0.1', 'localhost')).host) late.push(request.url());
  });
  const answered = new Promise<void>((resolve) => {
    void page.route('**/fn/overview', async (route) => {
      const response = await route.fetch();
      await signingOut;
      late = [];
      await route.fulfill({ response });
      resolve();
    });
  });
  await page.route('**/sign-out', async (route) => {
    const response = await route.fetch({ maxRedirects: 0 });
    await answered;
    // Nothing tells that a page will send no request: this is five of its steps.
    await new Promise((resolve) => { setTimeout(resolve, 1_000); });
    await route.fulfill({ response });
  });
  const polling = page.waitForRequest('**/fn/overview');
  await overview.locator('html').evaluate(() => dispatchEvent(new Event('online')));
  await polling;
  await signOut(page);
  expect(late).toEqual([]);
});

test('a panel opens where the user clicked, and the frame grows with it', async ({ cluster, page, product }) => {
  await cluster.sendHeartbeats(Array.from({ length: 30 }, (_, number) => ({ server: `app-${number + 10}` })));
  await openOverview(page, product, 'ann', 'Cluster Overview');
  const overview = await overviewInFrame(page);
  const last = overview.getByRole('link', { name: 'app-39' });
  await last.click();
  const panel = overview.getByRole('dialog', { name: 'app-39' });
  await expect(panel).toBeInViewport();
  await expect(panel.getByRole('heading', { name: 'app-39' })).toBeInViewport();
  await expectFrameToFit(page);
  await page.keyboard.press('Escape');
  await expect(panel).toHaveCount(0);
  await expectFrameToFit(page);
});

test.describe('a viewer of the product', () => {
  test.use({ grants: 'viewer', allowedOnConsole: /status of 502/ });

  test('can change nothing, and a viewer\'s token signs no admin in', async ({ page, product, cluster }) => {
    await cluster.sendHeartbeat({ server: 'app-1' });
    await openOverview(page, product, 'bob', 'Cluster Overview');
    const overview = await overviewInFrame(page);
    await expect(overview.locator('[data-server="app-1"]')).toHaveCount(1);
    await expect(overview.getByRole('link', { name: 'Edit settings' })).toHaveCount(0);
    await signOut(page);
    await openOverview(page, product, 'ann', 'Cluster Overview');
    await expect(page.getByText('Nobody can be let in')).toContainText('use an admin\'s token');
  });
});

test.describe('while the overview does not answer', () => {
  test.use({ allowedOnConsole: /status of 502|ERR_ABORTED|Failed to load resource/ });

  test('the product shows its own pages, says so, and signs people out', async ({ page, product, cluster }) => {
    await openOverview(page, product, 'ann', 'Cluster Overview');
    await overviewInFrame(page);
    cluster.signalProcess('serve', 'SIGSTOP');
    await page.goto(product);
    await page.getByRole('link', { name: 'Cluster Overview', exact: true }).click();
    await expect(page.getByText('Nobody can be let in')).toContainText('did not answer within 5 s');
    await signOut(page);
    cluster.signalProcess('serve', 'SIGCONT');
    await openOverview(page, product, 'bob', 'Cluster Overview');
    await overviewInFrame(page);
  });
});

test.describe('a guest whose session was ended', () => {
  test.use({ allowedOnConsole: /status of 401/ });

  test('is signed in again by the product', async ({ cluster, page, product }) => {
    await cluster.sendHeartbeat({ server: 'app-1' });
    await openOverview(page, product, 'ann', 'Cluster Overview');
    const overview = await overviewInFrame(page);
    await page.context().clearCookies({ name: /-guest$/ });
    await cluster.sendHeartbeat({ server: 'app-2' });
    const newCode = page.waitForResponse('**/cluster-overview-code', { timeout: 15_000 });
    await overview.locator('html').evaluate(() => location.reload());
    await newCode;
    await expect(overview.locator('[data-server="app-2"]')).toHaveCount(1);
  });
});

test.describe('in a browser that blocks third-party cookies', () => {
  for (const namesParent of [true, false]) {
    test(`the page tries three more codes, then explains and links to a window${namesParent ? '' : ', even if the browser does not name the parent page'}`, async ({ page, product }) => {
      await page.clock.install();
      await blockThirdPartyCookies(page);
      if (!namesParent) await disableAncestorOrigins(page);
      const codes = countCodeRequests(page);
      await openOverview(page, product, 'ann', 'Cluster Overview');
      const overview = page.frameLocator('iframe');
      const notice = overview.locator('#blocked-in-frame');
      await expect.poll(codes).toBe(2);
      await expect(notice).toContainText('This browser does not keep you signed in here');
      await expect(notice).toBeVisible();
      await page.clock.runFor(11_000);
      await expect.poll(codes).toBe(3);
      await expect(notice).toBeVisible();
      await page.clock.runFor(31_000);
      await expect.poll(codes).toBe(4);
      await expect(notice).toBeVisible();
      await page.clock.runFor(600_000);
      expect(codes()).toBe(4);
      await expectFrameToFit(page);
      const opened = page.context().waitForEvent('page');
      await notice.getByRole('link', { name: 'Open the overview in its own window' }).click();
      await expect((await opened).getByLabel('Password')).toBeVisible();
    });
  }
});

test('the frame gets its height even if the browser does not name the parent page', async ({ cluster, page, product }) => {
  await cluster.sendHeartbeats(Array.from({ length: 30 }, (_, number) => ({ server: `app-${number + 10}` })));
  await disableAncestorOrigins(page);
  await openOverview(page, product, 'ann', 'Cluster Overview');
  const overview = await overviewInFrame(page);
  await expect(overview.getByRole('link', { name: 'app-39' })).toHaveCount(1);
  await expectFrameToFit(page);
  expect(await page.locator('iframe').evaluate((frame) => (frame as HTMLElement).clientHeight)).toBeGreaterThan(1_200);
});

test.describe('a page of an origin that is not allowed', () => {
  test.use({ allowedOnConsole: /frame-ancestors/ });

  test('cannot frame the overview', async ({ cluster, page, product }) => {
    expect(product).not.toBe('');
    const port = await freePort();
    const server: Server = createServer((_, answer) => {
      answer.setHeader('content-type', 'text/html');
      answer.end(`<!doctype html><html lang="en"><title>Other</title><link rel="icon" href="data:,">
        <iframe title="Cluster Overview" src="${cluster.url}sign-in"></iframe>`);
    });
    await new Promise<void>((resolve) => { server.listen(port, '127.0.0.1', resolve); });
    const logged = page.waitForEvent('console', (message) => message.text().includes('frame-ancestors'));
    await page.goto(`http://127.0.0.1:${port}/`);
    await logged;
    await expect(page.frameLocator('iframe').getByLabel('Name')).toHaveCount(0);
    server.closeAllConnections();
    server.close();
  });
});
