// Does the example of an overview below a path of the product's web server work, whether that server forwards
// the path or strips it?

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, freePort, password, test as base } from './cluster';
import { startNginx } from './nginx';
import { signIn } from './sign-in';
import { removeStaleService } from './product';

const example = readFileSync(join(__dirname, '../../server/examples/reverse-proxy/nginx.conf'), 'utf8');
const PATH = '/admin/cluster';

/** Starts the overview and the product's web server in front of it, and returns the product's address. */
const test = base.extend<{ product: string; strips: boolean }>({
  strips: [false, { option: true }],
  auth: 'password',
  product: async ({ cluster, strips }, use) => {
    await cluster.endProcess('serve', 'SIGTERM');
    await cluster.start('web,service', PATH, 'password');
    const [forwarding, stripping] = [await freePort(), await freePort()];
    const { port } = new URL(cluster.url);
    const configuration = example
      .replaceAll('127.0.0.1:3000', `127.0.0.1:${port}`)
      .replace('127.0.0.1:8080', `127.0.0.1:${forwarding}`)
      .replace('127.0.0.1:8081', `127.0.0.1:${stripping}`);
    const product = `http://127.0.0.1:${strips ? stripping : forwarding}`;
    const end = await startNginx(configuration, product);
    await use(product);
    await end();
  },
});

// The overview answers 401 to a request of the page that is still under way when the user signs out.
test.use({ allowedOnConsole: /status of 401/ });

for (const strips of [false, true]) {
  test.describe(strips ? 'a web server that strips the path' : 'a web server that forwards the path', () => {
    test.use({ strips, pollingOnly: false });

    test('an admin opens the overview from the menu, follows a hint, removes a stale service and signs out', async ({ cluster, page, product }) => {
      const elsewhere: string[] = [];
      page.on('request', (request) => {
        const { pathname } = new URL(request.url());
        if (pathname !== '/' && pathname !== '/favicon.ico' && !pathname.startsWith(PATH)) elsewhere.push(pathname);
      });
      await page.goto(product);
      await page.getByRole('link', { name: 'Cluster Overview' }).click();
      await expect(page).toHaveURL(`${product}${PATH}/sign-in`);
      await signIn(page, 'Ann', password, cluster.setupCode);
      await expect(page).toHaveURL(new RegExp(`${PATH}/?$`));
      await expect(page.getByTestId('connection')).toContainText('Live');
      await removeStaleService(cluster, page);
      await page.locator('#user').click();
      await page.getByRole('button', { name: 'Sign out', exact: true }).click();
      await expect(page).toHaveURL(`${product}${PATH}/sign-in`);
      expect(elsewhere).toEqual([]);
    });
  });
}
