// Does the example of an overview inside a product's own web server work, with the product's sign-in?

import { spawn, spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { Page } from '@playwright/test';
import { component, expect, terminate, test as base, withDeadline } from './cluster';
import { removeStaleService } from './product';

/** Starts the product and returns its address. */
const test = base.extend<{ product: string }>({
  product: async ({ cluster }, use) => {
    const database = `sqlite:${join(cluster.folder, 'product.db')}`;
    const child = spawn(join(dirname(cluster.program), 'examples/nested'), ['127.0.0.1:0', database], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    cluster.collectOutput('product', child);
    const product = await withDeadline('the product to listen', new Promise<string>((resolve, reject) => {
      child.stdout.on('data', (chunk) => resolve(/ at (\S+)/.exec(String(chunk))?.[1] ?? ''));
      child.once('exit', (code) => reject(new Error(`the product ended with ${code}`)));
    }));
    const made = spawnSync(
      cluster.program,
      ['token', 'create', '--role', 'join', '--name', 'story', '--database', database],
      { encoding: 'utf8', timeout: 20_000 },
    );
    cluster.token = made.stdout.trim();
    cluster.url = `${product}admin/cluster/`;
    await use(product);
    expect(await terminate(child, 'the product', 'SIGINT'), 'it stops although a stream is open').toBe(0);
  },
});

const openOverview = async (page: Page, product: string, name: string) => {
  await page.goto(product);
  await page.getByLabel('Name').fill(name);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('link', { name: 'Cluster Overview' }).click();
};

// The browser logs refused requests, also those that it sends while the product stops at the end of a story.
test.use({ pollingOnly: false, allowedOnConsole: /status of 40[13]|ERR_CONNECTION_REFUSED/ });

test('an admin of the product sees its components, removes a stale service and signs out', async ({ cluster, page, product }) => {
  const away: string[] = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (!/^\/(sign-in|sign-out|favicon.ico|admin\/cluster(\/.*)?)?$/.test(pathname)) away.push(pathname);
  });
  await openOverview(page, product, 'ann');
  await expect(page).toHaveURL(/\/admin\/cluster$/);
  await expect(page.locator('#user')).toHaveText('ann');
  await expect(page.getByTestId('connection')).toContainText('Live');
  for (const role of ['web', 'service'] as const) {
    await expect(component(page, 'product-1', role)).toHaveAttribute('data-pulse', 'alive');
  }
  await removeStaleService(cluster, page);
  // The user signs out in another page of the product: this page notices and leads to the sign-in page.
  await page.evaluate(() => fetch('/sign-out', { method: 'POST' }));
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible({ timeout: 15_000 });
  expect(away).toEqual([]);
});

test('a viewer of the product can change nothing', async ({ page, product }) => {
  await openOverview(page, product, 'bob');
  await expect(page.locator('#user')).toHaveText('bob');
  await expect(page.locator('.page-header')).toContainText('only an admin can make changes');
  await expect(page.getByRole('link', { name: 'Access' })).toHaveCount(0);
  const refused = await page.evaluate(async () => {
    const headers = { 'content-type': 'application/json' };
    return (await fetch('/admin/cluster/api/v1/settings', { method: 'PUT', body: '{}', headers })).status;
  });
  expect(refused).toBe(403);
});
