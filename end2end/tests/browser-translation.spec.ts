// The page in a browser that would rather change its text: asked not to, and found out where it does.

import { Page } from '@playwright/test';
import { expect, hydrated, open, test } from './cluster';

/** Puts other words in the place of every text, as a translator does. */
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

const isAsked = async (page: Page, address: string) => {
  const response = await page.goto(address);
  expect(response!.headers()['cache-control']).toBe('no-store, no-transform');
  const root = page.locator('html');
  await expect(root).toHaveAttribute('translate', 'no');
  await expect(root).toHaveClass(/(^| )notranslate( |$)/);
  await expect(page.locator('meta[name="google"]')).toHaveAttribute('content', 'notranslate');
  await expect(page.locator('meta[name="format-detection"]')).toHaveAttribute('content', /telephone=no/);
};

for (const address of ['', 'access', 'audit']) {
  test(`browsers and proxies are asked to change nothing of /${address}`, async ({ cluster, page }) => {
    await isAsked(page, `${cluster.url}${address}`);
  });
}

test.describe('where people sign in', () => {
  test.use({ auth: 'password' });

  test('browsers and proxies are asked to change nothing of it', async ({ cluster, page }) => {
    await isAsked(page, `${cluster.url}sign-in`);
  });
});

for (const part of ['main', '#connection-status']) {
  test(`a page whose text in ${part} is no longer its own says so and reloads`, async ({ cluster, page }) => {
    await cluster.beat({ server: 'app-1' });
    await open(page, cluster.url);
    await translate(page, part);
    const notice = page.locator('#not-live');
    await expect(notice).toBeVisible();
    await expect(notice).toContainText('something changed the text of this page, for example a translation', { useInnerText: true });
    await expect(notice).toContainText('The page reloads every 30 s.', { useInnerText: true });
    await expect(page).toHaveTitle(/^Not live – /);
    await page.evaluate(() => { (window as unknown as { old: boolean }).old = true; });
    await expect.poll(() => page.evaluate(() => 'old' in window).catch(() => true), { timeout: 40_000 }).toBe(false);
    await hydrated(page);
    await expect(notice).toBeHidden();
  });
}

test('text that was put in the place of the headline without a trace is found out when the headline changes', async ({ cluster, page }) => {
  await cluster.beat({ server: 'app-1' });
  await open(page, cluster.url);
  await page.locator('#verdict').evaluate((headline) => { headline.replaceChildren(document.createTextNode(headline.textContent!)); });
  await cluster.beat({ server: 'app-2', key: 'another key' });
  await expect(page.locator('#not-live')).toBeVisible();
  await expect(page.locator('#not-live')).toContainText('something changed the text of this page', { useInnerText: true });
});
