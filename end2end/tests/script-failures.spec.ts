// The page whose own half in the browser does not start, or dies: it says so, and reloads as without scripts.

import { Page, Route } from '@playwright/test';
import { Cluster, expect, hydrated, open, server, test } from './cluster';

const notice = (page: Page) => page.locator('#not-live');

/** Answers requests for a file of the page, retries too, in another way. */
const spoil = (page: Page, file: string, how: (route: Route) => Promise<void>) =>
  page.route(new RegExp(`/assets/\\w+/${file.replace('.', '\\.')}`), how);

/** Changes the document on its way, as a proxy or a browser does before the page starts. */
const rewrite = (page: Page, cluster: Cluster, change: (html: string) => string, headers: (policy: string) => string = (policy) => policy) =>
  page.route((url) => url.pathname === new URL(cluster.url).pathname, async (route) => {
    if (route.request().resourceType() !== 'document') return route.fallback();
    const response = await route.fetch();
    const policy = headers(response.headers()['content-security-policy']);
    await route.fulfill({ response, body: change(await response.text()), headers: { ...response.headers(), 'content-security-policy': policy } });
  });

const ways: [string, (page: Page, cluster: Cluster) => Promise<unknown>][] = [
  ['the browser has no WebAssembly', (page) => page.addInitScript(() => { delete (globalThis as { WebAssembly?: unknown }).WebAssembly; })],
  ['the wasm is not found', (page) => spoil(page, 'app_bg.wasm', (route) => route.fulfill({ status: 404 }))],
  ['the wasm comes as a page of a proxy', (page) => spoil(page, 'app_bg.wasm', (route) => route.fulfill({ contentType: 'text/html', body: '<p>blocked' }))],
  ['the wasm is cut short', (page) => spoil(page, 'app_bg.wasm', async (route) => {
    // A reload takes a request back that is under way.
    const response = await route.fetch().catch(() => undefined);
    if (response) await route.fulfill({ response, body: (await response.body()).subarray(0, 100_000) });
  })],
  ['the content policy refuses wasm', (page, cluster) => rewrite(page, cluster, (html) => html, (policy) => policy.replace("'wasm-unsafe-eval'", ''))],
  ['its script is blocked', (page) => spoil(page, 'start.js', (route) => route.abort())],
  ['a script that it imports has the wrong type', (page) => spoil(page, 'app.js', (route) => route.fulfill({ contentType: 'text/html', body: '<p>blocked' }))],
  ['its script throws', (page) => spoil(page, 'app.js', (route) => route.fulfill({ contentType: 'text/javascript', body: 'throw new Error("broken");' }))],
  ['the browser knows no modules', (page, cluster) => rewrite(page, cluster, (html) => html.replace('type="module"', 'type="a-type-of-tomorrow"'))],
  ['a proxy has removed the comments', (page, cluster) => rewrite(page, cluster, (html) => html.replace(/<!--.*?-->|<!>/gs, ''))],
  ['a phone has turned digits into links', (page, cluster) =>
    rewrite(page, cluster, (html) => html.replace(/<h1 id="verdict"[^>]*>/, '$&<a href="tel:2">2</a>'))],
  ['an extension has put elements in', (page, cluster) => rewrite(page, cluster, (html) => html.replace('<main>', '<div>Coupon!</div><main>'))],
];

test.describe('where the page does not start', () => {
  // Each of them leaves its own trace.
  test.use({ forgiven: /./ });

  for (const [why, make] of ways) {
    test(`because ${why}, it says so and reloads every 30 s`, async ({ cluster, page }) => {
      await cluster.beat({ server: 'app-1' });
      await page.clock.install();
      await make(page, cluster);
      await open(page, cluster.url, false);
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
      await expect(page.getByRole('button', { name: 'Search' }), 'what works without scripts is offered').toBeVisible();
      await cluster.beat({ server: 'app-2' });
      await page.clock.runFor(22_000);
      await expect(server(page, 'app-2')).toHaveCount(1);
    });
  }

  test('everything is done by plain links and forms, and a form that is open is not emptied', async ({ cluster, page }) => {
    await cluster.beats([{ server: 'app-1' }, { server: 'app-2' }, { server: 'app-2', leaving: true }]);
    await page.clock.install();
    await spoil(page, 'app_bg.wasm', (route) => route.fulfill({ status: 404 }));
    await open(page, `${cluster.url}?lang=de`, false);
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
    await expect(page.getByTestId('done'), 'what was done is not said again').toHaveCount(0);
  });

  test('it starts late all the same, and takes back what it said', async ({ cluster, page }) => {
    await cluster.beat({ server: 'app-1' });
    await page.clock.install();
    let arrive = () => {};
    const late = new Promise<void>((resolve) => { arrive = resolve; });
    await spoil(page, 'app_bg.wasm', async (route) => {
      await late;
      await route.fallback();
    });
    await page.goto(cluster.url, { waitUntil: 'domcontentloaded' });
    await page.clock.runFor(12_000);
    await expect(notice(page)).toBeVisible();
    arrive();
    await hydrated(page);
    await expect(notice(page)).toBeHidden();
    await expect(page.getByTestId('connection')).toContainText(/Live|Polling/, { useInnerText: true });
    await expect(page.locator('#connection-status .dot')).toBeVisible();
    await expect(page).toHaveTitle(/^[^–]*in sync – /);
  });
});

test.describe('where the page dies', () => {
  test.use({ forgiven: /./ });

  test('while it shows something new, it says so and comes back alive', async ({ cluster, page }) => {
    await cluster.beat({ server: 'app-1' });
    await open(page, cluster.url);
    // What the page calls throws through the middle of it.
    await page.evaluate(() => {
      // @ts-expect-error it returns nothing
      globalThis.setTimeout = () => { throw new RangeError('Maximum call stack size exceeded'); };
    });
    await cluster.beat({ server: 'app-2', key: 'another key' });
    await expect(notice(page)).toBeVisible();
    await expect(notice(page)).toContainText('has stopped', { useInnerText: true });
    await expect(page).toHaveTitle(/^Not live – /);
    // A dead page leaves its links and forms to the browser.
    await page.getByRole('link', { name: 'Edit settings' }).click();
    await hydrated(page);
    await expect(page.getByLabel('Stale timeout')).toBeVisible();
    await expect(notice(page)).toBeHidden();
    await expect(server(page, 'app-2')).toHaveCount(1);
  });

  test('without a trace, it says so and reloads', async ({ cluster, page }) => {
    await cluster.beat({ server: 'app-1' });
    await open(page, cluster.url);
    await page.evaluate(() => {
      (window as unknown as { old: boolean }).old = true;
      document.documentElement.setAttribute = () => {};
    });
    await expect(notice(page)).toBeVisible({ timeout: 15_000 });
    await expect(notice(page)).toContainText('has stopped', { useInnerText: true });
    await expect.poll(() => page.evaluate(() => 'old' in window).catch(() => true), { timeout: 40_000 }).toBe(false);
    await hydrated(page);
    await expect(notice(page)).toBeHidden();
  });
});
