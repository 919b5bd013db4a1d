// The page for everybody: by keyboard alone, by a screen reader, in either theme, narrow and wide.

import AxeBuilder from '@axe-core/playwright';
import { Page } from '@playwright/test';
import { Cluster, digits, expect, focused, hint, hydrated, line, open, quick, server, shown, sideways, test, why } from './cluster';

/** No rule is broken, and nothing scrolls sideways: light and dark, narrow and wide. */
const noBarrier = async (page: Page) => {
  for (const width of [360, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    expect(await sideways(page), `nothing scrolls sideways at ${width} px`).toBeLessThanOrEqual(0);
    for (const colorScheme of ['light', 'dark'] as const) {
      // No fade between the two themes is under way while colours are looked at.
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      // All rules once a width; what else the dark theme could break is colours.
      const axe = new AxeBuilder({ page }).options({ resultTypes: ['violations'] });
      const rules = ['color-contrast', 'link-in-text-block'];
      const found = await (colorScheme === 'dark' ? axe.withRules(rules) : axe.withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'])).analyze();
      expect(
        found.violations.map((broken) => [broken.id, broken.nodes.map((node) => [node.html, node.failureSummary])]),
        `${colorScheme}, ${width} px`,
      ).toEqual([]);
    }
  }
};

/** Two well, one with a wrong key, one behind, one stopped, a web component with a machine key. */
const trouble = async (cluster: Cluster) => {
  await cluster.beats([{ server: 'app-1' }, { server: 'app-2' }, { server: 'app-2', role: 'web', machineKey: 'm' }]);
  await cluster.beats([{ server: 'bad-1', key: 'another key' }, { server: 'old-1', version: '2026.1.9', key: null }]);
  await cluster.beats([{ server: 'off-1' }, { server: 'off-1', leaving: true }]);
};

test.describe('no barrier is found', () => {
  test('on an empty cluster', async ({ cluster, page }) => {
    await open(page, cluster.url);
    await expect(page.getByText('On each server of the product')).toBeVisible();
    await noBarrier(page);
  });

  test('on a healthy one, and filtered to nothing', async ({ cluster, page }) => {
    await cluster.beats([{ server: 'app-1' }, { server: 'app-1', role: 'web' }, { server: 'app-2' }]);
    await open(page, cluster.url);
    await noBarrier(page);
    await open(page, `${cluster.url}?q=zulu&state=error`);
    await expect(page.getByText('No server with the status Error contains “zulu”')).toBeVisible();
    await noBarrier(page);
  });

  test('in trouble, with and without a fold', async ({ cluster, page }) => {
    await trouble(cluster);
    await open(page, cluster.url);
    await noBarrier(page);
    await cluster.beats(Array.from({ length: 6 }, (_, n) => ({ server: `bad-${n + 2}`, key: 'another key' })));
    await page.reload();
    await hydrated(page);
    await why(page, 'bad-3', 'service', 'Encryption key').click();
    await expect(hint(page, 'key-mismatch-bad-3')).toBeVisible();
    await noBarrier(page);
  });

  test('with a service late and stale', async ({ cluster, page }) => {
    await cluster.configure(quick);
    await cluster.keepBeating([{ server: 'app-2' }]);
    await cluster.beat({ server: 'app-1' });
    await open(page, cluster.url);
    await expect(line(page, 'app-1', 'service')).toHaveAttribute('data-pulse', 'stale', { timeout: 10_000 });
    await noBarrier(page);
  });

  test('beside the details of a server', async ({ cluster, page }) => {
    await trouble(cluster);
    await open(page, `${cluster.url}?server=app-2`);
    await noBarrier(page);
  });

  test('in the form, with errors, warnings and effects', async ({ cluster, page }) => {
    await trouble(cluster);
    await open(page, `${cluster.url}?configure`);
    await page.getByLabel('Stale timeout').fill('soon');
    await page.getByLabel('Heartbeat interval').fill('1');
    await noBarrier(page);
    await page.getByLabel('Stale timeout').fill('2 s');
    await page.getByLabel('Load balancing').check();
    await expect(page.getByTestId('effects')).toContainText('After saving');
    await noBarrier(page);
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByTestId('done')).toBeVisible();
    await noBarrier(page);
  });

  test('in the questions about a removal and a key', async ({ cluster, page }) => {
    await trouble(cluster);
    await open(page, `${cluster.url}?remove=app-1&again`);
    await expect(page.getByRole('dialog')).toContainText('Remove it anyway?');
    await noBarrier(page);
    await open(page, `${cluster.url}?accept=${digits('another key')}`);
    await expect(page.getByRole('dialog')).toContainText('will show a decryption failure');
    await noBarrier(page);
  });

  test('while blind and while paused', async ({ cluster, page }) => {
    await cluster.configure(quick);
    await trouble(cluster);
    await open(page, cluster.url);
    await cluster.lockDatabase();
    await expect(page.getByTestId('verdict')).toContainText('No live data', { timeout: 15_000 });
    await page.getByRole('button', { name: 'Pause' }).click();
    await noBarrier(page);
  });
});

test('the keyboard stays on a row that moves and on its ways out', async ({ cluster, page }) => {
  await cluster.configure(quick);
  await cluster.keepBeating([{ server: 'app-1' }, { server: 'app-2' }]);
  const stop = await cluster.keepBeating([{ server: 'app-9' }]);
  await open(page, cluster.url);
  await page.locator('#open-server-app-9').focus();
  await stop();
  await expect.poll(() => shown(page), { timeout: 10_000 }).toEqual(['app-9', 'app-1', 'app-2']);
  await expect.poll(() => focused(page)).toBe('open-server-app-9');
  const reason = why(page, 'app-9', 'service', 'Heartbeat');
  await reason.focus();
  await expect(line(page, 'app-9', 'service')).toHaveAttribute('data-pulse', 'stale', { timeout: 10_000 });
  await expect(reason).toBeFocused();
  await cluster.beat({ server: 'app-9' });
  await expect(reason).toHaveCount(0);
  await expect.poll(() => focused(page), 'what is gone gives it to its heading').toBe('servers');
});

test('the keyboard stays on a hint that is said anew, and comes to the heading when it goes', async ({ cluster, page }) => {
  await cluster.configure(quick);
  await cluster.keepBeating([{ server: 'app-1' }, { server: 'app-2' }]);
  const stop = await cluster.keepBeating([{ server: 'bad-1', key: 'another key' }]);
  await open(page, cluster.url);
  await page.locator('#show-hint-key-mismatch-bad-1').focus();
  await cluster.beat({ server: 'app-3' });
  await expect(hint(page, 'key-mismatch-bad-1')).toContainText('3 servers share key');
  await expect.poll(() => focused(page)).toBe('show-hint-key-mismatch-bad-1');
  await stop();
  await cluster.keepBeating([{ server: 'bad-1' }]);
  await expect(hint(page, 'key-mismatch-bad-1')).toHaveCount(0);
  await expect.poll(() => focused(page)).toBe('troubleshooting-head');
});

test('what has the keyboard never becomes something else under it', async ({ cluster, page }) => {
  await cluster.configure({ ...quick, heartbeat_interval_s: 2, stale_timeout_s: 300 });
  await cluster.beats([{ server: 'app-1' }, { server: 'app-2' }]);
  await cluster.beat({ server: 'old-1', version: '2026.1.9' });
  await open(page, cluster.url);
  await page.locator('#filter-ok').focus();
  await cluster.beat({ server: 'bad-1', key: 'another key' });
  await expect(page.locator('#filter-error')).toBeVisible();
  await expect.poll(() => focused(page), 'a filter that comes before another').toBe('filter-ok');
  const reason = why(page, 'old-1', 'service', 'Version');
  await reason.focus();
  await cluster.beat({ server: 'old-1', role: 'web', version: '2026.1.9' });
  await expect(line(page, 'old-1', 'web')).toBeVisible();
  await expect(reason, 'a component that comes before another').toBeFocused();
  await server(page, 'app-1').getByRole('link').first().click();
  await page.getByRole('link', { name: 'Remove service' }).focus();
  await cluster.beat({ server: 'app-1', role: 'web' });
  await expect(page.getByRole('link', { name: 'Remove web component' })).toBeVisible();
  await expect(page.getByRole('link', { name: 'Remove service' }), 'nobody removes what they did not mean').toBeFocused();
});

test('one polite voice speaks when the verdict changes or something was done, and only then', async ({ cluster, page }) => {
  await cluster.configure(quick);
  await cluster.keepBeating([{ server: 'app-1' }, { server: 'app-2' }]);
  await open(page, cluster.url);
  await expect(page.locator('[role="status"], [role="alert"], [aria-live]')).toHaveCount(1);
  await expect(page.getByRole('status')).toHaveText('');
  await page.evaluate(() => {
    const said: string[] = [];
    (window as unknown as { said: string[] }).said = said;
    const voice = document.querySelector('.visually-hidden');
    new MutationObserver(() => said.push(voice?.textContent ?? '')).observe(voice as Node, {
      characterData: true, childList: true, subtree: true,
    });
  });
  const said = () => page.evaluate(() => (window as unknown as { said: string[] }).said);
  const asOf = await page.getByTestId('connection').textContent();
  for (let times = 0, before = asOf; times < 4; times += 1) {
    await expect(page.getByTestId('connection')).not.toHaveText(before ?? '');
    before = await page.getByTestId('connection').textContent();
  }
  expect(await said(), 'times alone are not spoken').toEqual([]);
  await cluster.beat({ server: 'bad-1', key: 'another key' });
  await expect.poll(said).toEqual(['1 of 3 servers needs attention']);
  await page.getByRole('link', { name: 'Edit settings' }).click();
  await page.getByLabel('Load balancing').check();
  await page.getByRole('button', { name: 'Save' }).click();
  await expect.poll(async () => (await said()).slice(1)).toEqual([
    'Settings saved. Each server receives them with the answer to its next heartbeat.',
  ]);
});

test('a verdict that turns again and again is spoken at most every 30 s, the last one in the end', async ({ cluster, page }) => {
  test.setTimeout(120_000);
  await cluster.configure(quick);
  await cluster.keepBeating([{ server: 'app-1' }]);
  await cluster.beat({ server: 'app-2' });
  await open(page, cluster.url);
  await page.evaluate(() => {
    const said: string[] = [];
    (window as unknown as { said: string[] }).said = said;
    const voice = document.querySelector('.visually-hidden');
    new MutationObserver(() => said.push(voice?.textContent ?? '')).observe(voice as Node, {
      characterData: true, childList: true, subtree: true,
    });
  });
  const said = () => page.evaluate(() => (window as unknown as { said: string[] }).said);
  const verdict = page.getByTestId('verdict');
  for (let begun = Date.now(), turn = 0; Date.now() - begun < 25_000; turn += 1) {
    await cluster.beat({ server: 'app-2', key: turn % 2 === 0 ? 'another key' : undefined });
    await expect(verdict).toHaveText(turn % 2 === 0 ? '1 of 2 servers needs attention' : 'All 2 servers are in sync');
  }
  expect(await said()).toEqual(['1 of 2 servers needs attention']);
  await cluster.keepBeating([{ server: 'app-2' }]);
  await expect.poll(said, { timeout: 35_000 }).toEqual(['1 of 2 servers needs attention', 'All 2 servers are in sync']);
});

test('everything can be done by the keyboard alone', async ({ cluster, page }) => {
  await cluster.beats([{ server: 'app-1' }, { server: 'app-2' }]);
  await open(page, cluster.url);
  const tabTo = async (id: string) => {
    for (let presses = 0; presses < 40; presses += 1) {
      await page.keyboard.press('Tab');
      if ((await focused(page)) === id) return;
    }
    throw new Error(`40 presses of Tab do not lead to ${id}`);
  };
  await tabTo('configure');
  await page.keyboard.press('Enter');
  await expect.poll(() => focused(page)).toBe('load_balancing');
  await tabTo('stale_timeout_s');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('8 min');
  await tabTo('save');
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('done')).toContainText('Settings saved.');
  await expect.poll(() => focused(page)).toBe('configure');
  expect((await cluster.settings()).stale_timeout_s).toBe(480);

  await tabTo('open-server-app-2');
  await page.keyboard.press('Enter');
  await expect.poll(() => focused(page)).toBe('panel-title');
  await tabTo('close');
  await page.keyboard.press('Enter');
  await expect.poll(() => focused(page)).toBe('open-server-app-2');

  await page.keyboard.press('Enter');
  await expect.poll(() => focused(page)).toBe('panel-title');
  await tabTo('open-remove=app-2');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog', { name: 'Remove app-2?' })).toBeVisible();
  await tabTo('confirm');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toContainText('Remove it anyway?');
  await tabTo('confirm');
  await page.keyboard.press('Enter');
  await expect(server(page, 'app-2')).toHaveCount(0);
  await expect.poll(() => focused(page), 'its row is gone: the heading has it').toBe('servers');
});

