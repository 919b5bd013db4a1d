// The overview nested into a product's own web server: the example as it stands, whose menu leads to it and
// whose sign-in it believes.

import { spawn, spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { Page } from '@playwright/test';
import { expect, gone, line, soon, test as base } from './cluster';
import { seeAndMend } from './product';

/** Starts the product; its address. */
const test = base.extend<{ product: string }>({
  product: async ({ cluster }, use) => {
    const database = `sqlite:${join(cluster.folder, 'product.db')}`;
    const child = spawn(join(dirname(cluster.program), 'examples/nested'), ['127.0.0.1:0', database], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    cluster.hear('product', child);
    const product = await soon('the product to listen', new Promise<string>((resolve, reject) => {
      child.stdout.on('data', (said) => resolve(/ at (\S+)/.exec(String(said))?.[1] ?? ''));
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
    expect(await gone(child, 'the product', 'SIGINT'), 'it stops by itself, also while somebody listens').toBe(0);
  },
});

const enter = async (page: Page, product: string, name: string) => {
  await page.goto(product);
  await page.getByLabel('Name').fill(name);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('link', { name: 'Cluster Overview' }).click();
};

// The browser logs refused requests, also those that it sends while the product stops at the end of a story.
test.use({ deaf: false, forgiven: /status of 40[13]|ERR_CONNECTION_REFUSED/ });

test('an admin of the product sees its components, watches a service go stale, removes it and leaves', async ({ cluster, page, product }) => {
  const away: string[] = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (!/^\/(sign-in|sign-out|favicon.ico|admin\/cluster(\/.*)?)?$/.test(pathname)) away.push(pathname);
  });
  await enter(page, product, 'ann');
  await expect(page).toHaveURL(/\/admin\/cluster$/);
  await expect(page.locator('#user')).toHaveText('ann');
  await expect(page.getByTestId('connection')).toContainText('Live');
  for (const role of ['web', 'service'] as const) {
    await expect(line(page, 'product-1', role)).toHaveAttribute('data-pulse', 'alive');
  }
  await seeAndMend(cluster, page);
  // They sign out elsewhere in the product: the page notices, and leads to where one signs in.
  await page.evaluate(() => fetch('/sign-out', { method: 'POST' }));
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible({ timeout: 15_000 });
  expect(away).toEqual([]);
});

test('who is no admin of the product looks, and changes nothing', async ({ page, product }) => {
  await enter(page, product, 'bob');
  await expect(page.locator('#user')).toHaveText('bob');
  await expect(page.locator('.page-header')).toContainText('only an admin can make changes');
  await expect(page.getByRole('link', { name: 'Access' })).toHaveCount(0);
  const refused = await page.evaluate(async () => {
    const headers = { 'content-type': 'application/json' };
    return (await fetch('/admin/cluster/api/v1/settings', { method: 'PUT', body: '{}', headers })).status;
  });
  expect(refused).toBe(403);
});
