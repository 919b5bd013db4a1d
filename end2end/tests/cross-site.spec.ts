// Can a page of another site read or change anything through an admin's browser?
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from '@playwright/test';
import { expect, test as base } from './cluster';
import { signInFirstAdmin } from './sign-in';

/** Another web server on this machine, with one page. Its hosts are `localhost` and any name under `.example`. */
const test = base.extend<{ elsewhere: (html: string) => Promise<number> }>({
  elsewhere: async ({}, use) => {
    let page = '';
    const server = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end(page));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await use(async (html) => {
      page = `<!DOCTYPE html><title>elsewhere</title>${html}`;
      return (server.address() as AddressInfo).port;
    });
    server.closeAllConnections();
    server.close();
  },
});

// The browser logs a rejected request on the console of the page that sent it.
test.use({ allowedOnConsole: /./ });

const settings = (page: Page, url: string) =>
  page.request.get(new URL('api/v1/settings', url).href).then((answer) => answer.json());

test.describe('while an admin is signed in', () => {
  test.use({ auth: 'password' });

  // The browser sends the cookie from another port of the same host, but not from another site.
  for (const host of ['127.0.0.1', 'localhost', 'evil.example']) {
    test(`a form of a page at ${host} changes nothing`, async ({ cluster, page, elsewhere }) => {
      await signInFirstAdmin(cluster, page);
      const before = await settings(page, cluster.url);
      const port = await elsewhere(`
        <form method="post" action="${cluster.url}settings">
          <input name="heartbeat_interval" value="45 s"><input name="stale_timeout" value="9 min">
          <input name="web_window" value="12 h"><input name="load_balancing" value="true">
          <button>Win a prize</button>
        </form>`);
      await page.goto(`http://${host}:${port}/`);
      const refused = page.waitForResponse((answer) => answer.url().includes('/settings'));
      await page.getByRole('button').click();
      expect((await refused).status()).toBe(403);
      expect(await settings(page, cluster.url)).toEqual(before);
    });

    test(`a script of a page at ${host} reads nothing and changes nothing`, async ({ cluster, page, elsewhere }) => {
      await signInFirstAdmin(cluster, page);
      const before = await settings(page, cluster.url);
      const port = await elsewhere('');
      await page.goto(`http://${host}:${port}/`);
      const seen = await page.evaluate(async (url) => {
        const tried = async (path: string, how: RequestInit) => {
          try {
            return await (await fetch(new URL(path, url), { credentials: 'include', ...how })).text();
          } catch {
            return 'refused';
          }
        };
        const body = JSON.stringify({ load_balancing: true });
        return [
          await tried('api/v1/overview', {}),
          await tried('fn/overview', { method: 'POST' }),
          await tried('api/v1/settings', { method: 'PUT', body, headers: { 'content-type': 'application/json' } }),
          await tried('api/v1/tokens', { method: 'POST', body, headers: { 'content-type': 'text/plain' } }),
          await tried('sign-out', { method: 'POST' }),
        ];
      }, cluster.url);
      expect(seen).toEqual(['refused', 'refused', 'refused', 'refused', 'refused']);
      expect(await settings(page, cluster.url)).toEqual(before);
    });
  }

  for (const host of ['127.0.0.1', 'evil.example']) {
    test(`a page at ${host} cannot frame the overview`, async ({ cluster, page, elsewhere }) => {
      await signInFirstAdmin(cluster, page);
      const port = await elsewhere(`<iframe src="${cluster.url}" width="800" height="600"></iframe>`);
      await page.goto(`http://${host}:${port}/`);
      const logged = page.waitForEvent('console', (message) => message.text().includes('frame-ancestors'));
      await page.reload();
      await logged;
      await expect(page.frameLocator('iframe').getByText('this-server')).toHaveCount(0);
    });
  }
});

test('a host name that resolves to this machine gets nothing from an overview without sign-in', async ({ cluster, page }) => {
  await cluster.sendHeartbeat({ server: 'web-1' });
  const rebound = cluster.url.replace('127.0.0.1', 'evil.example');
  expect((await page.goto(rebound))?.status()).toBe(403);
  await expect(page.getByText('web-1')).toHaveCount(0);
  expect((await page.goto(`${rebound}api/v1/overview`))?.status()).toBe(403);
  expect((await page.goto(cluster.url))?.status()).toBe(200);
  await expect(page.getByText('web-1').first()).toBeVisible();
});