test('a question asked from a hint gives the keyboard back to the hint', async ({ cluster, page }) => {
  await cluster.beats([{ server: 'app-1' }, { server: 'app-2' }, { server: 'bad-1', key: 'another key' }]);
  await open(page, cluster.url);
  await page.locator('#action-hint-key-mismatch-bad-1').focus();
  await page.keyboard.press('Enter');
  await expect.poll(() => focused(page)).toBe('panel-title');
  await page.keyboard.press('Escape');
  await expect.poll(() => focused(page)).toBe('action-hint-key-mismatch-bad-1');
  await page.keyboard.press('Enter');
  await expect.poll(() => focused(page)).toBe('panel-title');
  await page.locator('#confirm').press('Enter');
  await expect(page.getByTestId('done')).toContainText("now the cluster's key");
  await expect.poll(() => focused(page), 'its hint is gone: never nowhere').not.toBe('BODY');
});

test('a chosen theme is remembered', async ({ cluster, page }) => {
  await page.emulateMedia({ colorScheme: 'light' });
  await open(page, cluster.url);
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  const theme = page.locator('#theme');
  await theme.click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'light');
  await theme.click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  const dark = await background();
  expect(dark).not.toBe(light);
  await page.reload();
  expect(await background(), 'before the first paint').toBe(dark);
  await expect(page.locator('html')).toHaveAttribute('data-hydrated', 'true');
  await expect(theme).toContainText('Theme');
  await theme.click();
  await expect(page.locator('html')).not.toHaveAttribute('data-theme');
  await page.reload();
  expect(await background()).toBe(light);
});
