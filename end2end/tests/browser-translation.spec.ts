// Does the page ask browsers not to change its text, and notice if one does?

import { Page } from '@playwright/test';
import { expect, openPage, test, waitForHydration } from './cluster';

/** Replaces every text, as a browser's translation does. */
const translate = (page: Page, part: string) =>
  page.locator(part).evaluate((root) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const texts: Text[] = [];
    while (walker.nextNode()) texts.push(walker.currentNode as Text);
    for (const text of texts.filter(({ data }) => data.trim() !== '')) {
      const outer = document.createElement('font');
      outer.append(document.createElement('font'));
      outer.firstElementChild!.textContent = `[${text.data}]`;
      text.replaceWith(outer);
    }
  });

const expectTextProtection = async (page: Page, address: string) => {
  const response = await page.goto(address);
  expect(response!.headers()['cache-control']).toBe('no-store, no-transform');
  const root = page.locator('html');
  await expect(root).toHaveAttribute('translate', 'no');
  await expect(root).toHaveClass(/(^| )notranslate( |$)/);
  await expect(page.locator('meta[name="google"]')).toHaveAttribute('content', 'notranslate');
  await expect(page.locator('meta[name="format-detection"]')).toHaveAttribute('content', /telephone=no/);
};

for (const address of ['', 'access', 'audit']) {
  test(`/${address} asks browsers and proxies not to change its text`, async ({ cluster, page }) => {
    await expectTextProtection(page, `${cluster.url}${address}`);
  });
}

test.describe('where people sign in', () => {
  test.use({ auth: 'password' });

  test('the sign-in page asks browsers and proxies not to change its text', async ({ cluster, page }) => {
    await expectTextProtection(page, `${cluster.url}sign-in`);
  });
});

test('after a translation the page says so and reloads', async ({ cluster, page }) => {
  await cluster.sendHeartbeat({ server: 'app-1' });
  await openPage(page, cluster.url);
  await translate(page, 'main');
  const notice = page.locator('#not-live');
  await expect(notice).toBeVisible();
  await expect(notice).toContainText('something changed the text of this page, for example a translation', { useInnerText: true });
  await expect(notice).toContainText('The page reloads every 30 s.', { useInnerText: true });
  await expect(page).toHaveTitle(/^Not live – /);
  await page.evaluate(() => { (window as unknown as { old: boolean }).old = true; });
  await expect.poll(() => page.evaluate(() => 'old' in window).catch(() => true), { timeout: 40_000 }).toBe(false);
  await waitForHydration(page);
  await expect(notice).toBeHidden();
});

test('a headline whose text something replaced is right again as soon as it changes', async ({ cluster, page }) => {
  await cluster.sendHeartbeat({ server: 'app-1' });
  await openPage(page, cluster.url);
  await page.locator('#verdict').evaluate((headline) => { headline.replaceChildren(document.createTextNode(headline.textContent!)); });
  await cluster.sendHeartbeat({ server: 'app-2', key: 'another key' });
  await expect(page.locator('#verdict')).toHaveText(/needs attention/);
  await expect(page.locator('#not-live')).toBeHidden();
});
