// The overview as an entry in a product's admin menu, below a path of the product's web server: the example
// as it stands, whether that web server hands the path on or strips it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, freePort, password, test as base } from './cluster';
import { nginx } from './nginx';
import { enter } from './sign-in';
import { seeAndMend } from './product';

const example = readFileSync(join(__dirname, '../../server/examples/reverse-proxy/nginx.conf'), 'utf8');
const PATH = '/admin/cluster';

/** Starts the overview and the product before it; the product's address. */
const test = base.extend<{ product: string; strips: boolean }>({
  strips: [false, { option: true }],
  auth: 'password',
  product: async ({ cluster, strips }, use) => {
    await cluster.end('serve', 'SIGTERM');
    await cluster.start('web,service', PATH, 'password');
    const [handsOn, stripped] = [await freePort(), await freePort()];
    const { port } = new URL(cluster.url);
    const configuration = example
      .replaceAll('127.0.0.1:3000', `127.0.0.1:${port}`)
      .replace('127.0.0.1:8080', `127.0.0.1:${handsOn}`)
      .replace('127.0.0.1:8081', `127.0.0.1:${stripped}`);
    const product = `http://127.0.0.1:${strips ? stripped : handsOn}`;
    const end = await nginx(configuration, product);
    await use(product);
    await end();
  },
});

for (const strips of [false, true]) {
  test.describe(strips ? 'a web server that strips the path' : 'a web server that hands the path on', () => {
    test.use({ strips, deaf: false });

    test('an admin comes by the menu, sees a service go stale, follows the hint, removes it and leaves', async ({ cluster, page, product }) => {
      const away: string[] = [];
      page.on('request', (request) => {
        const { pathname } = new URL(request.url());
        if (pathname !== '/' && pathname !== '/favicon.ico' && !pathname.startsWith(PATH)) away.push(pathname);
      });
      await page.goto(product);
      await page.getByRole('link', { name: 'Cluster Overview' }).click();
      await expect(page).toHaveURL(`${product}${PATH}/sign-in`);
      await enter(page, 'Ann', password, cluster.setupCode);
      await expect(page).toHaveURL(new RegExp(`${PATH}/?$`));
      await expect(page.getByTestId('connection')).toContainText('Live');
      await seeAndMend(cluster, page);
      await page.locator('#user').click();
      await page.getByRole('button', { name: 'Sign out', exact: true }).click();
      await expect(page).toHaveURL(`${product}${PATH}/sign-in`);
      expect(away).toEqual([]);
    });
  });
}
