// The page in a frame of a product of another origin, which was named, and of one that was not.

import { createServer, Server } from 'node:http';
import { AddressInfo } from 'node:net';
import { expect, freePort, test as base } from './cluster';

/** A product whose pages frame the overview; the port that was named. */
const test = base.extend<{ product: number }>({
  product: async ({ cluster }, use) => {
    const port = await freePort();
    await cluster.end('serve', 'SIGTERM');
    cluster.environment.CLUSTER_OVERVIEW_FRAME_ANCESTORS = `https://elsewhere.example,http://product.example:${port}`;
    await cluster.start();
    const server: Server = createServer((_, answer) => {
      answer.setHeader('content-type', 'text/html');
      answer.end(`<!doctype html><html lang="en"><title>Product</title><link rel="icon" href="data:,">
        <h1>Product</h1><iframe title="Cluster Overview" src="${cluster.url}" width="1200" height="900"></iframe>`);
    });
    await new Promise<void>((resolve) => { server.listen(port, '127.0.0.1', resolve); });
    expect((server.address() as AddressInfo).port).toBe(port);
    await use(port);
    server.closeAllConnections();
    server.close();
  },
});

test('a product that was named frames the page, which lives in it and can be worked with', async ({ cluster, page, product }) => {
  await cluster.beat({ server: 'app-1' });
  await page.goto(`http://product.example:${product}/`);
  const framed = page.frameLocator('iframe');
  await expect(framed.locator('html')).toHaveAttribute('data-hydrated', 'true');
  await expect(framed.locator('[data-server="app-1"]')).toHaveCount(1);
  await cluster.beat({ server: 'app-2' });
  await expect(framed.locator('[data-server="app-2"]')).toHaveCount(1);
  await framed.getByRole('link', { name: 'Configure' }).click();
  await framed.getByLabel('Stale timeout').fill('6 min');
  await framed.getByRole('button', { name: 'Save' }).click();
  await expect(framed.getByTestId('done')).toContainText('The configuration is in force.');
  expect((await cluster.settings()).stale_timeout_s).toBe(360);
});

test.describe('a page that was not named', () => {
  test.use({ forgiven: /frame-ancestors/ });

  test('shows nothing of it', async ({ page, product }) => {
    const refused = page.waitForEvent('console', (said) => said.text().includes('frame-ancestors'));
    // The same machine under another name is another origin.
    await page.goto(`http://other.example:${product}/`);
    await refused;
    await expect(page.frameLocator('iframe').locator('[data-server]')).toHaveCount(0);
  });
});
