// The page behind nginx: as it is shipped, and where somebody's proxy holds back what comes in pieces.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, freePort, line, open, server, test as base } from './cluster';
import { nginx } from './nginx';

const shipped = readFileSync(join(__dirname, '../../server/dist/nginx.conf'), 'utf8');

/** Puts nginx before the story's web server and leads `cluster.url` there. */
const test = base.extend<{ holdsBack: boolean; proxied: void }>({
  holdsBack: [false, { option: true }],
  proxied: [async ({ cluster, holdsBack }, use) => {
    const port = await freePort();
    const behind = new URL(cluster.url).port;
    const site = shipped
      .replace(/127\.0\.0\.1:300[12]/g, `127.0.0.1:${behind}`)
      .replace('127.0.0.1:8080', `127.0.0.1:${port}`);
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((kind) => `${kind}_temp_path ${kind};`)
      .join(' ');
    const buffers = holdsBack ? 'proxy_buffering on; proxy_ignore_headers X-Accel-Buffering;' : '';
    // Chunks are handed on as they come, whatever nginx is told: what holds back asks in the older way.
    const asks = holdsBack ? site.replace('proxy_http_version 1.1', 'proxy_http_version 1.0') : site;
    cluster.url = `http://127.0.0.1:${port}/`;
    const end = await nginx(
      `daemon off; pid nginx.pid; events {} http { access_log off; ${temporary} ${buffers} ${asks} }`,
      cluster.url,
    );
    await use();
    await end();
  }, { auto: true }],
});

test.describe('as it is shipped', () => {
  test.use({ deaf: false });

  test('the page hears at once what happens, and an admin changes something', async ({ cluster, page }) => {
    await cluster.beat({ server: 'app-1' });
    await open(page, cluster.url);
    await expect(page.getByTestId('connection')).toContainText('Live');
    await cluster.beat({ server: 'app-1', leaving: true });
    await expect(line(page, 'app-1', 'service')).toHaveAttribute('data-pulse', 'stopped', { timeout: 1_500 });
    await server(page, 'app-1').getByRole('link').first().click();
    await page.getByRole('link', { name: 'Remove server' }).click();
    await page.getByRole('button', { name: 'Remove' }).click();
    await expect(server(page, 'app-1')).toHaveCount(0);
  });
});

test.describe('where a proxy holds back what comes in pieces', () => {
  test.use({ deaf: false, holdsBack: true });

  test('the page asks instead, says so, and misses nothing', async ({ cluster, page }) => {
    await cluster.beat({ server: 'app-1' });
    await open(page, cluster.url);
    await expect(page.getByTestId('connection')).toContainText('Polling');
    await cluster.beat({ server: 'app-2' });
    await expect(server(page, 'app-2')).toHaveCount(1, { timeout: 8_000 });
    await cluster.beat({ server: 'app-2', leaving: true });
    await expect(line(page, 'app-2', 'service')).toHaveAttribute('data-pulse', 'stopped', { timeout: 8_000 });
  });
});
