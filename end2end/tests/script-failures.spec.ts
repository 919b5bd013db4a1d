// What does the page do if its script does not start, or stops?

import { Page, Route } from '@playwright/test';
import { Cluster, expect, openPage, server, test, waitForHydration } from './cluster';

const notice = (page: Page) => page.locator('#not-live');

/** Handles requests for one of the page's files, retries included. */
const replaceAsset = (page: Page, file: string, handler: (route: Route) => Promise<void>) =>
  page.route(new RegExp(`/assets/\\w+/${file.replace('.', '\\.')}`), handler);

/** Changes the document before the page starts, as a proxy or a browser does. */
const rewriteDocument = (page: Page, cluster: Cluster, change: (html: string) => string, headers: (policy: string) => string = (policy) => policy) =>
  page.route((url) => url.pathname === new URL(cluster.url).pathname, async (route) => {
    if (route.request().resourceType() !== 'document') return route.fallback();
    const response = await route.fetch();
    const policy = headers(response.headers()['content-security-policy']);
    await route.fulfill({ response, body: change(await response.text()), headers: { ...response.headers(), 'content-security-policy': policy } });
  });

const failures: [string, (page: Page, cluster: Cluster) => Promise<unknown>][] = [
  ['the browser has no WebAssembly', (page) => page.addInitScript(() => { delete (globalThis as { WebAssembly?: unknown }).WebAssembly; })],
  ['the wasm is not found', (page) => replaceAsset(page, 'app_bg.wasm', (route) => route.fulfill({ status: 404 }))],
  ['the wasm comes as a page of a proxy', (page) => replaceAsset(page, 'app_bg.wasm', (route) => route.fulfill({ contentType: 'text/html', body: '<p>blocked' }))],
  ['the wasm is cut short', (page) => replaceAsset(page, 'app_bg.wasm', async (route) => {
    // A reload cancels the request.
    const response = await route.fetch().catch(() => undefined);
    if (response) await route.fulfill({ response, body: (await response.body()).subarray(0, 100_000) });
  })],
  ['the content policy refuses wasm', (page, cluster) => rewriteDocument(page, cluster, (html) => html, (policy) => policy.replace("'wasm-unsafe-eval'", ''))],
  ['its script is blocked', (page) => replaceAsset(page, 'start.js', (route) => route.abort())],
  ['a script that it imports has the wrong type', (page) => replaceAsset(page, 'app.js', (route) => route.fulfill({ contentType: 'text/html', body: '<p>blocked' }))],
  ['its script throws', (page) => replaceAsset(page, 'app.js', (route) => route.fulfill({ contentType: 'text/javascript', body: 'throw new Error("broken");' }))],
  ['the browser knows no modules', (page, cluster) => rewriteDocument(page, cluster, (html) => html.replace('type="module"', 'type="a-type-of-tomorrow"'))],
  ['a proxy has removed the comments', (page, cluster) => rewriteDocument(page, cluster, (html) => html.replace(/<!--.*?-->|<!>/gs, ''))],
  ['an extension has put elements in', (page, cluster) => rewriteDocument(page, cluster, (html) => html.replace('<main>', '<div>Coupon!</div><main>'))],
];

