// Does the page work behind nginx: with the shipped configuration, and behind a proxy that buffers responses?

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { component, expect, expectUpdates, freePort, openPage, server, test as base } from './cluster';
import { startNginx } from './nginx';

const shipped = readFileSync(join(__dirname, '../../server/dist/nginx.conf'), 'utf8');

/** Starts nginx in front of the overview and sets `cluster.url` to it. */
const test = base.extend<{ buffersResponses: boolean; proxied: void }>({
  buffersResponses: [false, { option: true }],
  proxied: [async ({ cluster, buffersResponses }, use) => {
    const port = await freePort();
    const behind = new URL(cluster.url).port;
    const site = shipped
      .replace(/127\.0\.0\.1:300[12]/g, `127.0.0.1:${behind}`)
      .replace('127.0.0.1:8080', `127.0.0.1:${port}`);
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((kind) => `${kind}_temp_path ${kind};`)
      .join(' ');
    const buffers = buffersResponses ? 'proxy_buffering on; proxy_ignore_headers X-Accel-Buffering;' : '';
    // nginx forwards chunks at once even with `proxy_buffering on`. Over HTTP/1.0 there are no chunks, so it buffers.
    const adapted = buffersResponses ? site.replace('proxy_http_version 1.1', 'proxy_http_version 1.0') : site;
    cluster.url = `http://127.0.0.1:${port}/`;
    const end = await startNginx(
      `daemon off; pid nginx.pid; events {} http { access_log off; ${temporary} ${buffers} ${adapted} }`,
      cluster.url,
    );
    await use();
    await end();
  }, { auto: true }],
});

test.describe('with the shipped configuration', () => {
  test.use({ pollingOnly: false });

  test('updates arrive at once, and an admin removes a server', async ({ cluster, page }) => {
    await cluster.sendHeartbeat({ server: 'app-1' });
    await openPage(page, cluster.url);
    await expect(page.getByTestId('connection')).toContainText('Live');
    await cluster.sendHeartbeat({ server: 'app-1', leaving: true });
    await expect(component(page, 'app-1', 'service')).toHaveAttribute('data-pulse', 'stopped', { timeout: 1_500 });
    await server(page, 'app-1').getByRole('link').first().click();
    await page.getByRole('link', { name: 'Remove server' }).click();
    await page.getByRole('button', { name: 'Remove' }).click();
    await expect(server(page, 'app-1')).toHaveCount(0);
  });
});

test.describe('behind a proxy that buffers responses', () => {
  test.use({ pollingOnly: false, buffersResponses: true });

  test('the page polls, says so, and misses no update', async ({ cluster, page }) => {
    await cluster.sendHeartbeat({ server: 'app-1' });
    await openPage(page, cluster.url);
    await expect(page.getByTestId('connection')).toContainText('Polling');
    await expectUpdates(cluster, page, 8_000);
  });
});
