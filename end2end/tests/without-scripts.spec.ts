// What does the page show without JavaScript?

import { digits, expect, openPage, test } from './cluster';

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('everything can be read', async ({ cluster, page }) => {
    cluster.agent('web-1', 'service');
    cluster.agent('web-2', 'service', { key: 'another key' });
    await expect.poll(async () => (await cluster.overview()).counts.servers).toBe(2);
    await page.goto(cluster.url);
    await expect(page.getByTestId('verdict')).toHaveText('1 of 2 servers needs attention');
    await expect(page.getByText('Service Decryption failure')).toBeVisible();
    await expect(page.locator('[data-hint="key-mismatch"] li').first()).toBeVisible();
    await expect(page.getByRole('button', { name: 'Pause' })).toBeHidden();
  });

  test('the page reloads every 30 s, but not while a form is open', async ({ cluster, page }) => {
    await cluster.sendHeartbeats([{ server: 'web-1' }, { server: 'web-2' }, { server: 'web-3', key: 'another key' }]);
    const refresh = page.locator('meta[http-equiv="refresh"]');
    await openPage(page, `${cluster.url}?sort=-name&q=web&server=web-1`, false);
    await expect(refresh).toHaveAttribute('content', '30; url=?sort=-name&q=web&server=web-1');
    for (const query of ['configure', 'remove=web-1', `accept=${digits('another key')}`]) {
      await openPage(page, `${cluster.url}?${query}`, false);
      await expect(refresh).toHaveCount(0);
    }
    await openPage(page, `${cluster.url}?done=saved`, false);
    await expect(refresh, 'a result is shown once').toHaveAttribute('content', '30; url=?');
  });

  test('nothing is offered that needs scripts', async ({ cluster, page }) => {
    await cluster.sendHeartbeat({ server: 'web-1' });
    await openPage(page, cluster.url, false);
    for (const id of ['pause', 'theme']) await expect(page.locator(`#${id}`)).toBeHidden();
    await expect(page.getByRole('button', { name: 'Search' })).toBeVisible();
    await expect(page.getByTestId('connection'), 'a page that does not poll does not say so').not.toContainText('Polling', { useInnerText: true });
  });
});
