// Does every error page say what to do and link to a next step?
import AxeBuilder from '@axe-core/playwright';
import { expect, freePort, password, test } from './cluster';
import { startNginx } from './nginx';
import { signIn } from './sign-in';

/** The same overview under another host name, which over plain HTTP is not a secure context. */
const elsewhere = (url: string, port = new URL(url).port) => `http://overview.example:${port}/`;

test.use({ auth: 'password', allowedOnConsole: /status of 40[1345]/ });

test('where the browser would keep no session, the sign-in page says so, and the set-up code stays valid', async ({ cluster, page }) => {
  await page.goto(elsewhere(cluster.url));
  await expect(page).toHaveURL(/\/sign-in$/);
  const main = page.getByRole('main');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('You cannot sign in at this address');
  await expect(main).toContainText(`plain HTTP at ${new URL(elsewhere(cluster.url)).host}`);
  await expect(main).toContainText('--tls-cert');
  await expect(page.locator('form')).toHaveCount(0);
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
  await page.goto(`${cluster.url}sign-in`);
  await signIn(page, 'Ann', password, cluster.setupCode);
  await expect(page.locator('#user')).toHaveText('Ann');
});

test('behind a proxy that sets no Host header, the error names both addresses and the missing line', async ({ cluster, page }) => {
  const port = await freePort();
  const proxied = elsewhere(cluster.url, String(port));
  const end = await startNginx(
    `daemon off; pid nginx.pid; events {} http { access_log off; ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((kind) => `${kind}_temp_path ${kind};`)
      .join(' ')} server { listen 127.0.0.1:${port}; location / { proxy_pass ${cluster.url}; } } }`,
    `http://127.0.0.1:${port}/healthz`,
  );
  await page.goto(`${proxied}sign-in`);
  await signIn(page, 'Ann', password, cluster.setupCode);
  const main = page.getByRole('main');
  await expect(main).toContainText(`a page of ${proxied.replace(/\/$/, '')} (Origin header)`);
  await expect(main).toContainText(`the Host header the address of the overview is ${new URL(cluster.url).host}`);
  await expect(main).toContainText('proxy_set_header Host $http_host;');
  await page.getByRole('link', { name: 'Back to the overview' }).click();
  await expect(page).toHaveURL(/\/sign-in$/);
  await end();
  await page.goto(`${cluster.url}sign-in`);
  await signIn(page, 'Ann', password, cluster.setupCode);
  await expect(page.locator('#user')).toHaveText('Ann');
});

test("an unknown address leads back, in the user's language and theme", async ({ cluster, page }) => {
  await page.goto(`${cluster.url}nothing?lang=de&theme=dark`);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Seite nicht gefunden');
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
  await page.getByRole('link', { name: 'Zurück zur Übersicht' }).click();
  await expect(page).toHaveURL(/\/sign-in\?then=lang/);
  await page.goto(`${cluster.url}api/v1/overview`);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('You are not signed in');
  await page.getByRole('link', { name: 'Sign in' }).click();
  await expect(page).toHaveURL(/\/sign-in$/);
});
