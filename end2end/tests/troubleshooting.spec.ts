// From a red cell to its cure and back; many hints of one kind; folds.

import { ask, expect, hint, hydrated, open, quick, server, test, why } from './cluster';

const wrong = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ server: `bad-${n + 1}`, key: 'another key' }));
const right = ['app-1', 'app-2'].map((server) => ({ server }));

for (const scripts of [true, false]) {
  test.describe(scripts ? 'with scripts' : 'without scripts', () => {
    test.use({ javaScriptEnabled: scripts });

    test('why leads to the hint, and the hint leads back to its row', async ({ cluster, page }) => {
      await page.setViewportSize({ width: 1200, height: 300 });
      await cluster.beats([...right, ...wrong(1)]);
      await open(page, cluster.url, scripts);
      await why(page, 'bad-1', 'service', 'Encryption key').click();
      await expect(page).toHaveURL(/#hint-key-mismatch-bad-1$/);
      await expect(hint(page, 'key-mismatch-bad-1').getByRole('heading')).toBeInViewport();
      await hint(page, 'key-mismatch-bad-1').getByRole('link', { name: 'Show bad-1' }).click();
      await expect(page).toHaveURL(/#server-bad-1$/);
      await expect(server(page, 'bad-1')).toBeInViewport();
    });

    test('a hint leads to its row though a filter leaves it out', async ({ cluster, page }) => {
      await cluster.beats([...right, ...wrong(1)]);
      await open(page, `${cluster.url}?state=ok`, scripts);
      await expect(server(page, 'bad-1')).toHaveCount(0);
      await hint(page, 'key-mismatch-bad-1').getByRole('link', { name: 'Show bad-1' }).click();
      await expect(page).toHaveURL(/q=bad-1#server-bad-1$/);
      await expect(server(page, 'bad-1')).toBeInViewport();
      await expect(page.getByRole('searchbox')).toHaveValue('bad-1');
      await page.goBack();
      await expect(server(page, 'bad-1'), 'one step leads back').toHaveCount(0);
      await expect(server(page, 'app-1')).toHaveCount(1);
    });
  });
}

test('five of one kind stand open; more are folded under a heading that counts them', async ({ cluster, page }) => {
  await cluster.configure(quick);
  await cluster.keepBeating([...right, ...wrong(5)]);
  await open(page, cluster.url);
  await expect(page.locator('[data-hint="key-mismatch"]')).toHaveCount(5);
  await expect(page.locator('details')).toHaveCount(0);
  await cluster.beat({ server: 'bad-6', key: 'another key' });
  const fold = page.locator('details[data-group="key-mismatch"]');
  await expect(fold.locator('summary')).toContainText('6 servers use a different encryption key');
  await expect(page.locator('[data-hint="key-mismatch"]')).toHaveCount(6);
  await expect(hint(page, 'key-mismatch-bad-6')).toBeHidden();
  await expect(page.locator('#troubleshooting-head')).toContainText(/[67] hints/);
});

test('a fold opens for whoever is led into it, also after a reload, and stays open when another joins', async ({ cluster, page }) => {
  await cluster.configure(quick);
  await cluster.keepBeating([...right, ...wrong(6)]);
  await open(page, cluster.url);
  const fold = page.locator('details[data-group="key-mismatch"]');
  await expect(hint(page, 'key-mismatch-bad-4')).toBeHidden();
  await why(page, 'bad-4', 'service', 'Encryption key').click();
  await expect(hint(page, 'key-mismatch-bad-4').getByRole('heading')).toBeInViewport();
  await page.reload();
  await hydrated(page);
  await expect(hint(page, 'key-mismatch-bad-4').getByRole('heading')).toBeInViewport();
  await expect(fold).toHaveAttribute('open', '');
  await cluster.beat({ server: 'bad-7', key: 'another key' });
  await expect(fold.locator('summary')).toContainText('7 servers use a different encryption key');
  await expect(fold).toHaveAttribute('open', '');
  await expect(hint(page, 'key-mismatch-bad-4')).toBeVisible();
  await ask(new URL('api/v1/servers/bad-7?force=true', cluster.url), { method: 'DELETE' });
  await expect(fold.locator('summary')).toContainText('6 servers use a different encryption key');
  await expect(fold).toHaveAttribute('open', '');
});

test('when all fall silent together the overview is suspected first and the silent ones are folded', async ({ cluster, page }) => {
  await cluster.configure(quick);
  const stop = await cluster.keepBeating(['app-1', 'app-2', 'app-3'].map((server) => ({ server })));
  await open(page, cluster.url);
  await expect(page.getByTestId('verdict')).toHaveText('All 3 servers are in sync');
  await stop();
  const everyone = page.locator('[data-hint="everyone-silent"]');
  await expect(everyone).toContainText('3 of 3 services stopped reporting at the same time', { timeout: 15_000 });
  await expect(everyone).toContainText('Check the overview first');
  await expect(everyone).toContainText('Do not let a container platform restart the servers');
  const fold = page.locator('details[data-group="service-stale"]');
  await expect(fold.locator('summary')).toContainText('3 services do not respond');
  await expect(page.locator('[data-hint="service-stale"]').first()).toBeHidden();
  await expect(page.locator('.hints article, .hints details').first(), 'it stands first').toHaveAttribute('data-hint', 'everyone-silent');
  await why(page, 'app-2', 'service', 'Heartbeat').click();
  await expect(page.locator('[data-hint="service-stale"]').filter({ hasText: 'app-2' })).toBeVisible();
  await cluster.keepBeating(['app-1', 'app-2', 'app-3'].map((server) => ({ server })));
  await expect(page.locator('[data-hint]')).toHaveCount(0);
  await expect(page.locator('details')).toHaveCount(0);
  await expect(page.getByText('No problems found.')).toBeVisible();
});

test('the most urgent stands first, and each vanishes by itself', async ({ cluster, page }) => {
  await cluster.configure({ ...quick, heartbeat_interval_s: 2, stale_timeout_s: 60 });
  await cluster.beats(right);
  await cluster.beats([{ server: 'bad-1', key: 'another key' }, { server: 'old-1', version: '2026.1.9' }]);
  await cluster.configure({ ...quick, heartbeat_interval_s: 30, stale_timeout_s: 60 });
  await open(page, cluster.url);
  const ids = () => page.locator('[data-hint]').evaluateAll((hints) => hints.map((hint) => hint.getAttribute('data-hint')));
  await expect.poll(ids).toEqual(['key-mismatch', 'version-skew', 'timers-tight']);
  await expect(page.locator('#troubleshooting-head')).toContainText('3 hints');
  await cluster.beat({ server: 'bad-1', boot_id: '0b0e8a6e-3c0a-4d5e-9f7e-3d1b9f0c2a11' });
  await expect.poll(ids, { timeout: 10_000 }).toEqual(['version-skew', 'timers-tight']);
  await page.locator('[data-hint="timers-tight"]').getByRole('link', { name: 'Edit settings' }).click();
  await page.getByLabel('Stale timeout').fill('90 s');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect.poll(ids).toEqual(['version-skew']);
  await expect(page.locator('#troubleshooting-head')).toContainText('1 hint');
});
