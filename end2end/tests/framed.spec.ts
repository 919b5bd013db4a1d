// The page in a frame of a product of another site: the example as it stands, and whoever was not named.

import { createServer, Server } from 'node:http';
import { ask, expect, freePort } from './cluster';
import {
  countCodes, enter, isAsHighAsItsContent, leave, refuseCookies, seeAndMend, test, within, withoutAncestors,
} from './product';

test('an admin of the product comes by its menu, sees a service go stale, removes it and leaves', async ({ cluster, page, product }) => {
  const away: string[] = [];
  page.on('request', (request) => {
    const { origin } = new URL(request.url());
    if (![new URL(product).origin, new URL(cluster.url.replace('127.0.0.1', 'localhost')).origin].includes(origin)) away.push(request.url());
  });
  await enter(page, product, 'ann', 'Cluster Overview');
  const overview = await within(page);
  await expect(overview.getByRole('navigation', { name: 'Breadcrumb' })).toHaveCount(0);
  await expect(overview.getByTestId('connection')).toContainText('Live');
  await expect(overview.locator('html')).toHaveAttribute('data-theme', 'light');
  const address = await overview.locator('html').evaluate(() => location.href);
  expect(address, 'the code is not in the address').not.toContain('code');
  await isAsHighAsItsContent(page);
  await seeAndMend(cluster, overview);
  const session = (await page.context().cookies(address)).find(({ name }) => name.endsWith('-guest'));
  expect(session).toMatchObject({ httpOnly: true, secure: true, sameSite: 'None' });
  await leave(page);
  const looks = await ask(new URL('api/v1/overview', cluster.url), { headers: { cookie: `${session!.name}=${session!.value}` } });
  expect(looks.status, 'who signed out of the product is out here too').toBe(401);
  expect(away).toEqual([]);
});

test('a panel opens where the reader is, and the frame grows with it', async ({ cluster, page, product }) => {
  await cluster.beats(Array.from({ length: 30 }, (_, number) => ({ server: `app-${number + 10}` })));
  await enter(page, product, 'ann', 'Cluster Overview');
  const overview = await within(page);
  const last = overview.getByRole('link', { name: 'app-39' });
  await last.click();
  const panel = overview.getByRole('dialog', { name: 'app-39' });
  await expect(panel).toBeInViewport();
  await expect(panel.getByRole('heading', { name: 'app-39' })).toBeInViewport();
  await isAsHighAsItsContent(page);
  await page.keyboard.press('Escape');
  await expect(panel).toHaveCount(0);
  await isAsHighAsItsContent(page);
});

test.describe('a viewer of the product', () => {
  test.use({ grants: 'viewer', forgiven: /status of 502/ });

  test('looks, and changes nothing; a viewer\'s token lets no admin in', async ({ page, product, cluster }) => {
    await cluster.beat({ server: 'app-1' });
    await enter(page, product, 'bob', 'Cluster Overview');
    const overview = await within(page);
    await expect(overview.locator('[data-server="app-1"]')).toHaveCount(1);
    await expect(overview.getByRole('link', { name: 'Edit settings' })).toHaveAttribute('aria-disabled', 'true');
    await leave(page);
    await enter(page, product, 'ann', 'Cluster Overview');
    await expect(page.getByText('Nobody can be let in')).toContainText('use an admin\'s token');
  });
});

test.describe('while the overview answers nobody', () => {
  test.use({ forgiven: /status of 502|ERR_ABORTED|Failed to load resource/ });

  test('the product shows its own pages, says so, and lets people sign out', async ({ page, product, cluster }) => {
    await enter(page, product, 'ann', 'Cluster Overview');
    await within(page);
    cluster.signal('serve', 'SIGSTOP');
    await page.goto(product);
    await page.getByRole('link', { name: 'Cluster Overview', exact: true }).click();
    await expect(page.getByText('Nobody can be let in')).toContainText('did not answer within 5 s');
    await leave(page);
    cluster.signal('serve', 'SIGCONT');
    await enter(page, product, 'bob', 'Cluster Overview');
    await within(page);
  });
});

test.describe('whose visit was ended', () => {
  test.use({ forgiven: /status of 401/ });

  test('is let in anew by the product', async ({ cluster, page, product }) => {
    await cluster.beat({ server: 'app-1' });
    await enter(page, product, 'ann', 'Cluster Overview');
    const overview = await within(page);
    await page.context().clearCookies({ name: /-guest$/ });
    await cluster.beat({ server: 'app-2' });
    const anew = page.waitForResponse('**/cluster-overview-code', { timeout: 15_000 });
    await overview.locator('html').evaluate(() => location.reload());
    await anew;
    await expect(overview.locator('[data-server="app-2"]')).toHaveCount(1);
  });
});

test.describe('in a browser that refuses cookies of other sites', () => {
  for (const says of [true, false]) {
    test(`a few codes are tried, then the page says why and leads to a window${says ? '' : ', also where nobody says what is around the frame'}`, async ({ page, product }) => {
      await page.clock.install();
      await refuseCookies(page);
      if (!says) await withoutAncestors(page);
      const codes = countCodes(page);
      await enter(page, product, 'ann', 'Cluster Overview');
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
      await isAsHighAsItsContent(page);
      const opened = page.context().waitForEvent('page');
      await notice.getByRole('link', { name: 'Open the overview in its own window' }).click();
      await expect((await opened).getByLabel('Password')).toBeVisible();
    });
  }
});

test('a browser that does not say what is around the frame learns its height', async ({ cluster, page, product }) => {
  await cluster.beats(Array.from({ length: 30 }, (_, number) => ({ server: `app-${number + 10}` })));
  await withoutAncestors(page);
  await enter(page, product, 'ann', 'Cluster Overview');
  const overview = await within(page);
  await expect(overview.getByRole('link', { name: 'app-39' })).toHaveCount(1);
  await isAsHighAsItsContent(page);
  expect(await page.locator('iframe').evaluate((frame) => (frame as HTMLElement).clientHeight)).toBeGreaterThan(1_500);
});

test.describe('a page that was not named', () => {
  test.use({ forgiven: /frame-ancestors/ });

  test('shows nothing of it', async ({ cluster, page, product }) => {
    expect(product).not.toBe('');
    const port = await freePort();
    const server: Server = createServer((_, answer) => {
      answer.setHeader('content-type', 'text/html');
      answer.end(`<!doctype html><html lang="en"><title>Other</title><link rel="icon" href="data:,">
        <iframe title="Cluster Overview" src="${cluster.url}sign-in"></iframe>`);
    });
    await new Promise<void>((resolve) => { server.listen(port, '127.0.0.1', resolve); });
    const refused = page.waitForEvent('console', (said) => said.text().includes('frame-ancestors'));
    await page.goto(`http://127.0.0.1:${port}/`);
    await refused;
    await expect(page.frameLocator('iframe').getByLabel('Name')).toHaveCount(0);
    server.closeAllConnections();
    server.close();
  });
});
