// The product of the examples, whose pages embed an overview of another site.

import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FrameLocator, Page } from '@playwright/test';
import { Cluster, expect, fetchWithDeadline, freePort, terminate, test as base, withDeadline } from './cluster';

const examples = join(__dirname, '../../server/examples');

/** Creates a token in the database, and waits until the running overview accepts it. */
async function createToken(cluster: Cluster, role: string) {
  const args = ['token', 'create', '--role', role, '--name', 'product', '--database', cluster.database];
  const token = spawnSync(cluster.program, args, { encoding: 'utf8', timeout: 20_000 }).stdout.trim();
  await expect.poll(async () => {
    const headers = { authorization: `Bearer ${token}` };
    return (await fetchWithDeadline(new URL('api/v1/overview', cluster.url), { headers })).status;
  }).toBe(200);
  return token;
}

/** Starts an overview and a product that embeds it, as the examples' README says. `product` is the product's address. */
export const test = base.extend<{ product: string; pages: string; grants: 'admin' | 'viewer' }>({
  pages: ['framed', { option: true }],
  grants: ['admin', { option: true }],
  auth: 'password',
  pollingOnly: false,
  product: async ({ cluster, pages, grants }, use) => {
    const port = await freePort();
    await cluster.endProcess('serve', 'SIGTERM');
    cluster.environment.CLUSTER_OVERVIEW_FRAME_ANCESTORS = `http://127.0.0.1:${port}`;
    await cluster.start('none', '/', 'password');
    const tokenFile = join(cluster.folder, 'product.token');
    writeFileSync(tokenFile, await createToken(cluster, grants), { mode: 0o600 });
    const child = spawn('node', [join(examples, 'product/product.mjs'), join(examples, pages)], {
      env: {
        ...process.env,
        // For a browser this is another site than the product's.
        OVERVIEW: cluster.url.replace('127.0.0.1', 'localhost'),
        TOKEN_FILE: tokenFile,
        LISTEN: `127.0.0.1:${port}`,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    cluster.collectOutput('product', child);
    await withDeadline('the product to listen', new Promise<void>((resolve, reject) => {
      child.stdout.once('data', () => resolve());
      child.once('exit', (code) => reject(new Error(`the product ended with ${code}`)));
    }));
    await use(`http://127.0.0.1:${port}/`);
    await terminate(child, 'the product', 'SIGTERM');
  },
});

/** Signs in to the product and opens an entry of its menu. */
export const openOverview = async (page: Page, product: string, name: string, entry: string) => {
  await page.goto(product);
  await page.getByLabel('Name').fill(name);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('link', { name: entry, exact: true }).click();
};

/** Signs out of the product, and waits for it: a browser drops the earlier of two navigations. */
export const signOut = async (page: Page) => {
  const button = page.getByRole('button', { name: 'Sign out' });
  await button.scrollIntoViewIfNeeded();
  // Where the frame is now, and what is beside it, Chromium knows when it has drawn the page again.
  await page.evaluate(() => new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(resolve)); }));
  await button.click();
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
};

/** The overview in the product's page, once it is hydrated. */
export const overviewInFrame = async (page: Page, frame = 'iframe'): Promise<FrameLocator> => {
  const overview = page.frameLocator(frame);
  await expect(overview.locator('html')).toHaveAttribute('data-hydrated', 'true');
  return overview;
};

/** The frame is as high as its content, so that nothing scrolls in it. */
export const expectFrameToFit = async (page: Page, frame = 'iframe') => {
  const overview = page.frameLocator(frame).locator('html');
  await expect.poll(() => overview.evaluate((root) => {
    const panel = root.querySelector('.panel');
    const bottom = Math.max(...[document.body, panel].map((one) => one ? one.getBoundingClientRect().bottom + scrollY : 0));
    return Math.abs(innerHeight - bottom);
  })).toBeLessThan(3);
};

/** A service becomes stale; its hint links to it, and the admin removes it. */
export const removeStaleService = async (cluster: Cluster, overview: Page | FrameLocator) => {
  await overview.getByRole('link', { name: 'Edit settings' }).click();
  await overview.getByLabel('Heartbeat interval').fill('1 s');
  await overview.getByLabel('Stale timeout').fill('4 s');
  await overview.getByRole('button', { name: 'Save' }).click();
  await expect(overview.getByTestId('done')).toContainText('Settings saved.');
  // A token that a command created is accepted within two seconds.
  await expect(() => cluster.sendHeartbeat({ server: 'app-1' })).toPass();
  const server = overview.locator('[data-server="app-1"]');
  await expect(server.locator('[data-pulse="stale"]')).toHaveCount(1, { timeout: 15_000 });
  await overview.locator('[data-hint="service-stale"]').getByRole('link', { name: 'Show app-1' }).click();
  await server.getByRole('link', { name: 'app-1', exact: true }).click();
  await overview.getByRole('link', { name: 'Remove server' }).click();
  await overview.getByRole('button', { name: 'Remove' }).click();
  await expect(server).toHaveCount(0);
};

/** Like a browser that blocks third-party cookies: in a frame nobody stays signed in. */
export const blockThirdPartyCookies = (page: Page) => page.route(/\/embed\?/, async (route) => {
  const response = await route.fetch({ maxRedirects: 0 });
  await page.context().clearCookies({ name: /-guest$/ });
  const headers = response.headers();
  delete headers['set-cookie'];
  await route.fulfill({ response, headers });
});

/** Counts the requests for a code from now on. */
export const countCodeRequests = (page: Page) => {
  let codes = 0;
  page.on('request', (request) => {
    if (request.url().endsWith('/cluster-overview-code')) codes += 1;
  });
  return () => codes;
};

/** Like Firefox, which does not name the pages around a frame. */
export const disableAncestorOrigins = (page: Page) => page.route('**/frame.js', async (route) => {
  const response = await route.fetch();
  await route.fulfill({ response, body: (await response.text()).replace('location.ancestorOrigins?.[0]', 'undefined') });
});