test.describe('where the page does not start', () => {
  // Each failure logs its own error.
  test.use({ allowedOnConsole: /./ });

  for (const [why, cause] of failures) {
    test(`because ${why}, it says so and reloads every 30 s`, async ({ cluster, page }) => {
      await cluster.sendHeartbeat({ server: 'app-1' });
      await page.clock.install();
      await cause(page, cluster);
      await openPage(page, cluster.url, false);
      await expect(server(page, 'app-1')).toHaveCount(1);
      await expect(notice(page)).toBeHidden();
      await page.clock.runFor(12_000);
      await expect(notice(page)).toHaveRole('alert');
      // Where the document was changed, the script may fail at once, or start and find text that is not its own.
      await expect(notice(page)).toContainText(/Not live: (this page's script did not start or has stopped|something changed the text of this page)/, { useInnerText: true });
      await expect(notice(page)).toContainText('The page reloads every 30 s.', { useInnerText: true });
      await expect(notice(page)).not.toContainText('form', { useInnerText: true });
      await expect(page.getByTestId('connection')).not.toContainText('Polling', { useInnerText: true });
      await expect(page.getByTestId('connection')).toContainText('updated');
      await expect(page.locator('#connection-status .dot')).toBeHidden();
      await expect(page.getByRole('button', { name: 'Search' }), 'the form for browsers without scripts is visible').toBeVisible();
      await cluster.sendHeartbeat({ server: 'app-2' });
      await page.clock.runFor(22_000);
      await expect(server(page, 'app-2')).toHaveCount(1);
    });
  }

  test('plain links and forms work, and an open form is not emptied', async ({ cluster, page }) => {
    await cluster.sendHeartbeats([{ server: 'app-1' }, { server: 'app-2' }, { server: 'app-2', leaving: true }]);
    await page.clock.install();
    await replaceAsset(page, 'app_bg.wasm', (route) => route.fulfill({ status: 404 }));
    await openPage(page, `${cluster.url}?lang=de`, false);
    await page.getByRole('link', { name: 'Einstellungen ändern' }).click();
    await page.locator('#stale_timeout_s').fill('7 min');
    await page.clock.runFor(60_000);
    await expect(notice(page)).toContainText('Nicht live: Das Skript dieser Seite ist nicht gestartet', { useInnerText: true });
    await expect(notice(page)).toContainText('Die Seite lädt nicht neu, solange ein Formular offen ist.', { useInnerText: true });
    await expect(page.locator('#stale_timeout_s')).toHaveValue('7 min');
    await page.getByRole('button', { name: 'Speichern' }).click();
    await expect(page.getByTestId('done')).toContainText('Einstellungen gespeichert.');
    expect((await cluster.settings()).stale_timeout_s).toBe(420);
    await page.clock.runFor(35_000);
    await expect(page.getByTestId('done'), 'a result is shown once').toHaveCount(0);
  });

  test('it can still start later, and then hides the notice', async ({ cluster, page }) => {
    await cluster.sendHeartbeat({ server: 'app-1' });
    await page.clock.install();
    let arrive = () => {};
    const late = new Promise<void>((resolve) => { arrive = resolve; });
    await replaceAsset(page, 'app_bg.wasm', async (route) => {
      await late;
      await route.fallback();
    });
    await page.goto(cluster.url, { waitUntil: 'domcontentloaded' });
    await page.clock.runFor(12_000);
    await expect(notice(page)).toBeVisible();
    arrive();
    await waitForHydration(page);
    await expect(notice(page)).toBeHidden();
    await expect(page.getByTestId('connection')).toContainText(/Live|Polling/, { useInnerText: true });
    await expect(page.locator('#connection-status .dot')).toBeVisible();
    await expect(page).toHaveTitle(/^[^–]*in sync – /);
  });
});

test('a page in which a phone has turned digits into links starts, and has its own text again', async ({ cluster, page }) => {
  await cluster.sendHeartbeat({ server: 'app-1' });
  await rewriteDocument(page, cluster, (html) => html.replace(/<h1 id="verdict"[^>]*>/, '$&<a href="tel:2">2</a>'));
  await openPage(page, cluster.url);
  await expect(page.getByTestId('connection')).toContainText(/Live|Polling/);
  await expect(page.locator('#verdict')).toHaveText('The server is in sync');
  await expect(page.locator('#verdict a')).toHaveCount(0);
  await expect(notice(page)).toBeHidden();
});

test.describe('where the page stops', () => {
  test.use({ allowedOnConsole: /./ });

  test('while it renders an update, it says so and works again after a reload', async ({ cluster, page }) => {
    await cluster.sendHeartbeat({ server: 'app-1' });
    await openPage(page, cluster.url);
    // The exception unwinds through the page's code while it renders.
    await page.evaluate(() => {
      // @ts-expect-error it returns no timer
      globalThis.setTimeout = () => { throw new RangeError('Maximum call stack size exceeded'); };
    });
    await cluster.sendHeartbeat({ server: 'app-2', key: 'another key' });
    await expect(notice(page)).toBeVisible();
    await expect(notice(page)).toContainText('has stopped', { useInnerText: true });
    await expect(page).toHaveTitle(/^Not live – /);
    // The browser handles the links and forms of a page that has stopped.
    await page.getByRole('link', { name: 'Edit settings' }).click();
    await waitForHydration(page);
    await expect(page.getByLabel('Stale timeout')).toBeVisible();
    await expect(notice(page)).toBeHidden();
    await expect(server(page, 'app-2')).toHaveCount(1);
  });

  test('without an error, it says so and reloads', async ({ cluster, page }) => {
    await cluster.sendHeartbeat({ server: 'app-1' });
    await openPage(page, cluster.url);
    await page.evaluate(() => {
      (window as unknown as { old: boolean }).old = true;
      document.documentElement.setAttribute = () => {};
    });
    await expect(notice(page)).toBeVisible({ timeout: 15_000 });
    await expect(notice(page)).toContainText('has stopped', { useInnerText: true });
    await expect.poll(() => page.evaluate(() => 'old' in window).catch(() => true), { timeout: 40_000 }).toBe(false);
    await waitForHydration(page);
    await expect(notice(page)).toBeHidden();
  });
});
