// What can be read without JavaScript.

import { digits, expect, open, test } from './cluster';

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('everything can be read', async ({ cluster, page }) => {
    cluster.agent('web-1', 'service');
    cluster.agent('web-2', 'service', { key: 'another key' });
    await expect.poll(async () => (await cluster.overview()).counts.servers).toBe(2);
    await page.goto(cluster.url);
    await expect(page.getByTestId('verdict')).toHaveText('1 of 2 servers needs attention');
    await expect(page.getByText('Decryption failure')).toBeVisible();
    await expect(page.locator('[data-hint="key-mismatch"] li').first()).toBeVisible();
    await expect(page.getByRole('button', { name: 'Pause' })).toBeHidden();
  });

  test('the page asks for itself again every 30 s, but not while somebody fills in a form', async ({ cluster, page }) => {
    await cluster.beats([{ server: 'web-1' }, { server: 'web-2' }, { server: 'web-3', key: 'another key' }]);
    const refresh = page.locator('meta[http-equiv="refresh"]');
    await open(page, `${cluster.url}?sort=-name&q=web&server=web-1`, false);
    await expect(refresh).toHaveAttribute('content', '30; url=?sort=-name&q=web&server=web-1');
    for (const asks of ['configure', 'remove=web-1', `accept=${digits('another key')}`]) {
      await open(page, `${cluster.url}?${asks}`, false);
      await expect(refresh).toHaveCount(0);
    }
    await open(page, `${cluster.url}?done=saved`, false);
    await expect(refresh, 'what was done is not said again').toHaveAttribute('content', '30; url=?');
  });

  test('nothing is offered that needs scripts', async ({ cluster, page }) => {
    await cluster.beat({ server: 'web-1' });
    await open(page, cluster.url, false);
    for (const id of ['pause', 'theme']) await expect(page.locator(`#${id}`)).toBeHidden();
    await expect(page.getByRole('button', { name: 'Search' })).toBeVisible();
    await expect(page.getByTestId('connection'), 'a page that does not poll does not say so').not.toContainText('Polling', { useInnerText: true });
  });
});
