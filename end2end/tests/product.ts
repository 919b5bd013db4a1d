// The product of the examples before an overview on another site, and a person in it.

import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FrameLocator, Page } from '@playwright/test';
import { ask, Cluster, expect, freePort, gone, soon, test as base } from './cluster';

const examples = join(__dirname, '../../server/examples');

/** A token made on the database, as soon as the running overview knows it. */
async function made(cluster: Cluster, role: string) {
  const args = ['token', 'create', '--role', role, '--name', 'product', '--database', cluster.database];
  const token = spawnSync(cluster.program, args, { encoding: 'utf8', timeout: 20_000 }).stdout.trim();
  await expect.poll(async () => {
    const headers = { authorization: `Bearer ${token}` };
    return (await ask(new URL('api/v1/overview', cluster.url), { headers })).status;
  }).toBe(200);
  return token;
}

/** Starts the overview for a product, and the product as its README says; the product's address. */
export const test = base.extend<{ product: string; pages: string; grants: 'admin' | 'viewer' }>({
  pages: ['framed', { option: true }],
  grants: ['admin', { option: true }],
  auth: 'password',
  deaf: false,
  product: async ({ cluster, pages, grants }, use) => {
    const port = await freePort();
    await cluster.end('serve', 'SIGTERM');
    cluster.environment.CLUSTER_OVERVIEW_FRAME_ANCESTORS = `http://127.0.0.1:${port}`;
    await cluster.start('none', '/', 'password');
    const tokenFile = join(cluster.folder, 'product.token');
    writeFileSync(tokenFile, await made(cluster, grants), { mode: 0o600 });
    const child = spawn('node', [join(examples, 'product/product.mjs'), join(examples, pages)], {
      env: {
        ...process.env,
        // Another site than the product's, as far as a browser is concerned.
        OVERVIEW: cluster.url.replace('127.0.0.1', 'localhost'),
        TOKEN_FILE: tokenFile,
        LISTEN: `127.0.0.1:${port}`,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    cluster.hear('product', child);
    await soon('the product to listen', new Promise<void>((resolve, reject) => {
      child.stdout.once('data', () => resolve());
      child.once('exit', (code) => reject(new Error(`the product ended with ${code}`)));
    }));
    await use(`http://127.0.0.1:${port}/`);
    await gone(child, 'the product', 'SIGTERM');
  },
});

/** Signs in to the product and takes an entry of its menu. */
export const enter = async (page: Page, product: string, name: string, entry: string) => {
  await page.goto(product);
  await page.getByLabel('Name').fill(name);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('link', { name: entry, exact: true }).click();
};

/** Signs out of the product. What comes next must not overtake it: a browser drops the earlier of two navigations. */
export const leave = async (page: Page) => {
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
};

/** The overview within the product's page, once it is alive. */
export const within = async (page: Page, frame = 'iframe'): Promise<FrameLocator> => {
  const overview = page.frameLocator(frame);
  await expect(overview.locator('html')).toHaveAttribute('data-hydrated', 'true');
  return overview;
};

/** The frame is as high as what it shows: nothing scrolls within. */
export const isAsHighAsItsContent = async (page: Page, frame = 'iframe') => {
  const overview = page.frameLocator(frame).locator('html');
  await expect.poll(() => overview.evaluate((root) => {
    const panel = root.querySelector('.panel');
    const bottom = Math.max(...[document.body, panel].map((one) => one ? one.getBoundingClientRect().bottom + scrollY : 0));
    return Math.abs(innerHeight - bottom);
  })).toBeLessThan(3);
};

/** What an admin does all day: a service goes stale, its hint leads to it, it is removed. */
export const seeAndMend = async (cluster: Cluster, overview: Page | FrameLocator) => {
  await overview.getByRole('link', { name: 'Edit settings' }).click();
  await overview.getByLabel('Heartbeat interval').fill('1 s');
  await overview.getByLabel('Stale timeout').fill('4 s');
  await overview.getByRole('button', { name: 'Save' }).click();
  await expect(overview.getByTestId('done')).toContainText('Settings saved.');
  // A token that a command made is known within two seconds.
  await expect(() => cluster.beat({ server: 'app-1' })).toPass();
  const server = overview.locator('[data-server="app-1"]');
  await expect(server.locator('[data-pulse="stale"]')).toHaveCount(1, { timeout: 15_000 });
  await overview.locator('[data-hint="service-stale"]').getByRole('link', { name: 'Show app-1' }).click();
  await server.getByRole('link', { name: 'app-1', exact: true }).click();
  await overview.getByRole('link', { name: 'Remove server' }).click();
  await overview.getByRole('button', { name: 'Remove' }).click();
  await expect(server).toHaveCount(0);
};

/** A browser that refuses cookies of other sites: in a frame nobody stays signed in. */
export const refuseCookies = (page: Page) => page.route(/\/embed\?/, async (route) => {
  const response = await route.fetch({ maxRedirects: 0 });
  await page.context().clearCookies({ name: /-guest$/ });
  const headers = response.headers();
  delete headers['set-cookie'];
  await route.fulfill({ response, headers });
});

/** How often the product has been asked for a code from now on. */
export const countCodes = (page: Page) => {
  let codes = 0;
  page.on('request', (request) => {
    if (request.url().endsWith('/cluster-overview-code')) codes += 1;
  });
  return () => codes;
};

/** A browser, such as Firefox, that does not say which pages are around a frame. */
export const withoutAncestors = (page: Page) => page.route('**/frame.js', async (route) => {
  const response = await route.fetch();
  await route.fulfill({ response, body: (await response.text()).replace('location.ancestorOrigins?.[0]', 'undefined') });
});
