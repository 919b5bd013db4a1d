// What was: the history of the servers, and the page of a past moment.
import AxeBuilder from '@axe-core/playwright';
import { type Locator, type Page } from '@playwright/test';
import { type Cluster, component, expect, focusedId, horizontalOverflow, openPage, quickTimers, server, test } from './cluster';

/** Device pixels in a pixel, where widths are measured. */
const SCALE = 8;

/** `db-1` goes stale, and comes back with another version; `app-1` is always well. */
async function staleAndBack(cluster: Cluster) {
  await cluster.saveSettings(quickTimers);
  await cluster.sendHeartbeat({ server: 'db-1' });
  const stop = await cluster.keepSendingHeartbeats([{ server: 'app-1' }]);
  await expect.poll(async () => (await cluster.overview()).counts.stale, { timeout: 10_000 }).toBe(1);
  const again = { server: 'db-1', version: '2027.1', boot_id: '00000002-3c0a-4d5e-9f7e-3d1b9f0c2a12' };
  const stopAgain = await cluster.keepSendingHeartbeats([again]);
  return async () => {
    await stop();
    await stopAgain();
  };
}

/** How many pixels wide a strip shows this state at its right end. */
async function width(page: Page, strip: Locator, state: string) {
  const box = (await strip.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  // What is short may reach over the edge.
  const clip = { x: box.x, y: box.y + box.height * 0.75, width: box.width + 4, height: 1 };
  const png = (await page.screenshot({ clip })).toString('base64');
  const colour = await strip.locator(`.${state}`).evaluate((path) => getComputedStyle(path).stroke);
  const columns = await page.evaluate(async ([data, wanted]) => {
    const picture = await createImageBitmap(new Blob([Uint8Array.from(atob(data), (byte) => byte.charCodeAt(0))]));
    const context = new OffscreenCanvas(picture.width, 1).getContext('2d', { willReadFrequently: true });
    if (!context) return 0;
    context.fillStyle = wanted;
    context.fillRect(0, 0, 1, 1);
    const rgb = context.getImageData(0, 0, 1, 1).data;
    context.drawImage(picture, 0, 0);
    const line = context.getImageData(0, 0, picture.width, 1).data;
    const isAlike = (x: number) => [0, 1, 2].every((part) => Math.abs(line[4 * x + part] - rgb[part]) < 24);
    return Array.from({ length: picture.width }, (_, x) => x).filter(isAlike).length;
  }, [png, colour]);
  return columns / SCALE;
}

for (const scripts of [true, false]) {
  test.describe(scripts ? 'with scripts' : 'without scripts', () => {
    test.use({ javaScriptEnabled: scripts });

    test('the history tells what happened, and each event leads to the page as it stood then', async ({ cluster, page }) => {
      const stop = await staleAndBack(cluster);
      await page.goto(cluster.url);
      await page.locator('summary#user').click();
      await page.getByRole('link', { name: 'History' }).click();
      await expect(page.getByRole('heading', { level: 1 })).toHaveText('History');
      const stale = page.getByRole('listitem').filter({ hasText: 'db-1' }).filter({ hasText: 'Stale: silent since' });
      await stale.getByRole('link').first().click();
      await expect(page.getByText('The cluster as it was at')).toBeVisible();
      await expect(component(page, 'db-1', 'service')).toHaveAttribute('data-pulse', 'stale');
      await expect(component(page, 'app-1', 'service')).toHaveAttribute('data-pulse', 'alive');
      await expect(page.locator('#troubleshooting')).toContainText('The service of db-1 does not respond');
      await page.getByRole('link', { name: 'Back to now' }).click();
      await expect(component(page, 'db-1', 'service')).toHaveAttribute('data-pulse', 'alive');
      await stop();
    });

    test('the page of a past moment can be sorted and searched, leads to the events beside it, and changes nothing', async ({ cluster, page }) => {
      const stop = await staleAndBack(cluster);
      const events = await (await page.request.get(`${cluster.url}api/v1/events?server=db-1`)).json();
      const stale = events.events.find((event: { to: string }) => event.to === 'stale');
      await page.goto(`${cluster.url}?at=${stale.at}`);
      await expect(page.getByRole('link', { name: 'Edit settings' })).toHaveCount(0);
      await server(page, 'db-1').getByRole('link', { name: 'db-1', exact: true }).click();
      await expect(page.getByRole('dialog', { name: 'db-1' })).toContainText('The service of db-1 does not respond');
      await expect(page.getByRole('link', { name: 'Remove server' })).toHaveCount(0);
      await page.getByRole('link', { name: 'Close' }).click();
      await page.getByRole('link', { name: 'Later event' }).click();
      await expect(component(page, 'db-1', 'service')).toHaveAttribute('data-pulse', 'alive');
      await page.getByRole('link', { name: 'Earlier event' }).click();
      await expect(component(page, 'db-1', 'service')).toHaveAttribute('data-pulse', 'stale');
      await page.goto(`${cluster.url}?at=${stale.at}&q=app-1`);
      await expect(server(page, 'db-1')).toHaveCount(0);
      await expect(server(page, 'app-1')).toHaveCount(1);
      await stop();
    });

    test('a timeout that is typed is tried on the past before it is saved', async ({ cluster, page }) => {
      const stop = await staleAndBack(cluster);
      await (scripts ? openPage(page, `${cluster.url}?configure`) : page.goto(`${cluster.url}?configure`));
      await page.getByLabel('Stale timeout').fill('10 min');
      if (!scripts) await page.getByRole('button', { name: 'Preview' }).click();
      const rehearsal = page.locator('#rehearsal');
      await expect(rehearsal).toContainText('these timeouts would have called no server stale. Today\'s timeouts: 1 time (db-1).');
      await stop();
    });
  });
}

test('the details of a server have its last day as a strip, which leads to its history, and its last events', async ({ cluster, page }) => {
  const stop = await staleAndBack(cluster);
  await openPage(page, `${cluster.url}?server=db-1`);
  const details = page.getByRole('dialog', { name: 'db-1' });
  await expect(details.getByRole('link', { name: /^24 hours: .*1 interruption/ })).toHaveAttribute('href', /\/history\?server=db-1$/);
  await expect(details.locator('.strip .stale')).toHaveCSS('stroke-width', '4px');
  await expect(details.locator('.recent li').filter({ hasText: 'Version' })).toContainText('2027.1');
  await details.getByRole('link', { name: 'History' }).click();
  await expect(page).toHaveURL(/\/history\?server=db-1/);
  await stop();
});

/** The moment at which `db-1` became stale. */
async function staleAt(cluster: Cluster, page: Page): Promise<string> {
  const events = await (await page.request.get(`${cluster.url}api/v1/events?server=db-1`)).json();
  return events.events.find((event: { to: string }) => event.to === 'stale').at;
}

test('the history and the page of a past moment have no accessibility faults and fit a narrow screen', async ({ cluster, page }) => {
  const stop = await staleAndBack(cluster);
  for (const path of ['history', `?at=${await staleAt(cluster, page)}`]) {
    for (const width of [1440, 360]) {
      await page.setViewportSize({ width, height: 800 });
      await page.goto(cluster.url + path);
      const faults = (await new AxeBuilder({ page }).analyze()).violations;
      expect(faults.map((fault) => fault.id), `${path} at ${width} px`).toEqual([]);
      expect(await horizontalOverflow(page), `${path} at ${width} px`).toBeLessThanOrEqual(0);
    }
  }
  await stop();
});

test('a screen reader finds each strip in words, the events by day, and the way through time', async ({ cluster, page }) => {
  const stop = await staleAndBack(cluster);
  await page.goto(`${cluster.url}history`);
  await expect(page.getByRole('main')).toMatchAriaSnapshot(`
    - main:
      - heading "History" [level=1]
      - button "Copy as Markdown"
      - region "Availability":
        - heading "Availability" [level=2]
        - navigation "Time span":
          - link "24 hours"
          - link "7 days"
          - link "30 days"
          - link "90 days"
        - paragraph: /^[-0-9]+ [0-9:]+Z to [-0-9]+ [0-9:]+Z$/
        - list:
          - listitem: /At least one service/
          - listitem: /All servers .* 1 interruption, \\d+ s/
        - heading "Servers" [level=3]
        - list:
          - listitem:
            - link "db-1":
              - /url: "?server=db-1"
            - text: Service –
            - link /^1 interruption, \\d+ s$/:
              - /url: "?server=db-1#events"
          - listitem:
            - link "app-1"
            - text: Service –
            - link "no interruptions"
        - list "Legend":
          - listitem: Alive
          - listitem: Late
          - listitem: Service stale
          - listitem: Web component stale
          - listitem: Stopped
          - listitem: Not observed
      - region "Events":
        - heading "Events" [level=2]
        - search:
          - combobox "Server"
          - combobox "Kind"
          - searchbox "Text"
          - button "Filter"
        - heading /UTC$/ [level=3]
        - list:
          - listitem:
            - link /^[0-9:]+Z$/
            - link "db-1"
            - text: Service
            - paragraph: /Alive again after a start; it was stale for/
            - paragraph: /Started; the process before ran for/
            - paragraph: Version 2026.2.1 → 2027.1
  `);
  await page.goto(`${cluster.url}?at=${await staleAt(cluster, page)}`);
  await expect(page.getByRole('region', { name: 'A past moment' })).toMatchAriaSnapshot(`
    - region "A past moment":
      - paragraph: /^The cluster as it was at [-0-9]+ [0-9:]+Z\\. This page is read-only\\.$/
      - paragraph:
        - link "Earlier event"
        - link "Later event"
        - link "History"
        - link "Back to now"
  `);
  await expect(page.getByRole('complementary').filter({ hasText: 'Not recorded, and so not judged in the past' })).toBeVisible();
  await stop();
});

test('the keyboard leads from an event to its moment, to the events beside it, and back to now', async ({ cluster, page }) => {
  const stop = await staleAndBack(cluster);
  await page.goto(`${cluster.url}history?kind=pulse&server=db-1`);
  await page.getByRole('listitem').filter({ hasText: 'Stale: silent since' }).getByRole('link').first().focus();
  await page.keyboard.press('Enter');
  await expect(component(page, 'db-1', 'service')).toHaveAttribute('data-pulse', 'stale');
  const go = async (id: string) => {
    for (let presses = 0; presses < 40 && (await focusedId(page)) !== id; presses += 1) await page.keyboard.press('Tab');
    expect(await focusedId(page)).toBe(id);
    await page.keyboard.press('Enter');
  };
  await go('later');
  await expect(component(page, 'db-1', 'service')).toHaveAttribute('data-pulse', 'alive');
  await go('earlier');
  await expect(component(page, 'db-1', 'service')).toHaveAttribute('data-pulse', 'stale');
  await go('now');
  await expect(page).toHaveURL(cluster.url);
  await stop();
});

test.describe('in enough pixels to measure', () => {
  test.use({ deviceScaleFactor: SCALE });

  test('a short outage is at least 2 px wide, on the history and in the details, however narrow the strip', async ({ cluster, page }) => {
    const stop = await staleAndBack(cluster);
    for (const [wide, path, strip] of [
      [1440, 'history', '.strips'], [360, 'history', '.strips'], [1440, '?server=db-1', '.last-day'], [360, '?server=db-1', '.last-day'],
    ] as const) {
      await page.setViewportSize({ width: wide, height: 800 });
      await page.goto(cluster.url + path);
      const shown = page.locator(`${strip} .strip:has(.stale)`).last();
      await expect(shown).toHaveCSS('height', '20px');
      await shown.scrollIntoViewIfNeeded();
      expect(await width(page, shown, 'stale'), `${path} at ${wide} px`).toBeGreaterThanOrEqual(2);
    }
    await stop();
  });
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`no two states of a strip look alike where colours are forced, ${colorScheme}`, async ({ cluster, page }) => {
    await cluster.sendHeartbeat({ server: 'app-1' });
    await page.emulateMedia({ forcedColors: 'active', colorScheme });
    await page.goto(`${cluster.url}history`);
    const samples = await page.locator('.legend .sample').all();
    const pictures = new Set<string>();
    for (const sample of samples) pictures.add((await sample.screenshot()).toString('base64'));
    expect(samples.length).toBeGreaterThan(5);
    expect(pictures.size).toBe(samples.length);
  });
}

test.describe('for a ticket', () => {
  test.use({ permissions: ['clipboard-read', 'clipboard-write'] });
  const copied = (page: Page) => page.evaluate(() => navigator.clipboard.readText());

  test('the history is copied as Markdown: its span, the strips in words, and each event with a link to its moment', async ({ cluster, page }) => {
    const stop = await staleAndBack(cluster);
    const odd = '*odd*_[1](x)|<b>`';
    await cluster.sendHeartbeat({ server: odd });
    await page.goto(`${cluster.url}history?kind=pulse`);
    await page.getByRole('button', { name: 'Copy as Markdown' }).click();
    await expect(page.getByRole('button', { name: 'Copied' })).toBeVisible();
    const text = await copied(page);
    const [title, strips, events] = text.split('\n\n');
    const moment = '[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}Z';
    const history = `${cluster.url}history?kind=pulse`.replace(/[.?]/g, '\\$&');
    expect(title).toMatch(new RegExp(`^\\*\\*\\[History\\]\\(${history}\\)\\*\\*, ${moment} to ${moment}$`));
    expect(strips).toMatch(/^- At least one service: –, /);
    expect(strips).toMatch(/\n- db-1: –, 1 interruption, \d+ s(\n|$)/);
    expect(strips).toContain('\n- \\*odd\\*\\_\\[1\\](x)\\|\\<b\\>\\`: ');
    const stale = events.split('\n').find((line) => line.includes('Stale'));
    const link = stale?.match(new RegExp(`^- \\[${moment}\\]\\((\\S+)\\) \\*\\*db-1 Service\\*\\*: Stale: silent since`))?.[1] ?? '';
    await page.goto(link);
    await expect(component(page, 'db-1', 'service')).toHaveAttribute('data-pulse', 'stale');
    await stop();
  });

  test('a hint is copied as Markdown, and its link leads to it as it stood then, where it can be copied again', async ({ cluster, page }) => {
    await cluster.sendHeartbeats([{ server: 'app-1' }, { server: 'app-2' }, { server: 'bad_1', key: 'another key' }]);
    await openPage(page, cluster.url);
    const copy = page.locator('[data-hint="key-mismatch"]').getByRole('button', { name: 'Copy hint as Markdown' });
    await copy.click();
    await expect(copy).toHaveAttribute('data-copied');
    const parts = (await copied(page)).split('\n\n');
    expect(parts[0]).toMatch(/^\*\*Error: bad\\_1 uses a different encryption key\*\* \(since \S+ [0-9:]{8}Z\)$/);
    expect(parts[1]).toMatch(/^2 servers share key [0-9a-f]{8}: app-1 and app-2/);
    expect(parts[2]).toMatch(/^1\. On bad\\_1, compare the encryption key.*\n2\. .*\n3\. .*\n4\. /);
    expect(parts[3]).toMatch(/^> Do not let a container platform restart bad\\_1/);
    const link = parts.at(-1) ?? '';
    expect(link).toMatch(/\?at=.*#hint-key-mismatch-/);
    await cluster.keepSendingHeartbeats([{ server: 'bad_1' }]);
    await page.goto(link);
    await copy.click();
    await expect.poll(async () => (await copied(page)).split('\n\n')).toEqual(parts);
  });

  test.describe('without scripts', () => {
    test.use({ javaScriptEnabled: false });

    test('nothing that copies is shown', async ({ cluster, page }) => {
      await cluster.sendHeartbeats([{ server: 'app-1' }, { server: 'bad-1', key: 'another key' }]);
      for (const path of ['', 'history']) {
        await page.goto(cluster.url + path);
        await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
        await expect(page.getByRole('button', { name: /Copy/ })).toHaveCount(0);
      }
    });
  });
});

test.describe('outside of the record', () => {
  test.use({ allowedOnConsole: /410/ });

  test('a moment before the record says when that begins', async ({ cluster, page }) => {
    await cluster.sendHeartbeat({ server: 'app-1' });
    const answer = await page.goto(`${cluster.url}?at=2020-01-01T00:00:00Z`);
    expect(answer?.status()).toBe(410);
    await expect(page.getByRole('main')).toContainText('Nothing is recorded before');
  });
});
